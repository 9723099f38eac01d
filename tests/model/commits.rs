//! Effects that are committed with the record.

use super::state::{State, Without, Work};
use super::{EXPIRES_AFTER, Protocol};

impl Protocol {
    /// A commit arrives: the record is completed and the effect takes place, or neither.
    pub(super) fn commit(&self, state: &mut State, at: usize, answered: bool) {
        state.workers[at].completes -= 1;
        let worker = &state.workers[at];
        let kept = state.time + worker.ahead + EXPIRES_AFTER;
        // As long as an answer to a commit can be late.
        let expiration = match self.without {
            Without::ExpirationOnCommit => kept,
            _ => kept.max(worker.last + self.grace()),
        };
        let applied = match &mut state.record {
            Some(record)
                if (record.owner == at || self.without == Without::OwnerOnCommit)
                    && (!record.completed || self.without == Without::StatusOnCommit) =>
            {
                // Only its own record is evidence of an effect.
                state.workers[at].commit.completions +=
                    u8::from(record.owner == at && !record.completed);
                record.completed = true;
                record.expiration = expiration;
                true
            }
            _ => false,
        };
        let worker = &mut state.workers[at];
        if applied && self.without != Without::Transaction {
            worker.commit.effects += 1;
        }
        if answered && matches!(worker.work, Work::Completing(_)) {
            if applied {
                worker.commit.told = Some(true);
                worker.work = Work::Ended;
            } else {
                self.conclude(state, at);
            }
        }
    }

    /// A worker knows that nothing of it is in progress any more, and looks at its record.
    pub(super) fn conclude(&self, state: &mut State, at: usize) {
        let completed = state.record.is_some_and(|record| record.owner == at && record.completed);
        let worker = &mut state.workers[at];
        worker.commit.told = if completed {
            Some(self.without != Without::OwnCompletion)
        } else {
            // A copy of its claim that is still on its way can renew what a release has ended, and a late
            // copy of its commit complete that: its caller is told too early.
            (worker.claims == 0).then_some(false)
        };
        worker.work = Work::Ended;
    }

    /// A worker has no answer that is certain.
    pub(super) fn settle(&self, state: &mut State, at: usize) {
        let worker = &mut state.workers[at];
        if self.without == Without::Settling {
            worker.commit.told = Some(false);
            worker.work = Work::Ended;
        } else {
            worker.work = Work::Settling(0);
            worker.releases += 1;
        }
    }
}
