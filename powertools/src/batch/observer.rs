//! Logs the outcomes of records, and passes them to the hook of their batch.

use std::error::Error as StdError;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::options::Hook;
use super::report::name;
use super::{Outcome, Record, RecordError};
use crate::error::causes::caught;
use crate::invocation::Invocation;

/// The target of a line about a record that failed. With it, logging also writes the lines that it
/// has buffered for the record.
const RECORD: &str = "powertools::record";

/// Logs outcomes and calls the hook.
pub(super) struct Observer<'a, 'b, R> {
    pub(super) hook: Option<&'a mut Hook<'b, R>>,
    /// That of the batch; `None` outside an invocation.
    pub(super) scope: Option<&'a Invocation>,
}

impl<R: Record> Observer<'_, '_, R> {
    /// Takes note of a record that ended, in the scope of that record.
    pub(super) fn observe(&mut self, index: usize, record: &R, outcome: &Outcome) {
        if self.hook.is_none() && matches!(outcome, Outcome::Succeeded) {
            return;
        }
        let scope = self.scope.map(|scope| scope.at_record(index));
        let mut log_and_call = || {
            match outcome {
                Outcome::Failed(error) => warn_of(record, error, "a record failed"),
                Outcome::Permanent(error) => {
                    warn_of(record, error, "a record failed permanently");
                }
                Outcome::Succeeded | Outcome::Stopped | Outcome::NotStarted => {}
            }
            self.call_hook(record, outcome);
        };
        match scope {
            Some(scope) => scope.sync_scope(log_and_call),
            None => log_and_call(),
        }
    }

    /// Takes note of the records that did not end, after all others.
    pub(super) fn observe_the_rest(&mut self, records: &[R], outcomes: &[Outcome], is_over: bool) {
        let (mut stopped, mut not_started) = (0, 0);
        for (index, (record, outcome)) in std::iter::zip(records, outcomes).enumerate() {
            match outcome {
                Outcome::Stopped => stopped += 1,
                Outcome::NotStarted => not_started += 1,
                Outcome::Succeeded | Outcome::Failed(_) | Outcome::Permanent(_) => continue,
            }
            self.observe(index, record, outcome);
        }
        if is_over && stopped + not_started > 0 {
            tracing::warn!(
                stopped,
                not_started,
                "records of a batch did not fit into the time and are delivered again"
            );
        } else if not_started > 0 {
            tracing::warn!(not_started, "records of a batch did not start because of a failure");
        }
    }

    fn call_hook(&mut self, record: &R, outcome: &Outcome) {
        if let Some(hook) = &mut self.hook
            && let Err(panic) = catch_unwind(AssertUnwindSafe(|| hook(record, outcome)))
        {
            let panic = caught(panic);
            tracing::warn!(record = name(record), panic, "the hook of a batch panicked");
        }
    }
}

/// Logs the error of a record, with its causes if the subscriber writes them.
pub(super) fn warn_of(record: &impl Record, error: &RecordError, message: &str) {
    let record = name(record);
    let warn = || {
        let error: &(dyn StdError + 'static) = error.error();
        tracing::warn!(target: RECORD, record, error, "{message}");
    };
    // An error whose message panics must not affect the other records.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(warn)) {
        drop(caught(panic));
        tracing::warn!(target: RECORD, record, %error, "{message}");
    }
}
