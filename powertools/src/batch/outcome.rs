use super::RecordError;

/// How a record ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// Its handler returned `Ok`.
    Succeeded,
    /// It could not be parsed, its handler returned an error or panicked, or it failed permanently
    /// and no sink accepted it.
    Failed(RecordError),
    /// It failed permanently, and the [sink](super::Batch::permanent_sink) accepted it. It counts as
    /// done.
    Permanent(RecordError),
    /// It was stopped because the time ran out. It is unknown how far its handler got.
    Stopped,
    /// It was not started: the time ran out, or a failure before it in its order prevented it.
    NotStarted,
}

impl Outcome {
    /// Returns true if the record need not be delivered again: it succeeded, or the sink accepted it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Permanent(_))
    }

    /// Returns the error of the record, if it had one.
    #[must_use]
    pub fn error(&self) -> Option<&RecordError> {
        match self {
            Self::Failed(error) | Self::Permanent(error) => Some(error),
            Self::Succeeded | Self::Stopped | Self::NotStarted => None,
        }
    }
}
