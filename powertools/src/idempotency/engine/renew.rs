//! Leases that are extended while the work runs.

use std::future::{pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::coop::unconstrained;

use super::save::Pauses;
use super::session::{Session, is_held_by};
use super::time::{Window, bounded};
use crate::error::causes::{caught, with_causes};
use crate::idempotency::store::{Outcome, Renewal};
use crate::idempotency::{EpochMillis, Error, Store, StoreError, StoreErrorKind};

impl<S: Store> Session<S> {
    /// Extends the lease to `time` from now, and its window once that is confirmed.
    pub(super) async fn renew(
        &self,
        window: &mut Window,
        time: Duration,
        timeout: Duration,
    ) -> Result<(), Error> {
        // The new end is counted from now, however late the answer is.
        let renewed = self.time.renewed(self.options(), window, time);
        if renewed.lease_end <= window.lease_end {
            return Ok(());
        }
        let renewal = Renewal {
            key: self.key().clone(),
            owner: self.owner().clone(),
            lease_end: renewed.lease_end.into(),
            expiration: renewed.expiration,
            timeout,
        };
        let store = self.store();
        let existing = match bounded(store, timeout, store.renew(&renewal)).await? {
            Outcome::Applied => {
                *window = renewed;
                return Ok(());
            }
            Outcome::Refused(Some(record)) => Some(*record),
            Outcome::Refused(None) => self.read(timeout).await?,
        };
        let key = self.key().clone();
        match existing {
            // A later renewal arrived first, or an earlier attempt of this one did.
            Some(record)
                if is_held_by(&record, self.owner())
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

/// The renewals of a lease while its work runs.
///
/// The task that polls the work also polls them, so that work which blocks its thread loses its
/// lease.
pub(super) struct Renewals<S> {
    session: Arc<Session<S>>,
    lease: Duration,
    /// The work is done, and its result is being saved.
    saves: bool,
    /// Returns a confirmed window, or the error of a lost lease. `None` if the lease cannot be
    /// extended any further.
    next: Option<BoxFuture<'static, Result<Window, Error>>>,
}

impl<S: Store> Renewals<S> {
    /// Returns the renewals of a lease that was claimed with `window`, if the options enable them.
    pub(super) fn of(session: &Arc<Session<S>>, window: &Window) -> Option<Self> {
        let mut renewals = Self::new(session, false)?;
        renewals.schedule(window);
        Some(renewals)
    }

    fn new(session: &Arc<Session<S>>, saves: bool) -> Option<Self> {
        let options = session.options();
        let lease = options.lease.filter(|_| options.renew_lease)?;
        Some(Self { session: session.clone(), lease, saves, next: None })
    }

    /// Waits for `save`, before whose end the lease must not end, or another invocation would repeat the work.
    pub(super) async fn beside<T>(
        session: &Arc<Session<S>>,
        window: &Window,
        save: impl Future<Output = T>,
    ) -> T {
        let Some(mut renewals) = Self::new(session, true) else { return save.await };
        let time = &session.time;
        // One that has ended was renewed where the end of the work was awaited, in the last third of it.
        match window.lease_end > time.now() {
            true => renewals.schedule(window),
            false => renewals.schedule(&time.renewed(session.options(), window, renewals.lease)),
        }
        let mut save = pin!(save);
        poll_fn(|cx| {
            // One that is refused is no news: the save is refused, too, or it was before the renewal.
            while let Poll::Ready(Ok(_)) = renewals.poll(cx) {}
            save.as_mut().poll(cx)
        })
        .await
    }

    fn schedule(&mut self, window: &Window) {
        let session = &self.session;
        let can_grow = session.time.can_grow(session.options(), window);
        let mut window = *window;
        if self.saves {
            // The time of the work has no say in it any more.
            window.limit = session.time.save_end(session.time.now());
        }
        self.next = can_grow.then(|| renewal(session.clone(), window, self.lease).boxed());
    }

    /// Returns each confirmed window, or the error of a lost lease.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Window, Error>> {
        let Some(next) = &mut self.next else { return Poll::Pending };
        // Busy work exhausts Tokio's budget of its task; a renewal is polled regardless.
        let renewed = ready!(Pin::new(&mut unconstrained(next)).poll(cx));
        self.next = None;
        if let Ok(window) = &renewed {
            self.schedule(window);
        }
        Poll::Ready(renewed)
    }
}

/// Renews a lease once: after a third of it, so that there is time for a second attempt in the next
/// third.
async fn renewal<S: Store>(
    session: Arc<Session<S>>,
    mut window: Window,
    lease: Duration,
) -> Result<Window, Error> {
    let time = &session.time;
    let third = lease / 3;
    // Only a lease that lasts as long as it may is renewed, so this is its first third, whenever the request
    // was sent that confirmed it.
    let next = window.lease_end - session.options().grace - 2 * third;
    tokio::time::sleep(time.until(next)).await;

    if time.now() >= window.limit {
        // The work blocked its thread past the end of its lease, and is stopped.
        return pending().await;
    }
    let mut pauses = Pauses::default();
    loop {
        let timeout = time.before(window.limit).min(third);
        let attempt = AssertUnwindSafe(session.renew(&mut window, lease, timeout)).catch_unwind();
        let error = match attempt.await {
            Ok(Ok(())) => return Ok(window),
            Ok(Err(Error::Store(error))) => error,
            Ok(Err(lost)) => return Err(lost),
            Err(panic) => {
                let message = format!("the store panicked: {}", caught(panic));
                StoreError::new(StoreErrorKind::Other, message)
            }
        };
        if !pauses.pause(session.key().as_str(), time, window.limit).await {
            tracing::warn!(
                key = %session.key(),
                error = with_causes(&error),
                "a lease could not be renewed: when it ends, its work is stopped, or can be done again",
            );
            // The guard of the work stops it at its last confirmed limit.
            return pending().await;
        }
    }
}
