use std::borrow::Cow;
use std::collections::HashSet;
use std::error::Error as StdError;
use std::sync::Arc;
use std::{fmt, iter, mem};

use serde::Serialize;
use serde_json::Value;

use super::handling::after_a_failure;
use super::observer::warn_of;
use super::source::is_identifier;
use super::{Error, Outcome, Record, RecordError, Reporting, Source, SourceReply, ValueOf};
use crate::events::RecordId;
use crate::invocation::budget::Budget;
use crate::invocation::{RecordIdentity, Records};

/// How the records of a batch ended, and the reply to Lambda that follows from it.
#[must_use = "failures must be reported to Lambda: return the reply of `into_reply`"]
pub struct Report<S: Source> {
    /// The event without its records.
    pub(super) source: S,
    pub(super) records: Arc<List<S::Record>>,
    pub(super) outcomes: Vec<Outcome>,
    /// What the handlers returned.
    pub(super) values: Vec<Option<ValueOf<S>>>,
    pub(super) policy: Policy,
    /// True if records did not start or end for lack of time.
    pub(super) out_of_time: bool,
    /// The time for what follows the records; `None` outside an invocation.
    pub(super) cleanup: Option<Budget>,
    /// Why there is no partial batch response.
    pub(super) refused: Option<Error>,
}

/// How the function replies when records failed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Policy {
    pub(super) all_or_nothing: bool,
    pub(super) fail_when_all_failed: bool,
}

/// The partial batch response: the records that are to be delivered again.
///
/// Without `ReportBatchItemFailures` in the event source mapping Lambda ignores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "a reply that the handler does not return loses the failures"]
#[non_exhaustive]
pub struct Reply<I = RecordId> {
    /// The records.
    pub batch_item_failures: Vec<ItemFailure<I>>,
}

/// A record that is to be delivered again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ItemFailure<I = RecordId> {
    /// Its identifier.
    pub item_identifier: I,
}

/// The reply to events of a source.
pub type ReplyOf<S> = <S as Source>::Reply;

/// The identifier of a source's record.
type Identifier<S> = <<S as Source>::Record as Record>::Identifier;

/// The records of a batch, which its report and their scopes share.
pub(super) struct List<R>(pub(super) Vec<R>);

impl<R: Record> Records for List<R> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn identity(&self, index: usize) -> Option<RecordIdentity> {
        let record = self.0.get(index)?;
        Some(RecordIdentity {
            identifier: name(record).unwrap_or_default(),
            attempt: record.attempt(),
            group: record.order().map(Cow::into_owned),
        })
    }
}

/// Returns the identifier of a record as it appears in the reply: a string without its quotes.
pub(super) fn name(record: &impl Record) -> Option<String> {
    Some(match serde_json::to_value(record.identifier()?).ok()? {
        Value::String(text) => text,
        other => other.to_string(),
    })
}

impl<S: Source> Report<S> {
    /// Creates the report of a batch whose records ended like this.
    pub(super) fn new(
        source: S,
        records: Arc<List<S::Record>>,
        outcomes: Vec<Outcome>,
        policy: Policy,
    ) -> Self {
        Self {
            source,
            records,
            outcomes,
            values: Vec::new(),
            policy,
            out_of_time: false,
            cleanup: None,
            refused: None,
        }
    }

    /// Returns each record with its outcome, in the order of the batch.
    ///
    /// If the event was rejected as a whole, no record was started, and
    /// [`into_reply`](Self::into_reply) returns the reason.
    #[must_use]
    pub fn records(&self) -> impl ExactSizeIterator<Item = (&S::Record, &Outcome)> {
        iter::zip(&self.records.0, &self.outcomes)
    }

    /// Returns the event without its records, for the rest of what it says.
    #[must_use]
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Returns true if no record needs to be delivered again.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.refused.is_none() && self.outcomes.iter().all(Outcome::is_done)
    }

    /// Reports the record with this identifier after all, whatever its outcome was: for what happens to
    /// records after they were handled, such as a write of all their results. See
    /// [`run_with`](super::Batch::run_with).
    ///
    /// The error is logged as a warning. Records after it in its order count as failed too, as the source
    /// delivers them in order; a stream delivers everything after it again. An identifier that no record has
    /// is an error of the batch, so that no failure is lost: see [`Error::RecordUnknown`].
    ///
    /// The batch has ended by then: a permanent error does not go to the
    /// [sink](super::Batch::permanent_sink), and a [delay](RecordError::retry_after) has no effect.
    pub fn fail(&mut self, identifier: &Identifier<S>, error: impl Into<RecordError>) {
        let error = error.into();
        let mut orders = HashSet::new();
        let mut is_known = false;
        for (record, outcome) in iter::zip(&self.records.0, &mut self.outcomes) {
            if record.identifier().as_ref() == Some(identifier) {
                is_known = true;
                warn_of(record, &error, "a record failed");
                *outcome = Outcome::Failed(error.clone());
                let continues = S::REPORTING == Reporting::EachFailure && record.is_last_attempt();
                if !continues {
                    orders.extend(record.order());
                }
            } else if outcome.is_done()
                && record.order().is_some_and(|order| orders.contains(&order))
            {
                *outcome = Outcome::Failed(after_a_failure());
            }
        }
        if !is_known {
            let record = serde_json::to_string(identifier).unwrap_or_default();
            self.refused.get_or_insert(Error::RecordUnknown { record });
        }
    }

    /// Returns the reply to Lambda.
    ///
    /// # Errors
    ///
    /// Returns the reason if the event was rejected: [`Error::IdentifierMissing`],
    /// [`Error::SourceUnexpected`] or [`Error::TumblingWindow`]. Returns [`Error::RecordUnknown`] if
    /// [`fail`](Self::fail) was called with an identifier of no record. If a record did not succeed, returns
    /// [`Error::Incomplete`] under [`all_or_nothing`](super::Batch::all_or_nothing), and if none
    /// did, [`Error::AllFailed`] under
    /// [`fail_when_all_failed`](super::Batch::fail_when_all_failed). The reply of a source can have
    /// further reasons.
    pub fn into_reply(mut self) -> Result<S::Reply, Error> {
        let values = self.take_values()?;
        S::Reply::from_report(&self, values)
    }

    /// Returns what the reply is made of: the values of the records that succeeded.
    pub(super) fn take_values(&mut self) -> Result<Vec<Option<ValueOf<S>>>, Error> {
        if let Some(error) = self.refused.take() {
            return Err(error);
        }
        let total = self.outcomes.len();
        let unfinished = self.outcomes.iter().filter(|outcome| !outcome.is_done()).count();
        if unfinished > 0 && self.policy.all_or_nothing {
            self.warn_of_permanent();
            return Err(self.incomplete());
        }
        if unfinished > 0 && unfinished == total && self.policy.fail_when_all_failed {
            self.warn_of_permanent();
            return Err(Error::AllFailed { total, first: self.first_error() });
        }
        let mut values = mem::take(&mut self.values);
        for (value, outcome) in iter::zip(&mut values, &self.outcomes) {
            // It may have failed after its handler returned a value.
            if !matches!(outcome, Outcome::Succeeded) {
                *value = None;
            }
        }
        Ok(values)
    }

    /// Returns the error of a batch some of whose records were not handled.
    pub(super) fn incomplete(&self) -> Error {
        let mut records = self.records().filter(|(_, outcome)| !outcome.is_done());
        let record = records.next().and_then(|(record, _)| name(record)).unwrap_or_default();
        let unfinished = self.outcomes.iter().filter(|outcome| !outcome.is_done()).count();
        let (total, first) = (self.outcomes.len(), self.first_error());
        Error::Incomplete { record, unfinished, total, first }
    }

    /// Warns of records that are delivered again in vain.
    fn warn_of_permanent(&self) {
        let is_permanent = |outcome: &&Outcome| {
            !outcome.is_done() && outcome.error().is_some_and(RecordError::is_permanent)
        };
        let records = self.outcomes.iter().filter(is_permanent).count();
        if records > 0 {
            tracing::warn!(
                records,
                "records failed permanently and are still delivered again: no permanent_sink took \
                 them"
            );
        }
    }

    fn first_error(&self) -> Option<Arc<dyn StdError + Send + Sync>> {
        let mut unfinished = self.outcomes.iter().filter(|outcome| !outcome.is_done());
        Some(unfinished.find_map(Outcome::error)?.shared())
    }
}

/// The records that did not succeed, or the first of them, by [`Source::REPORTING`].
impl<S: Source> SourceReply<S> for Reply<Identifier<S>> {
    type Value = ();

    fn from_report(report: &Report<S>, _: Vec<Option<()>>) -> Result<Self, Error> {
        report.warn_of_permanent();
        let reported = match S::REPORTING {
            Reporting::Checkpoint if !report.source.reports_all() => 1,
            _ => usize::MAX,
        };
        let mut seen = HashSet::new();
        let mut batch_item_failures = Vec::new();
        let unfinished =
            report.records().enumerate().filter(|(_, (_, outcome))| !outcome.is_done());
        for (index, (record, _)) in unfinished.take(reported) {
            // The source declared before the first record started that each has an identifier.
            // Without one the failure would be lost, and an empty one would make Lambda deliver the
            // whole batch again.
            let item_identifier = record
                .identifier()
                .filter(is_identifier)
                .ok_or(Error::IdentifierMissing { index })?;
            let again = record.identifier().is_some_and(|name| !seen.insert(name));
            if !again {
                batch_item_failures.push(ItemFailure { item_identifier });
            }
        }
        Ok(Self { batch_item_failures })
    }
}

impl<S: Source> fmt::Debug for Report<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("outcomes", &self.outcomes)
            .field("policy", &self.policy)
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}
