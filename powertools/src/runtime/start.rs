//! Why a function cannot start, and the checks at the start.

use std::fmt;
use std::panic::catch_unwind;
use std::time::Duration;

use crate::environment::{Environment, FUNCTION_NAME, FUNCTION_VERSION, MEMORY_SIZE, RUNTIME_API};
use crate::process::InitializationType;

/// Why a function cannot start.
///
/// Its `Debug` form contains the message, since `main` prints an error with `Debug`.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct StartError(#[from] NotStarted);

#[derive(Debug, thiserror::Error)]
enum NotStarted {
    #[error(
        "this is a Lambda function and {0} is not set: start it with `cargo lambda watch` and send \
         it events with `cargo lambda invoke`"
    )]
    Variable(&'static str),
    #[error(
        "the tokio runtime has no timer, which every time limit needs: build it with \
         `enable_all`, or use `#[tokio::main]`"
    )]
    Timer,
    #[error("{moment} of a lifecycle value panicked: {message}")]
    Panicked { moment: &'static str, message: String },
    #[error("{moment} of the lifecycle values timed out after {after:?}")]
    TimedOut { moment: &'static str, after: Duration },
}

impl StartError {
    pub(super) fn panicked(moment: &'static str, message: String) -> Self {
        NotStarted::Panicked { moment, message }.into()
    }

    pub(super) fn timed_out(moment: &'static str, after: Duration) -> Self {
        NotStarted::TimedOut { moment, after }.into()
    }

    /// Returns the name under which Lambda reports the error. It never changes, so that an alarm can
    /// match it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self.0 {
            NotStarted::Variable(_) => "Powertools.NotInLambda",
            NotStarted::Timer => "Powertools.TimerMissing",
            NotStarted::Panicked { .. } => "Powertools.LifecyclePanicked",
            NotStarted::TimedOut { .. } => "Powertools.LifecycleTimeout",
        }
    }
}

crate::error::own::name_in_lambda!(StartError);

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Checks the variables and the timer without which the runtime panics.
pub(super) fn check_environment() -> Result<(), StartError> {
    let environment = Environment::process();
    let needed = [RUNTIME_API, FUNCTION_NAME, MEMORY_SIZE, FUNCTION_VERSION];
    let is_missing = |variable: &&str| match environment.get(variable) {
        None => true,
        Some(value) => *variable == MEMORY_SIZE && value.parse::<i32>().is_err(),
    };
    match needed.into_iter().find(is_missing) {
        Some(variable) => Err(NotStarted::Variable(variable).into()),
        None if !has_timer() => Err(NotStarted::Timer.into()),
        None => Ok(()),
    }
}

/// Returns true if the runtime of tokio has a timer. Without one every sleep panics, and there is no other
/// way to detect that.
fn has_timer() -> bool {
    catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_ok()
}

/// Returns the limit of everything before the first event.
///
/// On demand Lambda allows ten seconds for the whole initialisation, and then repeats it inside
/// the first invocation. Ahead of events it allows 130 seconds or the function's timeout,
/// whichever is longer, and on Managed Instances 15 minutes. No event waits for either, so both have
/// the same limit here. A snapshot also waits for its hooks.
pub(super) fn time_to_start(initialization: InitializationType) -> Duration {
    Duration::from_secs(match initialization {
        InitializationType::ProvisionedConcurrency | InitializationType::ManagedInstances => 120,
        InitializationType::SnapStart => 60,
        InitializationType::OnDemand | InitializationType::Unknown => 5,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_timeout_depends_on_the_kind_of_initialisation() {
        let seconds = |initialization| time_to_start(initialization).as_secs();
        assert_eq!(seconds(InitializationType::OnDemand), 5);
        assert_eq!(seconds(InitializationType::Unknown), 5);
        assert_eq!(seconds(InitializationType::SnapStart), 60);
        assert_eq!(seconds(InitializationType::ProvisionedConcurrency), 120);
        assert_eq!(seconds(InitializationType::ManagedInstances), 120);
    }
}
