mod check;
mod decode;
mod evaluate;
mod functions;
mod numbers;
mod order;
mod slice;

use std::fmt;

use jmespath::ast::Ast;

use super::{Error, Json};

/// A JMESPath expression that takes the key out of an event that has no type.
///
/// Besides the functions of JMESPath there are `powertools_json` (reads JSON text),
/// `powertools_base64` and `powertools_base64_gzip` (decode a text), as in the toolkits of other
/// languages.
///
/// What is selected comes out as it was in the event, large numbers, `1.0` and the order of members
/// included. So expressions that select have the same keys in all toolkits. Those that compute may
/// not: Python's `to_string` and `avg`, for example, have ways of their own.
///
/// Compile an expression once:
///
/// ```
/// use std::sync::LazyLock;
///
/// use powertools::idempotency::{Error, JmesPath, Json};
///
/// static ORDER_KEY: LazyLock<JmesPath> = LazyLock::new(|| {
///     JmesPath::new("powertools_json(body).[customer, order_id]").expect("a valid expression")
/// });
///
/// fn order_key(event: &Json) -> Result<Json, Error> {
///     ORDER_KEY.search(event)
/// }
///
/// let event = r#"{"body": "{\"order_id\": 12345678901234567890123, \"customer\": \"c-1\"}"}"#;
/// let key = order_key(&event.parse().expect("JSON"))?;
/// assert_eq!(key.to_string(), r#"["c-1",12345678901234567890123]"#);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct JmesPath {
    expression: String,
    ast: Ast,
}

/// Why a text is not a JMESPath expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid JMESPath expression {expression:?}: {reason}")]
pub struct JmesPathError {
    expression: String,
    reason: String,
}

crate::error::own::without_name!(JmesPathError);

impl JmesPath {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// Returns a [`JmesPathError`] if the expression is malformed, calls a function that does not
    /// exist or calls one with too few or too many arguments.
    pub fn new(expression: impl Into<String>) -> Result<Self, JmesPathError> {
        let expression = expression.into();
        let compiled = jmespath::parse(&expression).map_err(|error| error.reason.to_string());
        match compiled.and_then(|ast| check::check(&ast).map(|()| ast)) {
            Ok(ast) => Ok(Self { expression, ast }),
            Err(reason) => Err(JmesPathError { expression, reason }),
        }
    }

    /// Takes what the expression leads to out of a document; null if it leads nowhere.
    ///
    /// # Errors
    ///
    /// Returns [`Error::KeyInvalid`] if a function cannot do its work: its argument has the wrong
    /// type, or is not the JSON, base64 or gzip that it should be.
    pub fn search(&self, document: &Json) -> Result<Json, Error> {
        match evaluate::evaluate(&self.ast, document) {
            Ok(found) => Ok(found.into_owned()),
            Err(reason) => Err(Error::KeyInvalid { operation: self.expression.clone(), reason }),
        }
    }

    /// The expression's own text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.expression
    }
}

impl fmt::Debug for JmesPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JmesPath").field(&self.expression).finish()
    }
}

impl fmt::Display for JmesPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression)
    }
}

/// An expression is part of the configuration.
impl From<JmesPathError> for Error {
    fn from(error: JmesPathError) -> Self {
        Self::Config(error.to_string())
    }
}

#[cfg(test)]
mod tests;
