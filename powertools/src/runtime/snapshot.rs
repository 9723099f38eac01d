//! What the runtime calls around a SnapStart snapshot.

use std::future::pending;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lambda_runtime::{BoxFuture, Error, SnapStartResource};
use tokio::sync::oneshot;

use super::lifecycle::List;
use super::report::{Phase, report};
use crate::process::{count_restore, starting};

/// Lambda allows 130 seconds for an initialisation that ends in a snapshot.
const BEFORE_SNAPSHOT: Duration = Duration::from_secs(65);

/// Lambda allows ten seconds for a restore.
const AFTER_RESTORE: Duration = Duration::from_millis(9500);

/// Calls the values of the lifecycle.
pub(super) struct AroundSnapshot {
    list: List,
    failed: Mutex<Option<oneshot::Sender<Error>>>,
}

impl AroundSnapshot {
    /// Returns the value, and a future that resolves to the error that ends the function, if there is one.
    pub(super) fn new(list: List) -> (Self, impl Future<Output = Error>) {
        let (failed, failure) = oneshot::channel();
        let failure = async {
            match failure.await {
                Ok(error) => error,
                Err(_) => pending().await,
            }
        };
        (Self { list, failed: Mutex::new(Some(failed)) }, failure)
    }

    /// Ends the function after an error, which is reported to Lambda here. The runtime does not
    /// receive it: it would report it again, without its name and its causes.
    async fn end_after_error(&self, phase: Phase, done: Result<(), Error>) -> Result<(), Error> {
        let Err(error) = done else { return Ok(()) };
        report(phase, &error).await;
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(failed) = failed {
            let _ = failed.send(error);
        }
        pending().await
    }
}

impl SnapStartResource for AroundSnapshot {
    fn before_snapshot(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(starting(async {
            let done = self.list.before_snapshot(BEFORE_SNAPSHOT).await;
            self.end_after_error(Phase::Init, done).await
        }))
    }

    fn after_restore(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(starting(async {
            let done = self.list.after_restore(AFTER_RESTORE).await;
            self.end_after_error(Phase::Restore, done).await
        }))
    }
}

/// Counts restores. Registered first, so that everything that runs after a restore sees the new
/// count.
pub(super) struct CountRestores;

impl SnapStartResource for CountRestores {
    fn after_restore(&self) -> BoxFuture<'_, Result<(), Error>> {
        count_restore();
        Box::pin(std::future::ready(Ok(())))
    }
}
