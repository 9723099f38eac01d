use powertools::LambdaError;

/// Why an execution failed, if not by an error of the handler's own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operations of the handler are not those that the execution has recorded: the code has changed.
    /// An execution continues only with the code that it began with, or with one that begins with the
    /// same operations.
    #[error("the steps of the handler have changed since the execution began: {message}")]
    StepsChanged {
        /// What the SDK says.
        message: String,
    },
    /// A checkpoint was refused for good, for example because of its size.
    #[error("a checkpoint was refused: {message}")]
    CheckpointRefused {
        /// What the SDK says.
        message: String,
    },
    /// An operation failed, and the handler returned its error.
    #[error("an operation failed with {error_type}: {message}")]
    OperationFailed {
        /// The name of the error in the checkpoint.
        error_type: String,
        /// Its message.
        message: String,
        /// The name of the error for Lambda, if it has one.
        name: Option<&'static str>,
    },
}

impl LambdaError for Error {
    fn error_type(&self) -> &'static str {
        match self {
            Self::StepsChanged { .. } => "Powertools.DurableStepsChanged",
            Self::CheckpointRefused { .. } => "Powertools.DurableCheckpointRefused",
            Self::OperationFailed { name, .. } => {
                name.unwrap_or("Powertools.DurableOperationFailed")
            }
        }
    }

    fn is_permanent(&self) -> bool {
        true
    }
}

powertools::register_lambda_error!(Error);
