use futures_util::future::{BoxFuture, ready};

use crate::environment::Environment;
use crate::parameters::{Fetched, Kind, Request, Source, SourceError, SourceErrorKind};

/// Values of variables of the environment.
///
/// The variable of a value has its name in upper case, with `_` for what is neither a letter nor a
/// digit, and without a `_` at its start: that of `/orders/url` is `ORDERS_URL`. White space around a value is
/// not part of it, and a variable with nothing else is not set. There are neither paths nor versions.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    prefix: String,
}

impl Variables {
    /// Creates the source.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a prefix of the variables.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn variable(&self, name: &str) -> String {
        let letter = |char: char| match char.to_ascii_uppercase() {
            upper if upper.is_ascii_alphanumeric() => upper,
            _ => '_',
        };
        let name: String = name.chars().map(letter).collect();
        format!("{}{}", self.prefix, name.trim_start_matches('_'))
    }

    fn find(&self, request: &Request, environment: &Environment) -> Result<Fetched, SourceError> {
        request.check_current()?;
        if request.kind == Kind::Path {
            let message = "variables of the environment have no paths";
            return Err(SourceError::new(SourceErrorKind::Unsupported, message));
        }
        let variable = self.variable(&request.name);
        environment.get(&variable).map(Fetched::new).ok_or_else(|| {
            SourceError::new(SourceErrorKind::NotFound, format!("{variable} is not set"))
        })
    }
}

impl Source for Variables {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        Box::pin(ready(self.find(request, &Environment::process())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Content;

    #[test]
    fn the_name_of_a_variable_is_derived_from_that_of_the_value() {
        let environment =
            Environment::of([("ORDERS_API_KEY", "k"), ("TEST_ORDERS_API_KEY", "t"), ("B", " ")]);
        let find = |prefix: &str, name: &str| {
            let request = Request::new(Kind::Secret, name);
            Variables::new().prefix(prefix).find(&request, &environment)
        };
        assert_eq!(find("", "/orders/api-key").unwrap().content, Content::from("k"));
        assert_eq!(find("TEST_", "orders/api-key").unwrap().content, Content::from("t"));
        assert_eq!(find("", "b").unwrap_err().kind(), SourceErrorKind::NotFound);
    }
}
