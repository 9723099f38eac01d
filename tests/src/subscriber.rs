//! The subscriber of one test.

use std::sync::LazyLock;

use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Subscriber};

/// Sets the subscriber of this thread, as [`tracing::subscriber::set_default`] does.
///
/// While a process has a single subscriber, `tracing-core` 0.1.36 asks nobody but the thread that reaches a line first
/// whether that line is wanted, and a test beside this one that has no subscriber answers for all of them. So there is
/// always another one.
pub fn set_default(subscriber: impl Subscriber + Send + Sync + 'static) -> DefaultGuard {
    static OTHER: LazyLock<Dispatch> =
        LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));

    LazyLock::force(&OTHER);
    tracing::subscriber::set_default(subscriber)
}
