//! Marks what runs before the first event, where there is no invocation.

use crate::environment::Environment;

tokio::task_local! {
    static STARTING: ();
}

/// Runs `work` as a part of the start, before the first event.
pub(crate) async fn starting<F: Future>(work: F) -> F::Output {
    STARTING.scope((), work).await
}

/// Returns true if an invocation is missing: in Lambda, except [before the first event](starting).
pub(crate) fn is_missed() -> bool {
    Environment::process().is_lambda() && STARTING.try_with(|()| ()).is_err()
}
