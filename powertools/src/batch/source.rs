use std::borrow::Cow;
use std::fmt;
use std::hash::Hash;

use serde::Serialize;
use serde_json::Value;

use super::{Error, Report};
use crate::events::ParseError;

/// An event that is a batch of records. Implement it for an event source of your own.
///
/// ```
/// use std::borrow::Cow;
/// use std::mem;
/// use powertools::batch::{Batch, Error, Record, RecordError, Reply, Source};
///
/// /// Jobs of a queue whose own poller invokes the function.
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
///     type Reply = Reply<u64>;
///
///     fn take_records(&mut self) -> Result<Vec<Job>, Error> {
///         Ok(mem::take(&mut self.0))
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

    /// The reply of the function: [`Reply`](super::Reply) of the identifiers of the records, unless the
    /// source expects another one.
    type Reply: SourceReply<Self>;

    /// How failures are reported to the source.
    const REPORTING: Reporting = Reporting::EachFailure;

    /// Whether the source reads from the reply which records did not succeed. Where it does not, it would take them
    /// for done: a batch then fails as a whole, as with [`all_or_nothing`](super::Batch::all_or_nothing).
    const ACCEPTS_PARTIAL_RESPONSE: bool = true;

    /// Returns true if each record that did not succeed is reported after a
    /// [checkpoint](Reporting::Checkpoint) too, for a source that might not deliver the rest again otherwise: the
    /// guide of EventBridge Pipes does not say what happens to records behind the first one that is reported.
    fn reports_all(&self) -> bool {
        false
    }

    /// Moves the records out of the event, in the order in which they are to be processed.
    ///
    /// The rest of the event stays, for the [reply](SourceReply::from_report).
    ///
    /// # Errors
    ///
    /// Returns an error if the event must not be processed, for example [`Error::SourceUnexpected`].
    fn take_records(&mut self) -> Result<Vec<Self::Record>, Error>;
}

/// The reply to a [`Source`], which follows from how its records ended.
///
/// [`Reply`](super::Reply) is that of event source mappings. Implement it for a source that expects
/// another one, such as a value for each record.
pub trait SourceReply<S: Source>: Serialize + Sized {
    /// What the handler of a record returns: `()`, unless the reply contains a value for each record.
    type Value;

    /// Creates the reply.
    ///
    /// `values` has what the handlers returned: one for each of the [records](Report::records), in their
    /// order, and `None` for a record that did not [succeed](super::Outcome::Succeeded).
    ///
    /// # Errors
    ///
    /// Returns an error if there can be no reply, for example [`Error::IdentifierMissing`].
    fn from_report(report: &Report<S>, values: Vec<Option<Self::Value>>) -> Result<Self, Error>;
}

/// What the handler of a record of a source returns.
pub type ValueOf<S> = <<S as Source>::Reply as SourceReply<S>>::Value;

/// How failures are reported to an event source, and what a failure means for other records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reporting {
    /// Each record that did not succeed is reported and delivered again. A failure prevents those after
    /// it in its [order](Record::order) from starting, and no others.
    EachFailure,
    /// One record is reported, the first in the order of the batch that did not succeed, or
    /// [all of them](Source::reports_all). It and everything after it is delivered again. A failure prevents
    /// everything after it from starting.
    Checkpoint,
}

/// A record of a [`Source`].
///
/// A record is cloned for its handler, so it should be cheap to clone, for example by an `Arc` inside.
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
    /// Log lines of the record's handler contain it.
    fn attempt(&self) -> Option<u32> {
        None
    }

    /// Returns true if the source abandons the record when it fails now, like a queue with a
    /// dead-letter queue. The source then continues with those after it in its order, and so does the
    /// batch, if [each failure](Reporting::EachFailure) is reported.
    fn is_last_attempt(&self) -> bool {
        false
    }
}

/// A type that a record handler can take: the record itself, or something created from it.
#[diagnostic::on_unimplemented(
    message = "a handler of `{R}` cannot take `{Self}`",
    label = "cannot be created from a record",
    note = "take `Message<T>`, `KinesisMessage<T>`, `KafkaMessage<T>` or `Change<T>`, where `T` \
            implements `DeserializeOwned`, or the record itself"
)]
pub trait FromRecord<R>: Sized {
    /// Creates it from the record, right before the handler of the record starts. An error is that
    /// record's failure.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be created from this record.
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

/// Returns the records, unless one names another source.
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
