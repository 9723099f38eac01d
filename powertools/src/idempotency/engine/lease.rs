use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::{Poll, ready};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

use super::claim::HeldClaim;
use super::renew::Renewals;
use super::session::{Found, Lookup};
use super::stopped;
use super::time::Window;
use crate::idempotency::options::LONGEST;
use crate::idempotency::{Call, Error, Idempotency, Key, Replay, Store};
use crate::invocation::Mark;

/// What [`Call::claim`] found.
#[derive(Debug)]
#[must_use = "a lease that is dropped ends its claim"]
pub enum Claimed<S: Store, R> {
    /// The claim was acquired: the work is the caller's to do.
    Lease(Lease<S>),
    /// The work was completed before, with this result.
    Replay(R),
}

/// A claim that was acquired, for work that ends elsewhere. Created by [`Call::claim`].
///
/// It ends with [`complete`](Self::complete) or [`release`](Self::release). If it is dropped, the
/// outcome of the work is unknown: its claim is released by a task of its own, without a guarantee,
/// or held until the lease expires: see [`Builder::on_interrupt`].
///
/// Unlike [`Call::run`], a lease stops nothing: work that continues after its
/// [`limit`](Self::limit) may overlap with that of another invocation. Its completion is then rejected
/// if the record was taken over.
///
/// [`Builder::on_interrupt`]: crate::idempotency::Builder::on_interrupt
#[derive(Debug)]
#[must_use = "a lease that is dropped ends its claim"]
pub struct Lease<S: Store> {
    /// `None` if the work runs without protection.
    pub(super) held: Option<(HeldClaim<S>, Window)>,
    pub(super) idempotency: Idempotency<S>,
}

impl<S: Store> Call<S> {
    /// Claims the key, for work that does not fit into one future: its lease can be passed on, and
    /// completed where the work ends. Where it fits, [`run`](Self::run) is simpler, and stops the work
    /// in time.
    ///
    /// ```
    /// use powertools::idempotency::{Claimed, Error, Idempotency, Lease, MemoryStore};
    ///
    /// /// Ends the work, with the lease that was passed on.
    /// async fn acknowledged(lease: Lease<MemoryStore>, answer: &str) -> Result<(), Error> {
    ///     match answer {
    ///         "accepted" => lease.complete(&answer.to_owned()).await,
    ///         _ => {
    ///             lease.release().await;
    ///             Ok(())
    ///         }
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
    /// let idempotency = Idempotency::new(MemoryStore::new())?;
    /// for answer in ["rejected", "accepted"] {
    ///     match idempotency.operation("print").key("label-7")?.claim::<String>().await? {
    ///         Claimed::Lease(lease) => acknowledged(lease, answer).await?,
    ///         Claimed::Replay(_) => unreachable!("a released claim is free again"),
    ///     }
    /// }
    /// let again = idempotency.operation("print").key("label-7")?.claim::<String>().await?;
    /// assert!(matches!(again, Claimed::Replay(answer) if answer == "accepted"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] if the key is claimed by another invocation, its payload differs, or the
    /// store fails.
    pub async fn claim<R: Replay>(self) -> Result<Claimed<S, R>, Error> {
        let Some(prepared) = self.prepared else {
            return Ok(Claimed::Lease(Lease { held: None, idempotency: self.idempotency }));
        };
        let idempotency = self.idempotency.clone();
        let lookup = Lookup::new(self.idempotency, prepared);
        if let Some(result) = lookup.cached()? {
            return Ok(Claimed::Replay(result));
        }
        let mut claim = HeldClaim::new(lookup)?;
        match claim.acquire().await? {
            Found::Claim(window) => {
                let held = Some((claim.without_cleanup(), window));
                Ok(Claimed::Lease(Lease { held, idempotency }))
            }
            Found::Done(record) => Ok(Claimed::Replay(claim.session.replay(&record)?)),
        }
    }
}

impl<S: Store> Lease<S> {
    /// Returns the key, or `None` if the work runs without protection.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        self.held.as_ref().map(|(claim, _)| claim.session.key())
    }

    /// Returns the limit of the work: the end of its lease or an instant shortly before the deadline
    /// of the invocation, whichever is earlier. `None` if the work runs without protection.
    #[must_use]
    pub fn limit(&self) -> Option<SystemTime> {
        self.held.as_ref().map(|(_, window)| window.limit)
    }

    /// Stores the result of the work and ends the lease. A result that is not
    /// [kept](crate::idempotency::Builder::keep_if) ends it like an error.
    ///
    /// It continues if its caller is dropped.
    ///
    /// # Errors
    ///
    /// Returns [`Error::LeaseLost`] or [`Error::RecordGone`] if the record is no longer this claim's,
    /// and [`Error::NotSaved`] or [`Error::ResultNotStored`] as [`Call::run`] does.
    pub fn complete<R: Replay>(
        self,
        result: &R,
    ) -> impl Future<Output = Result<(), Error>> + use<S, R> {
        // Here, since the work is done even if nobody polls what this returns.
        let held = self.held.map(|(mut claim, window)| {
            let unsaved = claim.unsaved(&window, result);
            (claim, unsaved)
        });
        async move {
            match held {
                Some((mut claim, unsaved)) => claim.end(unsaved).await,
                None => Ok(()),
            }
        }
    }

    /// Extends the lease to `time` from now, but not past the end of the invocation, and never shortens
    /// it. The [`limit`](Self::limit) moves with it.
    ///
    /// # Errors
    ///
    /// Returns [`Error::LeaseLost`] or [`Error::RecordGone`] if the record is no longer this claim's, and
    /// [`Error::Store`] if the store fails or does not answer: the lease may then have its old end or its
    /// new one, and the limit is the old one.
    pub async fn renew(&mut self, time: Duration) -> Result<(), Error> {
        match &mut self.held {
            Some((claim, window)) => {
                let timeout = claim.session.time.for_renewal(window);
                claim.session.renew(window, time.min(LONGEST), timeout).await
            }
            None => Ok(()),
        }
    }

    /// Releases the claim, so that a retry can run at once. A failure is only logged: the lease expires
    /// by itself.
    pub async fn release(self) {
        if let Some((mut claim, _)) = self.held {
            claim.release().await;
        }
    }

    /// Releases or holds the claim of work that failed.
    pub(crate) async fn failed(self) {
        if let Some((mut claim, _)) = self.held {
            claim.failed().await;
        }
    }

    /// Releases or holds the claim of work that was stopped.
    pub(crate) async fn interrupted(self) {
        if let Some((mut claim, _)) = self.held {
            claim.interrupted(Mark::STOPPED).await;
        }
    }

    /// Returns a future that is ready when the work has to stop. While it is polled, it renews the lease as
    /// the options say.
    pub(crate) fn expiry(&self) -> impl Future<Output = Error> + Send + use<S> {
        let held = self.held.as_ref().map(|(claim, window)| (claim.session.clone(), *window));
        async move {
            let Some((session, mut window)) = held else { return pending().await };
            let mut renewals = Renewals::of(&session, &window);
            let mut timer = pin!(sleep(session.time.until(window.limit)));
            poll_fn(|cx| {
                if let Some(renewals) = &mut renewals {
                    while let Poll::Ready(renewed) = renewals.poll(cx) {
                        match renewed {
                            Ok(confirmed) => window = confirmed,
                            Err(lost) => return Poll::Ready(lost),
                        }
                        let left = session.time.until(window.limit);
                        timer.as_mut().reset(Instant::now() + left);
                    }
                }
                ready!(timer.as_mut().poll(cx));
                Poll::Ready(stopped(&session, &window))
            })
            .await
        }
    }
}
