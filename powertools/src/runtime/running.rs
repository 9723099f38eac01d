use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Counts the running invocations, each from the arrival of its event to its reply.
///
/// Each of them holds a receiver, and the sender detects when none is left.
#[derive(Clone, Debug)]
pub(super) struct Running(Arc<watch::Sender<()>>);

impl Default for Running {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(())))
    }
}

impl Running {
    /// Counts an invocation as running.
    pub(super) fn begin(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }

    /// Waits until none is running, for up to `bound`. Returns true if none is.
    pub(super) async fn finished(&self, bound: Duration) -> bool {
        tokio::time::timeout(bound, self.0.closed()).await.is_ok()
    }
}
