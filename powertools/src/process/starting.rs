//! What runs before the first event, where no invocation can be.

use crate::environment::Environment;

tokio::task_local! {
    static STARTING: ();
}

/// Runs `work` as something that comes before the events.
pub(crate) async fn starting<F: Future>(work: F) -> F::Output {
    STARTING.scope((), work).await
}

/// True where there should be an invocation and is none: in Lambda, unless this is
/// [before the events](starting).
pub(crate) fn is_missed() -> bool {
    Environment::process().is_lambda() && STARTING.try_with(|()| ()).is_err()
}
