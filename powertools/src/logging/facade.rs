use super::Error;

/// Forwards the records of the `log` facade to `tracing`, so that libraries that use it have lines
/// like any other, with their targets and the places in their sources.
///
/// Levels, sampling and the buffer apply to them too. Call it once, in `main`.
///
/// # Errors
///
/// Returns [`Error::LoggerAlreadySet`] if the program has a logger for `log`.
///
/// # Examples
///
/// ```
/// use powertools::logging;
///
/// # fn main() -> Result<(), logging::Error> {
/// logging::init()?;
/// logging::forward_log()
/// # }
/// ```
pub fn forward_log() -> Result<(), Error> {
    tracing_log::LogTracer::init().map_err(|_| Error::LoggerAlreadySet)
}
