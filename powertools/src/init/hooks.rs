//! Hooks around a SnapStart snapshot.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};

use super::Error;
use super::warm_up::Job;
use crate::error::panic::caught;

/// What all hooks before a snapshot may take together. Lambda gives 130 seconds to an initialisation
/// that ends in one.
pub(crate) const BEFORE_SNAPSHOT: Hooks =
    Hooks { name: "before_snapshot", bound: Duration::from_secs(60) };

/// What all hooks after a restore may take together. Lambda gives ten seconds, and the warm-ups
/// follow.
pub(crate) const AFTER_RESTORE: Hooks =
    Hooks { name: "after_restore", bound: Duration::from_secs(4) };

/// The hooks of one moment.
pub(crate) struct Hooks {
    name: &'static str,
    bound: Duration,
}

impl Hooks {
    /// Runs them one after the other, for `time` at most, until one does not end well.
    pub(crate) async fn run<'a>(
        &self,
        jobs: impl Iterator<Item = &'a Job>,
        time: Duration,
    ) -> Result<(), Error> {
        let hook = self.name;
        let bound = self.bound.min(time);
        let end = Instant::now() + bound;
        for job in jobs {
            let done = AssertUnwindSafe(async { job().await }).catch_unwind();
            match timeout_at(end, done).await {
                Ok(Ok(Ok(()))) => {}
                Ok(Ok(Err(source))) => return Err(Error::HookFailed { hook, source }),
                Ok(Err(panic)) => {
                    return Err(Error::HookPanicked { hook, message: caught(panic) });
                }
                Err(_) => return Err(Error::HookTimeout { hook, after: bound }),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_together_they_are_bounded() {
        let slow: Job = Arc::new(|| tokio::time::sleep(Duration::from_secs(3)).map(Ok).boxed());
        let hangs: Job = Arc::new(|| pending().boxed());
        let start = Instant::now();
        let run = |jobs, seconds| AFTER_RESTORE.run(jobs, Duration::from_secs(seconds));
        run(vec![&slow].into_iter(), 9).await.unwrap();
        let error = run(vec![&slow, &hangs].into_iter(), 9).await.unwrap_err();
        assert_eq!(error.to_string(), "the hooks after_restore timed out after 4s");
        assert_eq!(error.error_type(), "Powertools.SnapshotHookTimeout");
        assert_eq!(start.elapsed(), Duration::from_secs(7));
        let error = run(vec![&slow, &hangs].into_iter(), 2).await.unwrap_err();
        assert_eq!(error.to_string(), "the hooks after_restore timed out after 2s");
        assert_eq!(start.elapsed(), Duration::from_secs(9));
    }
}
