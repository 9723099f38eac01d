use super::{Error, Validate, Violation};

impl<T> Validate for T
where
    T: garde::Validate,
    T::Context: Default,
{
    fn check(&self) -> Result<(), Error> {
        let Err(report) = garde::Validate::validate(self) else { return Ok(()) };
        let violations = report.iter();
        Error::if_any(
            violations.map(|(path, error)| Violation::new(path.to_string(), error.message())),
        )
    }
}
