use std::fmt;
use std::future::Future;
use std::panic;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::JoinHandle;

use super::state::Environment;

/// A function that runs in this process. Created by [`FakeRuntime::run`].
///
/// It ends when this is dropped.
///
/// [`FakeRuntime::run`]: super::FakeRuntime::run
#[must_use = "the function ends when this is dropped"]
pub struct FunctionTask<T> {
    task: JoinHandle<T>,
    environment: Arc<Environment>,
}

/// Variables of the environment; those without a value are not set.
pub(super) type Variables = Vec<(String, Option<String>)>;

impl<T: Send + 'static> FunctionTask<T> {
    pub(super) fn spawn<F>(function: F, environment: Arc<Environment>, variables: Variables) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let ended = CloseOnDrop(environment.clone());
        let function = InEnvironment {
            function: Box::pin(function),
            variables,
            environment: environment.clone(),
        };
        let task = tokio::spawn(async move {
            // Dropped after the function, also where that panics or is cancelled.
            let _ended = ended;
            function.await
        });
        let stop = task.abort_handle();
        environment.stop_with(move || stop.abort());
        Self { task, environment }
    }

    /// Waits until the function ends on its own and returns what it returned.
    ///
    /// # Panics
    ///
    /// Panics if the function did, or if its fake runtime was dropped.
    pub async fn wait(mut self) -> T {
        match (&mut self.task).await {
            Ok(output) => output,
            Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
            Err(_) => panic!("the fake runtime was dropped while its function ran"),
        }
    }

    /// Ends the function immediately and waits until it has ended.
    ///
    /// Events that it had not replied to are [`Exited`](super::Outcome::Exited). Tasks that it
    /// spawned continue: under `run_concurrent`, handlers that have started still finish.
    pub async fn stop(mut self) {
        self.environment.stop();
        // How it ended no longer matters.
        let _ = (&mut self.task).await;
    }
}

impl<T> Drop for FunctionTask<T> {
    fn drop(&mut self) {
        self.environment.stop();
    }
}

impl<T> fmt::Debug for FunctionTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionTask").field("ended", &self.task.is_finished()).finish()
    }
}

struct CloseOnDrop(Arc<Environment>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close("Runtime exited without providing a reason");
    }
}

/// A function that sees the variables of its environment until it requests its first event.
///
/// The runtime reads them when it is made. A process has only one environment, so it is changed
/// for the length of a poll, and `temp_env` lets one thread at a time do that.
struct InEnvironment<F> {
    function: Pin<Box<F>>,
    variables: Variables,
    environment: Arc<Environment>,
}

impl<F: Future> Future for InEnvironment<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Self { function, variables, environment } = &mut *self;
        if environment.is_initialised() {
            return function.as_mut().poll(cx);
        }
        temp_env::with_vars(&*variables, || function.as_mut().poll(cx))
    }
}
