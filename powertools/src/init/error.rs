use std::time::Duration;

use lambda_runtime::Error as BoxError;

/// Why a value was not made, or a function did not start.
///
/// The errors of initialisers pass through unchanged. [`error_type`] has the fixed name under which
/// Lambda reports each of these.
///
/// [`error_type`]: Self::error_type
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The initialisation of a value needs the value itself.
    #[error("the initialisation of the value needs the value itself")]
    Reentrant,

    /// A function with [`#[init_once]`](macro@crate::init_once) is in an `impl` of a trait or of a generic type,
    /// or in a trait. Its static is not one for each type.
    #[error("the path of {function} depends on types, and all of them would share one value")]
    Generic {
        /// The path of the function.
        function: String,
    },

    /// A required warm-up failed.
    #[error("the warm-up of {name} failed")]
    WarmUpFailed {
        /// The name of the warm-up.
        name: String,
        /// Its error.
        source: BoxError,
    },

    /// A required warm-up panicked.
    #[error("the warm-up of {name} panicked: {message}")]
    WarmUpPanicked {
        /// The name of the warm-up.
        name: String,
        /// The message of the panic.
        message: String,
    },

    /// A required warm-up timed out.
    #[error("the warm-up of {name} timed out after {after:?}")]
    WarmUpTimeout {
        /// The name of the warm-up.
        name: String,
        /// The limit of all warm-ups together.
        after: Duration,
    },

    /// A hook around a snapshot failed.
    #[error("the hook {hook} failed")]
    HookFailed {
        /// `before_snapshot` or `after_restore`.
        hook: &'static str,
        /// Its error.
        source: BoxError,
    },

    /// A hook around a snapshot panicked.
    #[error("the hook {hook} panicked: {message}")]
    HookPanicked {
        /// `before_snapshot` or `after_restore`.
        hook: &'static str,
        /// The message of the panic.
        message: String,
    },

    /// The hooks around a snapshot timed out.
    #[error("the hooks {hook} timed out after {after:?}")]
    HookTimeout {
        /// `before_snapshot` or `after_restore`.
        hook: &'static str,
        /// The limit of all of them together.
        after: Duration,
    },
}

impl Error {
    /// The name under which Lambda reports the error. It never changes, so that an alarm can match
    /// it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::Reentrant => "Powertools.InitReentrant",
            Self::Generic { .. } => "Powertools.InitGeneric",
            Self::WarmUpFailed { .. } => "Powertools.WarmUpFailed",
            Self::WarmUpPanicked { .. } => "Powertools.WarmUpPanicked",
            Self::WarmUpTimeout { .. } => "Powertools.WarmUpTimeout",
            Self::HookFailed { .. } => "Powertools.SnapshotHookFailed",
            Self::HookPanicked { .. } => "Powertools.SnapshotHookPanicked",
            Self::HookTimeout { .. } => "Powertools.SnapshotHookTimeout",
        }
    }

    /// Returns true if another attempt may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Reentrant
            | Self::Generic { .. }
            | Self::WarmUpPanicked { .. }
            | Self::HookPanicked { .. } => false,
            Self::WarmUpFailed { .. }
            | Self::WarmUpTimeout { .. }
            | Self::HookFailed { .. }
            | Self::HookTimeout { .. } => true,
        }
    }
}

crate::error::own::name_in_lambda!(Error);
