use std::borrow::Cow;

use super::{Error, limits};

/// A name and a value by which CloudWatch distinguishes metrics: up to 250 and 1,024 characters,
/// neither of them blank.
///
/// ```
/// use powertools::metrics::Dimension;
///
/// const STAGE: Dimension = Dimension::from_static("stage", "prod"); // checked by the compiler
///
/// assert_eq!(Dimension::new("stage", "prod".to_owned()).unwrap(), STAGE);
/// assert!(Dimension::new("stage", "").is_err());
/// ```
///
/// ```compile_fail
/// # use powertools::metrics::Dimension;
/// const NOTHING: Dimension = Dimension::from_static("stage", "");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dimension {
    pub(super) name: Cow<'static, str>,
    pub(super) value: Cow<'static, str>,
}

impl Dimension {
    /// Creates a dimension from literals. In a constant, one that is invalid does not compile.
    ///
    /// # Panics
    ///
    /// Panics for an invalid dimension. For one that is not known when the function is built, use
    /// [`new`](Self::new).
    #[must_use]
    pub const fn from_static(name: &'static str, value: &'static str) -> Self {
        if let Some(reason) = limits::dimension_name(name) {
            panic!("{}", reason);
        }
        if let Some(reason) = limits::dimension_value(value) {
            panic!("{}", reason);
        }
        Self { name: Cow::Borrowed(name), value: Cow::Borrowed(value) }
    }

    /// Creates a dimension.
    ///
    /// # Errors
    ///
    /// Returns [`Error::DimensionInvalid`] if the name or the value is blank, too long or has a control
    /// character, if the name begins with a colon, and for the name `_aws`, which belongs to the
    /// format.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Result<Self, Error> {
        let (name, value) = (name.into(), value.into());
        match limits::dimension_name(&name).or_else(|| limits::dimension_value(&value)) {
            None => Ok(Self { name, value }),
            Some(reason) => Err(Error::DimensionInvalid { name: name.into_owned(), reason }),
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}
