//! Panics as values: their messages, and how they are dropped.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;

/// Calls `f` and returns its result, or the message of its panic.
pub(crate) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(caught)
}

/// Runs the future that `make` returns, and returns its output, or the message of a panic of either.
pub(crate) async fn catch_future<F: Future>(make: impl FnOnce() -> F) -> Result<F::Output, String> {
    let future = catch(make)?;
    AssertUnwindSafe(future).catch_unwind().await.map_err(caught)
}

/// Returns the message of a panic.
pub(crate) fn message_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("the panic has no message")
}

/// Returns the message of a panic, and drops its payload.
pub(crate) fn caught(panic: Box<dyn Any + Send>) -> String {
    let message = message_of(&*panic).to_owned();
    dispose(panic);
    message
}

/// Drops the payload of a panic, whose destructor can panic itself.
fn dispose(panic: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        // Its own payload could panic in the same way, without end.
        mem::forget(another);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    struct PanicsInDrop;

    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            panic_any(Self);
        }
    }

    #[tokio::test]
    async fn a_payload_that_panics_in_drop_is_caught() {
        let message = "the panic has no message".to_owned();
        assert_eq!(catch(|| panic_any(PanicsInDrop)), Err::<(), _>(message.clone()));
        let ended = catch_future(|| async { panic_any(PanicsInDrop) }).await;
        assert_eq!(ended, Err::<(), _>(message));
    }
}
