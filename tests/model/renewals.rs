//! Leases that are renewed while their worker runs.

use super::state::{Broken, Record, State, Without, Work, Worker};
use super::{LEASE, Protocol};

impl Protocol {
    /// The end of a lease that a worker requests when its clock shows `now`.
    pub(super) fn lease_end(&self, worker: &Worker, now: u8) -> u8 {
        let end = now + LEASE;
        let last = if self.without == Without::RenewalsEnd { u8::MAX } else { worker.last };
        end.min(last) + self.grace()
    }

    /// When the work of a lease with this end is stopped, by the clock of its worker.
    pub(super) fn limit(&self, worker: &Worker, lease_end: u8) -> u8 {
        lease_end - self.grace() - worker.ahead
    }

    /// A renewal arrives.
    pub(super) fn renew(&self, state: &mut State, at: usize, end: u8, answered: bool) {
        state.workers[at].take(end);
        let applies = |record: &Record| {
            (record.owner == at || self.without == Without::OwnerOnRenewal)
                && (!record.completed || self.without == Without::StatusOnRenewal)
                && (record.lease_end < Some(end) || self.without == Without::OnlyForwards)
        };
        let mut applied = false;
        if let Some(record) = state.record.as_mut().filter(|record| applies(record)) {
            if record.completed {
                state.broken = Some(Broken::CompletedRecordChanged);
            } else if record.owner != at {
                state.broken = Some(Broken::RecordOfAnother);
            }
            applied = true;
            record.lease_end = Some(end);
            if self.without != Without::ExpirationOnRenewal {
                record.expiration = record.expiration.max(end);
            }
        }
        let own = state.record.is_some_and(|record| record.owner == at && !record.completed);
        let time = state.time;
        let worker = &mut state.workers[at];
        if !answered || worker.work != Work::Running {
            return;
        }
        if applied || own && self.without != Without::OwnRenewal {
            let limit = match self.without {
                Without::EndBySending => time + LEASE,
                _ => self.limit(worker, end),
            };
            worker.deadline = worker.deadline.max(limit);
        } else {
            // The lease is lost, and the work is stopped.
            worker.work = Work::Ended;
            if own {
                state.broken = Some(Broken::RefusedByOwnClaim);
            }
        }
    }
}
