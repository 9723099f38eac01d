use std::fmt;
use std::sync::Arc;

use super::{Error, SourceError, SourceErrorKind};

/// What is fetched. Two requests that differ in any field have a cached value each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Request {
    /// What kind of value it is.
    pub kind: Kind,
    /// Its name: of a parameter, a path or a secret, or `application/environment/profile`.
    pub name: String,
    /// Which version of it.
    pub version: Version,
    /// Whether an encrypted parameter is decrypted. Secrets always are.
    pub decrypt: bool,
    /// Whether a parameter is created encrypted, if the declaration determines it. `None` in a fetch.
    pub encrypt: Option<bool>,
    /// The tenant of the invocation, if the declaration is
    /// [per tenant](super::Declaration::per_tenant).
    pub tenant: Option<String>,
}

/// The kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// One parameter.
    Parameter,
    /// All parameters below a path.
    Path,
    /// A secret.
    Secret,
    /// A configuration.
    Configuration,
}

/// A version of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Version {
    /// The current one.
    #[default]
    Current,
    /// The version of a parameter with this number.
    Number(u64),
    /// The version of a parameter with this label.
    Label(&'static str),
    /// The version of a secret with this stage, such as `AWSPREVIOUS`.
    Stage(&'static str),
    /// The version of a secret with this id.
    Id(&'static str),
}

/// The longest name, in characters: that of a parameter with its ARN.
const LONGEST: usize = 2048;

impl Request {
    /// Creates a request for the current version of what `kind` and `name` identify, decrypted.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        let name = name.into();
        Self { kind, name, version: Version::Current, decrypt: true, encrypt: None, tenant: None }
    }

    /// Returns an error if no source can have this name.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.problem() {
            Some(reason) => Err(Error::NameInvalid { what: self.to_string(), reason }),
            None => Ok(()),
        }
    }

    /// Returns an error of the source as that of this request.
    pub(super) fn failed(&self, error: SourceError) -> Error {
        Error::Source { what: self.to_string(), source: Arc::new(error) }
    }

    /// Returns an error if a version is requested from a source that has none.
    pub(super) fn check_current(&self) -> Result<(), SourceError> {
        if self.version == Version::Current {
            return Ok(());
        }
        let message = "this source does not have versions, labels or stages";
        Err(SourceError::new(SourceErrorKind::Unsupported, message))
    }

    /// Returns the name of a parameter relative to this path, if it is below it.
    pub(super) fn below<'a>(&self, name: &'a str) -> Option<&'a str> {
        let (path, name) = (self.name.trim_matches('/'), name.trim_start_matches('/'));
        if path.is_empty() { Some(name) } else { name.strip_prefix(path)?.strip_prefix('/') }
    }

    /// Returns true if a value of this request changes when `written` is set in the same source.
    pub(super) fn depends_on(&self, written: &Self) -> bool {
        let is_above = || self.kind == Kind::Path && self.below(&written.name).is_some();
        self.name == written.name || is_above()
    }

    fn problem(&self) -> Option<&'static str> {
        let parts = || self.name.split('/').filter(|part| !part.is_empty()).count();
        if self.name.is_empty() {
            Some("it is empty")
        } else if self.name.chars().count() > LONGEST {
            Some("it is longer than 2048 characters")
        } else if self.kind == Kind::Configuration && parts() != 3 {
            Some("it is not of the form application/environment/profile")
        } else {
            None
        }
    }
}

/// Writes the kind and the name, cut to 100 characters.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Parameter => "parameter",
            Kind::Path => "parameters below",
            Kind::Secret => "secret",
            Kind::Configuration => "configuration",
        };
        write!(f, "{kind} {:.100}", self.name)
    }
}
