use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::effects::Log;
use super::history::Received;
use super::random::Random;

/// Something that an [`EventSource`](super::EventSource) delivers from, and the rules of its
/// mapping: [`Sqs`](super::Sqs) or [`Stream`](super::Stream).
pub trait Source: fmt::Debug {
    /// What the source needs to know of a batch when it comes back.
    type Ticket;

    /// Returns the ids of all records.
    fn ids(&self) -> Vec<String>;

    /// Whether the records are those of a shard of Kinesis or DynamoDB.
    fn is_shard(&self) -> bool {
        false
    }

    /// Whether replies are read. `mapping_reports` is the mapping's `ReportBatchItemFailures`.
    fn reads_replies(&self, mapping_reports: bool) -> bool {
        mapping_reports
    }

    /// Refuses a mapping that the service refuses to create.
    ///
    /// # Panics
    ///
    /// Panics with the reason.
    fn check(&self, mapping: Mapping);

    /// Returns how many batches may be with the function at a time.
    fn concurrency(&self) -> usize;

    /// Takes the next batch that can be delivered now.
    fn take(&mut self, turn: Turn<'_>) -> Option<Batch<Self::Ticket>>;

    /// Delivers the records of a batch again, concurrently with it. False where this source never does
    /// that; then it delivers the batch again.
    fn copy(&mut self, ticket: &Self::Ticket) -> bool;

    /// Takes a batch back.
    fn settle(&mut self, ticket: Self::Ticket, verdict: &Verdict, log: &mut Log);

    /// When there is something to deliver next, if that is later than `now`.
    fn next(&self, now: Duration) -> Option<Duration>;
}

/// The moment at which a batch is taken.
#[derive(Debug)]
pub struct Turn<'a> {
    pub(super) now: Duration,
    pub(super) batch_size: usize,
    /// Whether records may come in another order, where the source knows none.
    pub(super) shuffled: bool,
    pub(super) random: &'a mut Random,
    pub(super) log: &'a mut Log,
}

/// The settings of a mapping that the service checks against its source.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    pub(super) batch_size: usize,
    /// The timeout of the function.
    pub(super) timeout: Duration,
}

/// The most bytes of an event: 6 MB.
const LARGEST_EVENT: usize = 6 * 1024 * 1024;

/// Returns how many of these records fit into an event: at least one.
pub(super) fn fitting<'a>(records: impl Iterator<Item = &'a Value>) -> usize {
    let mut bytes = 0;
    let fits = records.take_while(|record| {
        bytes += record.to_string().len() + 1;
        bytes <= LARGEST_EVENT
    });
    fits.count().max(1)
}

/// Records on their way to the function.
#[derive(Debug)]
pub struct Batch<T> {
    pub(super) payload: Value,
    pub(super) records: Vec<Received>,
    /// What the reply calls the records.
    pub(super) identifiers: Vec<Value>,
    pub(super) ticket: T,
}

/// What an invocation means for its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The records at these positions failed, the others are done.
    Failed(Vec<usize>),
    /// The whole batch failed.
    Again,
    /// The whole batch is delivered again, but this does not count as a failure.
    Lost,
}
