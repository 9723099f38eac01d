use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::{Error, limits};

/// The namespace of metrics in CloudWatch: letters, digits, spaces and `.-_/#:`, up to 255 of them.
///
/// ```
/// use powertools::metrics::Namespace;
///
/// const SHOP: Namespace = Namespace::from_static("Shop"); // checked by the compiler
///
/// assert_eq!("Shop".parse::<Namespace>().unwrap(), SHOP);
/// assert!("AWS/Lambda".parse::<Namespace>().is_err());
/// ```
///
/// ```compile_fail
/// # use powertools::metrics::Namespace;
/// const NOTHING: Namespace = Namespace::from_static("");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Namespace(Cow<'static, str>);

impl Namespace {
    /// Creates a namespace from a literal. In a constant, one that is invalid does not compile.
    ///
    /// # Panics
    ///
    /// Panics for an invalid namespace. For one that is not known when the function is built, use
    /// [`parse`](str::parse).
    #[must_use]
    pub const fn from_static(namespace: &'static str) -> Self {
        match limits::namespace(namespace) {
            None => Self(Cow::Borrowed(namespace)),
            Some(reason) => panic!("{}", reason),
        }
    }

    /// Returns the namespace as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Namespace {
    type Err = Error;

    fn from_str(namespace: &str) -> Result<Self, Error> {
        match limits::namespace(namespace) {
            None => Ok(Self(Cow::Owned(namespace.to_owned()))),
            Some(reason) => {
                Err(Error::NamespaceInvalid { namespace: namespace.to_owned(), reason })
            }
        }
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
