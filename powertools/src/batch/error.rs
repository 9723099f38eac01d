use std::error::Error as StdError;
use std::sync::Arc;

/// Why a batch has no reply.
///
/// Errors of single records are not among these: they are in the [`Report`](super::Report).
/// [`error_type`](Self::error_type) has the fixed name under which Lambda reports each of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A record has no identifier, or an empty one, so its failure could not be reported: Lambda
    /// treats such a reply as a failure of the whole batch. No record was handled.
    #[error("record {index} has no identifier, so its failure could not be reported")]
    IdentifierMissing {
        /// The place of the record in the batch, from 0.
        index: usize,
    },

    /// A record is not from the source that the batch is for. No record was handled.
    #[error("record {index} is from {found}, and this batch is for {expected}")]
    SourceUnexpected {
        /// The place of the record in the batch, from 0.
        index: usize,
        /// The source that the batch is for.
        expected: String,
        /// The source that the record names.
        found: String,
    },

    /// The event belongs to a tumbling window, whose reply contains a state. The reply of a batch
    /// cannot. No record was handled.
    #[error("the event has a tumbling window: batches are not for windowed aggregation")]
    TumblingWindow,

    /// [`Report::fail`](super::Report::fail) was called with an identifier that no record has. Lambda
    /// delivers the whole batch again, since another failure may be lost.
    #[error("no record of the batch is {record}, which was to be reported")]
    RecordUnknown {
        /// The identifier, as JSON.
        record: String,
    },

    /// Some records were not handled, and the event source takes a batch as a whole: see
    /// [`all_or_nothing`](super::Batch::all_or_nothing).
    #[error("{unfinished} of {total} records were not handled, {record} the first of them")]
    Incomplete {
        /// The identifier of the first record that was not handled.
        record: String,
        /// How many records were not handled: failed, stopped or not started.
        unfinished: usize,
        /// How many records the batch has.
        total: usize,
        /// The error of the first one that failed, if one did.
        #[source]
        first: Option<Arc<dyn StdError + Send + Sync>>,
    },

    /// No record was handled: see [`fail_when_all_failed`](super::Batch::fail_when_all_failed).
    #[error("none of {total} records was handled")]
    AllFailed {
        /// How many records the batch has.
        total: usize,
        /// The error of the first one that failed, if one did.
        #[source]
        first: Option<Arc<dyn StdError + Send + Sync>>,
    },
}

impl Error {
    /// Returns the name under which Lambda reports the error. It never changes, so that a state machine or
    /// an alarm can match it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::IdentifierMissing { .. } => "Powertools.BatchIdentifierMissing",
            Self::SourceUnexpected { .. } => "Powertools.BatchSourceUnexpected",
            Self::TumblingWindow => "Powertools.BatchTumblingWindow",
            Self::RecordUnknown { .. } => "Powertools.BatchRecordUnknown",
            Self::Incomplete { .. } => "Powertools.BatchIncomplete",
            Self::AllFailed { .. } => "Powertools.BatchAllFailed",
        }
    }

    /// Returns true if the same event may succeed when it is sent again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Incomplete { .. } | Self::AllFailed { .. })
    }
}

crate::error::own::name_in_lambda!(Error);
