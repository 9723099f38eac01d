//! The toolkit's own errors: their names, and what its modules read from each other's errors.

use std::error::Error as StdError;

use super::causes::causes;
use super::registry::{Held, describe, owned};

/// The names of the errors of work that did not fail: it was stopped or not begun for lack of time, or another run has it.
const INTERRUPTIONS: [&str; 10] = [
    "Powertools.DeadlineOutOfTime",
    "Powertools.DeadlineNoTime",
    "Powertools.IdempotencyOutOfTime",
    "Powertools.IdempotencyNoTime",
    "Powertools.IdempotencyFallback",
    "Powertools.IdempotencyLeaseExpired",
    "Powertools.IdempotencyLeaseLost",
    "Powertools.IdempotencyInProgress",
    "Powertools.IdempotencyContended",
    "Powertools.ParameterOutOfTime",
];

/// Returns true if `error` or one of its causes is an error of this toolkit.
pub(crate) fn is_of_toolkit(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|error| owned(error).is_some())
}

/// Returns the run that holds the work, if `error` or one of its causes names one.
pub(crate) fn held(error: &(dyn StdError + 'static)) -> Option<Held> {
    causes(error).find_map(|error| owned(error)?.held())
}

/// Returns true if `error` or one of its causes says that work did not fail: it was stopped or not begun for lack of
/// time, or another run has it.
pub(crate) fn is_interruption(error: &(dyn StdError + 'static)) -> bool {
    // By its name, which a transparent variant of a user's type has, too.
    causes(error).filter_map(describe).any(|found| INTERRUPTIONS.contains(&found.error_type))
}

/// Registers the error of a module of this toolkit under its own `error_type`.
macro_rules! name_in_lambda {
    ($error:ty $(, held = $held:expr)? $(, http = $http:expr)?) => {
        impl $crate::error::LambdaError for $error {
            fn error_type(&self) -> &'static str {
                <$error>::error_type(self)
            }

            $(
                fn http(&self) -> Option<$crate::error::Http> {
                    $http(self)
                }
            )?
        }

        impl $crate::error::registry::OwnError for $error {
            $(
                fn held(&self) -> Option<$crate::error::registry::Held> {
                    $held(self)
                }
            )?
        }

        ::inventory::submit! {
            $crate::error::registry::Registration::of_own::<$error>()
        }

        impl From<$error> for ::lambda_runtime::Diagnostic {
            fn from(error: $error) -> Self {
                $crate::error::diagnostic(&error)
            }
        }
    };
}

/// Registers an error of this toolkit without a name in Lambda: one that is only the cause of others.
macro_rules! without_name {
    ($error:ty) => {
        impl $crate::error::registry::OwnError for $error {}

        ::inventory::submit! {
            $crate::error::registry::Registration::of_unnamed::<$error>()
        }
    };
}

pub(crate) use {name_in_lambda, without_name};

// `json` is below this module.
without_name!(crate::json::JsonError);
