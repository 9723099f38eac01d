use std::borrow::Cow;
use std::fmt;
use std::hash::Hash;

use serde::Serialize;
use serde_json::Value;

use super::{Error, ParseError};

/// An event that is a batch of records: what a new event source implements.
///
/// ```
/// use std::borrow::Cow;
/// use powertools::batch::{Batch, Error, Record, RecordError, Source};
///
/// /// Jobs of a queue that an own poller hands to the function.
/// struct Jobs(Vec<Job>);
///
/// #[derive(Clone)]
/// struct Job {
///     id: u64,
///     customer: String,
/// }
///
/// impl Source for Jobs {
///     type Record = Job;
///
///     fn into_records(self) -> Result<Vec<Job>, Error> {
///         Ok(self.0)
///     }
/// }
///
/// impl Record for Job {
///     type Identifier = u64;
///
///     fn identifier(&self) -> Option<u64> {
///         Some(self.id)
///     }
///
///     fn order(&self) -> Option<Cow<'_, str>> {
///         Some(self.customer.as_str().into()) // one job at a time for each customer
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// let jobs = Jobs(vec![Job { id: 7, customer: "Ada".to_owned() }]);
/// let report = Batch::new(jobs).run(|_: Job| async { Err::<(), _>(RecordError::from("no")) }).await;
/// let reply = serde_json::to_string(&report.into_reply()?).unwrap();
/// assert_eq!(reply, r#"{"batchItemFailures":[{"itemIdentifier":7}]}"#);
/// # Ok(()) }
/// ```
pub trait Source: Sized {
    /// A record of the batch.
    type Record: Record;

    /// How the source is told of failures.
    const REPORTING: Reporting = Reporting::EachFailure;

    /// The records, in the order in which they are to be handled.
    ///
    /// # Errors
    ///
    /// Returns an error if the event must not be handled, for example [`Error::SourceUnexpected`].
    fn into_records(self) -> Result<Vec<Self::Record>, Error>;
}

/// How an event source is told of failures, and what a failure means for other records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reporting {
    /// Each record that was not done is reported, and delivered again. A failure keeps those behind
    /// it in its [order](Record::order) from starting, and no others.
    EachFailure,
    /// One record is reported, and it and everything behind it is delivered again: the first, in
    /// the order of the batch, that was not done. A failure keeps everything behind it from
    /// starting.
    Checkpoint,
}

/// A record of a [`Source`].
///
/// A record is cloned for its handler, so that should be cheap: an `Arc` inside makes it so.
pub trait Record: Clone + Send + Sync + 'static {
    /// What identifies the record in the reply. It is written as its `itemIdentifier`.
    type Identifier: Serialize + Eq + Hash + fmt::Debug;

    /// Returns the identifier of the record in the reply, or `None` if it has none.
    fn identifier(&self) -> Option<Self::Identifier>;

    /// Returns true if the record has an identifier that is not an empty string. This is checked for
    /// all records before the first one starts.
    fn has_identifier(&self) -> bool {
        self.identifier().is_some_and(|identifier| is_identifier(&identifier))
    }

    /// Returns what the record shares with those that must be handled in order with it, one after
    /// another: a message group, a partition key. `None` if it can be handled concurrently with all
    /// others.
    fn order(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// Returns how often the source has delivered the record, this time included, if that is known.
    /// Log lines of the record's handler carry it.
    fn attempt(&self) -> Option<u32> {
        None
    }

    /// Returns true if the source gives the record up when it fails now, as a queue does that has a
    /// dead-letter queue. The source then goes on with those behind it in its order, and so does
    /// the batch, where [each failure](Reporting::EachFailure) is reported.
    fn is_last_attempt(&self) -> bool {
        false
    }
}

/// What a record handler can take: the record itself, or something that is made of it.
#[diagnostic::on_unimplemented(
    message = "a handler of `{R}` cannot take `{Self}`",
    label = "not made of a record",
    note = "take `Message<T>`, `KinesisMessage<T>`, `KafkaMessage<T>` or `Change<T>`, where `T` \
            implements `DeserializeOwned`, or the record itself"
)]
pub trait FromRecord<R>: Sized {
    /// Makes it. This is done when the handler of the record is to start; the error is that
    /// record's failure.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be made of this record.
    fn from_record(record: R) -> Result<Self, ParseError>;
}

/// Returns true if Lambda accepts this as the identifier of a record: anything but null and an empty
/// string.
pub(super) fn is_identifier(identifier: &impl Serialize) -> bool {
    match serde_json::to_value(identifier) {
        Ok(Value::String(text)) => !text.is_empty(),
        Ok(Value::Null) | Err(_) => false,
        Ok(_) => true,
    }
}

/// The records, unless one says that it is from somewhere else.
pub(super) fn from_one_source<R>(
    expected: &[&str],
    records: Vec<R>,
    other: impl Fn(&R) -> Option<&str>,
) -> Result<Vec<R>, Error> {
    let found =
        records.iter().enumerate().find_map(|(index, record)| Some((index, other(record)?)));
    match found {
        None => Ok(records),
        Some((index, found)) => Err(Error::SourceUnexpected {
            index,
            expected: expected[0].to_owned(),
            found: found.to_owned(),
        }),
    }
}

impl<R: Record> FromRecord<R> for R {
    fn from_record(record: R) -> Result<Self, ParseError> {
        Ok(record)
    }
}
