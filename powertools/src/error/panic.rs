//! Panics as values: what they say, and how they are thrown away.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;

/// Calls `f` and returns what it returns, or the message of its panic.
pub(crate) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(caught)
}

/// Runs `future`, which `make` makes, and returns what it returns, or the message of its panic.
pub(crate) async fn catch_future<F: Future>(make: impl FnOnce() -> F) -> Result<F::Output, String> {
    let future = catch(make)?;
    AssertUnwindSafe(future).catch_unwind().await.map_err(caught)
}

/// Returns the message of a panic.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("the panic has no message")
}

/// Returns the message of a panic whose payload is not needed any more.
pub(crate) fn caught(panic: Box<dyn Any + Send>) -> String {
    let message = panic_message(&*panic).to_owned();
    dispose(panic);
    message
}

/// Drops the payload of a panic, which may panic itself as it is dropped.
fn dispose(panic: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        // One that panics without end is left where it is.
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
    async fn a_payload_that_panics_in_drop_is_a_panic_like_any_other() {
        let message = "the panic has no message".to_owned();
        assert_eq!(catch(|| panic_any(PanicsInDrop)), Err::<(), _>(message.clone()));
        let ended = catch_future(|| async { panic_any(PanicsInDrop) }).await;
        assert_eq!(ended, Err::<(), _>(message));
    }
}
