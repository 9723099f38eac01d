use std::fmt;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lambda_runtime_api_client::PooledClient;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use super::extension::Extension;
use super::running::Running;
use crate::error::causes::{panic_message, with_causes};

/// How long running invocations are waited for.
const WAIT: Duration = Duration::from_millis(300);

/// When the last hook is given up, after the signal: Lambda kills the process at 500 ms.
const END: Duration = Duration::from_millis(450);

/// How long the start waits for the registration with Lambda.
const REGISTRATION: Duration = Duration::from_secs(1);

type Hook = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// What is done before the process ends. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Shutdown(Arc<Mutex<Vec<(String, Hook)>>>);

impl Shutdown {
    pub(super) fn add<F, Fut>(&self, name: String, hook: F)
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let hook: Hook = Box::new(|| hook().boxed());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((name, hook));
    }

    fn take(&self) -> Vec<(String, Hook)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sees to it that the hooks run when the process is told to end: by SIGTERM, which Lambda sends
    /// only where an extension is registered.
    pub(super) fn listen(self, running: Running) -> BoxFuture<'static, ()> {
        let client = PooledClient::builder().build();
        let (listening, listens) = oneshot::channel::<()>();
        // In a task of its own: once Lambda has taken an extension it waits for it, so a registration
        // that takes long must not be given up.
        tokio::spawn(async move {
            let extension = match Extension::register(client).await {
                Ok(extension) => extension,
                Err(error) => {
                    let error = with_causes(&*error);
                    tracing::warn!(
                        error,
                        "shutdown hooks will not run: Lambda refuses an extension"
                    );
                    return;
                }
            };
            let run = async {
                drop(listening);
                extension.run().await;
            };
            // In this order, so that no signal comes before somebody listens.
            tokio::join!(biased; self.end(running), run);
        });
        async {
            if timeout(REGISTRATION, listens).await.is_err() {
                tracing::warn!(
                    "an extension is not registered yet: until it is, no shutdown hook will run"
                );
            }
        }
        .boxed()
    }

    /// Ends the process on a signal.
    async fn end(self, running: Running) {
        if let Err(error) = signal().await {
            let error = with_causes(&error);
            tracing::warn!(error, "shutdown hooks will not run: the signal cannot be seen");
            return;
        }
        self.run(&running).await;
        std::process::exit(0);
    }

    /// Waits for what is running, then runs the hooks in order, then writes what is buffered.
    async fn run(&self, running: &Running) {
        let end = Instant::now() + END;
        if !running.finished(WAIT).await {
            tracing::warn!("the function shuts down in the middle of an invocation");
        }
        for (name, hook) in self.take() {
            if Instant::now() >= end {
                tracing::warn!(name, "there was no time left for a shutdown hook");
                continue;
            }
            let hook = AssertUnwindSafe(async { hook().await }).catch_unwind();
            match timeout_at(end, hook).await {
                Ok(Ok(())) => {}
                Ok(Err(panic)) => {
                    tracing::warn!(name, "a shutdown hook panicked: {}", panic_message(&*panic));
                }
                Err(_) => tracing::warn!(name, "there was no time left for a shutdown hook"),
            }
        }
        // There is nobody left to tell of an error.
        let _ = std::io::stdout().flush();
        let _ = std::io::stderr().flush();
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hooks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_list().entries(hooks.iter().map(|(name, _)| name)).finish()
    }
}

/// Waits for the signal to end, once this has been polled.
#[cfg(unix)]
async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn signal() -> std::io::Result<()> {
    Err(std::io::Error::other("this system has no SIGTERM"))
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    /// Hooks that write down when they ran, and what they wrote.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<(&'static str, Duration)>>>);

    impl Log {
        fn hook(&self, name: &'static str) -> impl FnOnce() -> BoxFuture<'static, ()> + use<> {
            let (log, start) = (self.clone(), Instant::now());
            move || {
                log.0.lock().unwrap().push((name, start.elapsed()));
                std::future::ready(()).boxed()
            }
        }

        fn names(&self) -> Vec<&'static str> {
            self.0.lock().unwrap().iter().map(|(name, _)| *name).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn hooks_run_in_order_and_a_panic_stops_none() {
        let (shutdown, log) = (Shutdown::default(), Log::default());
        shutdown.add("one".into(), log.hook("one"));
        shutdown.add("bad".into(), || async { panic!("in a hook") });
        shutdown.add("worse".into(), || -> BoxFuture<'static, ()> { panic!("before its future") });
        shutdown.add("two".into(), log.hook("two"));
        shutdown.run(&Running::default()).await;
        assert_eq!(log.names(), ["one", "two"]);
    }

    #[tokio::test(start_paused = true)]
    async fn running_invocations_are_waited_for_but_not_for_ever() {
        for (takes, waited) in [(100 * MILLI, 100 * MILLI), (9000 * MILLI, WAIT)] {
            let (shutdown, log, running) =
                (Shutdown::default(), Log::default(), Running::default());
            shutdown.add("hook".into(), log.hook("hook"));
            let invocation = running.begin();
            tokio::spawn(async move {
                tokio::time::sleep(takes).await;
                drop(invocation);
            });
            shutdown.run(&running).await;
            assert_eq!(*log.0.lock().unwrap(), [("hook", waited)]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_hook_that_hangs_leaves_time_to_flush() {
        let (shutdown, log, start) = (Shutdown::default(), Log::default(), Instant::now());
        shutdown.add("hangs".into(), pending);
        shutdown.add("late".into(), log.hook("late"));
        shutdown.run(&Running::default()).await;
        assert_eq!(start.elapsed(), END);
        assert_eq!(log.names(), [""; 0], "what begins now would not end");
    }
}
