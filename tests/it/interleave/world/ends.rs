//! How a call may end.

use std::time::Duration;

use powertools::idempotency::{EpochMillis, Error, Record, Status, StoreErrorKind};

use super::{EPOCH, State, World};
use crate::interleave::plan::{Attempt, End, Run};

impl World {
    /// An invocation ends.
    pub(in crate::interleave) fn end(&self, attempt: usize, end: &End) {
        if matches!(end, End::Killed) {
            self.stop(attempt, Run::Stopped);
        }
        let record = self.record();
        let state = &mut *self.state();
        let (seen, what) = match end {
            End::Result(receipt) if receipt.run == attempt => ("a run of one's own", None),
            End::Result(receipt) => ("a replay", Some(format!("{receipt:?}"))),
            End::Failure(_) => ("failed", None),
            End::Panic => ("panicked", None),
            End::Cancelled => ("cancelled", None),
            End::Killed => ("killed", None),
            End::Error(error) => {
                let name = error.error_type().strip_prefix("Powertools.Idempotency").unwrap();
                (name, Some(error.to_string()))
            }
        };
        state.see(seen);
        self.note(state, attempt, &format!("ends: {seen} {}", what.unwrap_or_default()));

        let this = &mut state.attempts[attempt];
        this.over = true;
        this.cancelled = matches!(end, End::Cancelled);
        let Attempt { run, payload, deadline, deadline_ahead, clock_ahead, .. } = *this;
        let heard = this.heard.clone();
        let seen_owner = heard.iter().flatten().map(|record| state.owner(record)).next();

        // By its own clock, and as it was reported.
        let in_time = self.now() + clock_ahead <= deadline + deadline_ahead;
        self.check(state, attempt, in_time, "a call ends by its deadline");

        let fits = match end {
            End::Result(receipt) => {
                let source = state.attempts[receipt.run].run;
                let saved = receipt.run != attempt || self.is_saved(state, attempt, record);
                let fresh = receipt.run == attempt || self.is_fresh(state, attempt, receipt.run);
                let has_effect = !self.plan.commits || self.effects(receipt.run) == 1;
                let own = source == Run::Succeeded && receipt.payload == payload;
                own && saved && fresh && has_effect
            }
            End::Failure(id) => *id == attempt && run == Run::Failed,
            End::Panic => run == Run::Failed,
            End::Cancelled | End::Killed => true,
            End::Error(error) => match error {
                Error::InProgress { .. } => {
                    run == Run::None && seen_owner.is_some_and(|owner| owner != attempt)
                }
                Error::PayloadChanged { .. } => {
                    let other = seen_owner.map(|owner| state.attempts[owner].payload);
                    run == Run::None
                        && (self.plan.caches || other.is_some_and(|other| other != payload))
                }
                Error::Store(_) if self.plan.commits => {
                    matches!(run, Run::None | Run::Succeeded)
                }
                Error::Contended { .. } | Error::NoTime { .. } | Error::Store(_) => {
                    run == Run::None
                }
                Error::TransactionRefused { .. } | Error::CommitUnknown { .. } => {
                    self.plan.commits && run == Run::Succeeded
                }
                // The lease could not be renewed, and the work was stopped.
                Error::LeaseLost { .. } if self.plan.renews && run == Run::Stopped => {
                    seen_owner.is_some_and(|owner| owner != attempt)
                }
                Error::RecordGone { .. } if self.plan.renews && run == Run::Stopped => {
                    heard == Some(None)
                }
                Error::LeaseLost { .. } | Error::RecordGone { .. } if self.plan.commits => {
                    run == Run::Succeeded
                }
                Error::OutOfTime { .. } => matches!(run, Run::None | Run::Stopped),
                Error::LeaseExpired { .. } => {
                    self.plan.lease.is_some() && matches!(run, Run::None | Run::Stopped)
                }
                Error::LeaseLost { .. } => {
                    run == Run::Succeeded && seen_owner.is_some_and(|owner| owner != attempt)
                }
                Error::RecordGone { .. } => run == Run::Succeeded && heard == Some(None),
                Error::NotSaved { .. } => run == Run::Succeeded,
                _ => false,
            },
        };
        state.attempts[attempt].denied =
            matches!(end, End::Error(error) if !matches!(error, Error::CommitUnknown { .. }));
        self.check(state, attempt, fits, "how a call ends fits what happened");
        self.check_release(state, attempt, end);
    }

    /// Checks that the claim was released or held, as the end of its call requires.
    fn check_release(&self, state: &mut State, attempt: usize, end: &End) {
        let Attempt { run, releases, looked, .. } = state.attempts[attempt];
        if self.plan.commits && run == Run::Succeeded {
            // An end in doubt is settled by a release.
            return;
        }
        let wanted = match end {
            End::Failure(_) | End::Panic => 1,
            End::Error(Error::OutOfTime { .. } | Error::LeaseExpired { .. }) => {
                u32::from(run == Run::None || !self.plan.holds())
            }
            // What failed may also have been a look at the record of another.
            End::Error(Error::Store(_)) if self.plan.waits => return,
            // A claim that was denied is none, but one that was refused may have been sent twice.
            End::Error(Error::Store(error)) => {
                u32::from(error.kind() != StoreErrorKind::AccessDenied || looked)
            }
            End::Result(_) | End::Error(_) => 0,
            // After its end.
            End::Cancelled | End::Killed => return,
        };
        self.check(state, attempt, releases == wanted, "a claim is released when it must be");
    }

    /// Whether the answer of an earlier run still counted when this call began.
    fn is_fresh(&self, state: &State, attempt: usize, run: usize) -> bool {
        let Attempt { started, clock_ahead, .. } = state.attempts[attempt];
        let began = EpochMillis(EPOCH + started + clock_ahead).floor();
        state.attempts[run].expiration.is_some_and(|end| end >= began)
    }

    /// Whether the result of this attempt is in the store, or was until it expired.
    fn is_saved(&self, state: &State, attempt: usize, record: Option<Record>) -> bool {
        let Some(record) = record else { return self.plan.expires_after < Duration::from_secs(60) };
        let own = state.owner(&record) == attempt && record.status == Status::Completed;
        own || self.plan.expires_after < Duration::from_secs(60)
    }

    /// How the call ended that came when all was quiet.
    pub(in crate::interleave) fn check_last(&self, end: &End) {
        let state = &mut *self.state();
        for attempt in 0..state.attempts.len() {
            let Attempt { cancelled, run, claims, releases, committed, denied, reclaimed, .. } =
                state.attempts[attempt];
            let effects = self.effects(attempt);
            let once = effects == committed && effects <= 1;
            self.check(state, attempt, once, "E: an effect exists once for each record");
            let truth = !denied || effects == 0 || reclaimed;
            self.check(state, attempt, truth, "E: who is told of no effect is told the truth");
            let wanted = match run {
                Run::None => claims > 0,
                Run::Stopped => !self.plan.holds(),
                // It was being released or saved already.
                Run::Running | Run::Succeeded | Run::Failed => continue,
            };
            let is_released = !cancelled || releases > 0 || !wanted;
            self.check(state, attempt, is_released, "a claim is released when its caller leaves");
        }
        let last = state.attempts.len() - 1;
        // A handler may fail, and the work may have been done with another payload.
        let through = match end {
            End::Error(Error::PayloadChanged { .. }) => true,
            End::Error(Error::OutOfTime { .. } | Error::LeaseExpired { .. }) => true,
            End::Error(Error::NoTime { .. } | Error::TransactionRefused { .. }) => true,
            End::Error(_) => false,
            _ => true,
        };
        self.check(state, last, through, "L: when all is quiet, a call gets through");
    }
}
