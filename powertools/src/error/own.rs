//! The toolkit's own errors: their names, and what its modules read from each other's errors.

use std::error::Error as StdError;

use super::causes::causes;
use super::registry::{Held, owned};

/// Returns true if `error` or one of its causes is an error of this toolkit.
pub(crate) fn is_of_toolkit(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|error| owned(error).is_some())
}

/// Returns the run that holds the work, if `error` or one of its causes names one.
pub(crate) fn held(error: &(dyn StdError + 'static)) -> Option<Held> {
    causes(error).find_map(|error| owned(error)?.held())
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
