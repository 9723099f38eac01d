//! Leases that are extended while the work runs.

use std::time::Duration;

use super::session::{Session, is_held_by};
use super::time::{Window, bounded};
use crate::idempotency::store::{Outcome, Renewal};
use crate::idempotency::{EpochMillis, Error, Store};

impl<S: Store> Session<S> {
    /// Extends the lease to `time` from now, and its window once that is confirmed.
    pub(super) async fn renew(&self, window: &mut Window, time: Duration) -> Result<(), Error> {
        let renewed = self.time.renewed(self.options(), window, time);
        if renewed.lease_end <= window.lease_end {
            return Ok(());
        }
        let renewal = Renewal {
            key: self.key().clone(),
            owner: self.owner.clone(),
            lease_end: renewed.lease_end.into(),
            expiration: renewed.expiration,
            timeout: self.time.before(window.lease_end),
        };
        let existing = match bounded(renewal.timeout, self.store().renew(&renewal)).await? {
            Outcome::Applied => {
                *window = renewed;
                return Ok(());
            }
            Outcome::Refused(Some(record)) => Some(*record),
            Outcome::Refused(None) => self.read(self.time.before(window.lease_end)).await?,
        };
        let key = self.key().clone();
        match existing {
            // A later renewal was faster, or an earlier attempt of this one.
            Some(record)
                if is_held_by(&record, &self.owner)
                    && record.in_progress_expiration
                        >= Some(EpochMillis::from(renewed.lease_end)) =>
            {
                *window = renewed;
                Ok(())
            }
            Some(_) => Err(Error::LeaseLost { key }),
            None => Err(Error::RecordGone { key }),
        }
    }
}
