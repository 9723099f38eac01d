use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Knows whether invocations are running, from the event that came to the reply that was sent.
///
/// Each of them holds a receiver, and the sender sees when there is none.
#[derive(Clone, Debug)]
pub(super) struct Running(Arc<watch::Sender<()>>);

impl Default for Running {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(())))
    }
}

impl Running {
    /// Counts as one that is running.
    pub(super) fn begin(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }

    /// Waits until none is running, but not longer than `bound`. Returns true if there is none.
    pub(super) async fn finished(&self, bound: Duration) -> bool {
        tokio::time::timeout(bound, self.0.closed()).await.is_ok()
    }
}
