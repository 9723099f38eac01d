//! The record of a batch that is being processed, and the values that belong to it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::local::Locals;
use super::of_record::Place;
use super::{Invocation, Scope};

/// What identifies the record of a batch that is being processed.
///
/// [`Invocation::record`] returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordIdentity {
    /// The identifier under which a failure of the record is reported, such as a message id or a
    /// sequence number. One that is not a string is written as JSON.
    pub identifier: String,
    /// How often the source has delivered the record, including this time, if that is known.
    pub attempt: Option<u32>,
    /// What the record shares with those that are processed in order with it: a message group, a
    /// partition key, the key of an item, a partition of a topic.
    pub group: Option<String>,
}

/// The records of a batch, as an invocation knows them.
pub(crate) trait Records: Send + Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// What identifies one of them.
    fn identity(&self, index: usize) -> Option<RecordIdentity>;
}

/// The records of the batch that a scope is for.
pub(super) struct Batch {
    records: Arc<dyn Records>,
    /// The values of each record, allocated with the first of them.
    locals: OnceLock<Box<[Locals]>>,
    /// The record whose handler processes this batch.
    around: Option<(Arc<Self>, u32)>,
}

/// A record by its batch and its place in it.
#[derive(Clone, Copy)]
struct At<'a> {
    batch: &'a Batch,
    index: u32,
}

impl At<'_> {
    fn place(self) -> usize {
        self.index as usize
    }
}

impl Invocation {
    /// Returns what identifies the record that is being processed, or `None` outside the handler of
    /// a record.
    ///
    /// ```
    /// use powertools::events::SqsRecord;
    /// use powertools::{Invocation, batch, testing};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let event = r#"{"Records":[{"messageId":"m-1","body":"0"}]}"#;
    /// # let event: powertools::events::SqsEvent = serde_json::from_str(event).unwrap();
    /// # testing::invocation().build().scope(async {
    /// let handler = async |_: SqsRecord| {
    ///     let record = Invocation::current().and_then(|invocation| invocation.record());
    ///     assert_eq!(record.unwrap().identifier, "m-1");
    ///     Ok::<_, lambda_runtime::Error>(())
    /// };
    /// assert!(batch::sqs(event).run(handler).await.is_done());
    /// # }).await }
    /// ```
    #[must_use]
    pub fn record(&self) -> Option<RecordIdentity> {
        let at = self.at()?;
        at.batch.records.identity(at.place())
    }

    /// Returns the value of type `T` that belongs to the record being processed, created by
    /// `T::default()` when it is first used. Outside the handler of a record it is the
    /// [event's](Self::local).
    ///
    /// Each record has values of its own, whether records are processed concurrently or one after
    /// another. A record without a value allocates nothing.
    #[must_use]
    pub fn record_local<T: Default + Send + Sync + 'static>(&self) -> &T {
        self.local_of_record().unwrap_or_else(|| self.local())
    }

    /// As [`record_local`](Self::record_local), but `None` outside the handler of a record.
    pub(crate) fn local_of_record<T: Default + Send + Sync + 'static>(&self) -> Option<&T> {
        let At { batch, index } = self.at()?;
        let locals = batch
            .locals
            .get_or_init(|| (0..batch.records.count()).map(|_| Locals::default()).collect());
        Some(locals[index as usize].get_or_default())
    }

    /// Returns the values of type `T` that exist and are visible here, innermost first: that of the
    /// record being processed, then that of the event.
    ///
    /// Reading creates nothing: there is no value where none was written.
    pub fn locals<T: 'static>(&self) -> impl Iterator<Item = &T> {
        self.locals_of_records().chain(self.event().locals.get())
    }

    /// As [`locals`](Self::locals), without that of the event.
    pub(crate) fn locals_of_records<T: 'static>(&self) -> impl Iterator<Item = &T> {
        let records = std::iter::successors(self.at(), |at| {
            let (batch, index) = at.batch.around.as_ref()?;
            Some(At { batch, index: *index })
        });
        records.filter_map(|at| at.batch.locals.get()?[at.place()].get())
    }

    /// Returns the same invocation for the records of a batch.
    pub(crate) fn for_records(mut self, records: Arc<dyn Records>) -> Self {
        let around = self.scope.batch.clone().zip(self.record.get()).or_else(|| {
            let batch = self.scope.batch.as_ref()?;
            batch.around.clone()
        });
        let batch = Some(Arc::new(Batch { records, locals: OnceLock::new(), around }));
        self.record = Place::none();
        match Arc::get_mut(&mut self.scope) {
            // A scope that was created for the batch needs no other one inside it.
            Some(scope) => scope.batch = batch,
            None => self.scope = Arc::new(Scope { batch, ..self.inner() }),
        }
        self
    }

    /// Returns the same invocation for one record of its batch.
    pub(crate) fn at_record(&self, index: usize) -> Self {
        Self { scope: self.scope.clone(), record: Place::of(index) }
    }

    /// Returns true while the records of a batch are processed.
    pub(crate) fn is_for_record(&self) -> bool {
        self.scope.batch.is_some()
    }

    /// Returns the record that is being processed, or the one around the batch.
    fn at(&self) -> Option<At<'_>> {
        let batch = self.scope.batch.as_deref()?;
        match (self.record.get(), &batch.around) {
            (Some(index), _) => Some(At { batch, index }),
            (None, Some((batch, index))) => Some(At { batch, index: *index }),
            (None, None) => None,
        }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("records", &self.records.count()).finish_non_exhaustive()
    }
}
