//! The shutdown of the environment.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use lambda_runtime_api_client::PooledClient;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::extension::Extension;
use super::lifecycle::List;
use super::running::Running;
use crate::error::causes::with_causes;

/// How long the start waits for the registration of the extension.
const REGISTRATION: Duration = Duration::from_secs(1);

/// The folder with a function's external extensions.
const EXTENSIONS: &str = "/opt/extensions";

/// The work before the process exits.
pub(super) struct Shutdown {
    list: List,
    running: Running,
    times: Times,
}

/// The limits between the signal and the end of the process, counted from the signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Times {
    /// How long shutdown waits for running invocations.
    wait: Duration,
    /// When the last value of the lifecycle is stopped.
    end: Duration,
}

impl Times {
    /// Lambda kills the process 500 ms after the signal.
    const ALONE: Self = Self { wait: Duration::from_millis(300), end: Duration::from_millis(450) };

    /// With external extensions it does so after 300 ms.
    const WITH_EXTENSIONS: Self =
        Self { wait: Duration::from_millis(150), end: Duration::from_millis(260) };

    fn of(extensions: &Path) -> Self {
        let any = std::fs::read_dir(extensions).is_ok_and(|mut entries| entries.next().is_some());
        if any { Self::WITH_EXTENSIONS } else { Self::ALONE }
    }
}

impl Shutdown {
    pub(super) fn new(list: List, running: Running) -> Self {
        Self { list, running, times: Times::of(Path::new(EXTENSIONS)) }
    }

    /// Registers the extension, and calls the values when SIGTERM arrives, which Lambda sends only
    /// if an extension is registered.
    pub(super) async fn listen(self) {
        let client = PooledClient::builder().build();
        let (listening, listens) = oneshot::channel::<()>();
        // In a task of its own: once Lambda has accepted an extension it waits for it, so a slow
        // registration must not be cancelled.
        tokio::spawn(async move {
            let extension = match Extension::register(client).await {
                Ok(extension) => extension,
                Err(error) => {
                    let error = with_causes(&*error);
                    tracing::warn!(
                        error,
                        "shutdown hooks will not run: Lambda rejected the extension"
                    );
                    return;
                }
            };
            let run = async {
                drop(listening);
                extension.run().await;
            };
            // In this order, so that the process already handles the signal when the first one can
            // arrive.
            tokio::join!(biased; self.end(), run);
        });
        if timeout(REGISTRATION, listens).await.is_err() {
            tracing::warn!(
                "an extension is not registered yet: until it is, no shutdown hook will run"
            );
        }
    }

    /// Ends the process after a signal.
    async fn end(self) {
        if let Err(error) = signal().await {
            let error = with_causes(&error);
            tracing::warn!(error, "shutdown hooks will not run: SIGTERM cannot be handled");
            return;
        }
        self.run().await;
        std::process::exit(0);
    }

    /// Waits for running invocations, then calls the values, then flushes the output.
    async fn run(&self) {
        let Times { wait, end } = self.times;
        let end = Instant::now() + end;
        if !self.running.finished(wait).await {
            tracing::warn!("the function shuts down during an invocation");
        }
        self.list.shutdown(end).await;
        // Also the lines of invocations that still run.
        #[cfg(feature = "logging")]
        crate::logging::start::flush();
        // An error can no longer be reported.
        let _ = std::io::stdout().flush();
        let _ = std::io::stderr().flush();
    }
}

/// Waits for SIGTERM from the first poll on.
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
    use std::sync::{Arc, Mutex};

    use futures_util::FutureExt;
    use futures_util::future::{BoxFuture, ready};

    use super::super::lifecycle::{Lifecycle, Moments, ShuttingDown};
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    /// Records when the process ends, and the remaining time at that moment.
    #[derive(Clone)]
    struct Log(Arc<Mutex<Vec<(Duration, Duration)>>>, Instant);

    impl Lifecycle for Log {
        fn moments(&self) -> Moments {
            Moments::SHUTDOWN
        }

        fn shutdown<'a>(&'a self, shutting_down: &'a ShuttingDown) -> BoxFuture<'a, ()> {
            self.0.lock().unwrap().push((self.1.elapsed(), shutting_down.time));
            ready(()).boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn shutdown_waits_for_running_invocations_up_to_a_limit() {
        for (times, takes, waited, left) in [
            (Times::ALONE, 100, 100, 350),
            (Times::ALONE, 9000, 300, 150),
            (Times::WITH_EXTENSIONS, 9000, 150, 110),
        ] {
            let (mut list, running) = (List::default(), Running::default());
            let log = Log(Arc::default(), Instant::now());
            list.push(log.clone());
            let invocation = running.begin();
            tokio::spawn(async move {
                tokio::time::sleep(takes * MILLI).await;
                drop(invocation);
            });
            Shutdown { list, running, times }.run().await;
            assert_eq!(*log.0.lock().unwrap(), [(waited * MILLI, left * MILLI)]);
        }
    }

    #[test]
    fn external_extensions_shorten_the_shutdown() {
        let empty = std::env::temp_dir().join(format!("no-extensions-{}", std::process::id()));
        assert_eq!(Times::of(&empty), Times::ALONE);
        std::fs::create_dir_all(&empty).unwrap();
        assert_eq!(Times::of(&empty), Times::ALONE);
        std::fs::write(empty.join("agent"), "").unwrap();
        let times = Times::of(&empty);
        std::fs::remove_dir_all(&empty).unwrap();
        assert_eq!(times, Times::WITH_EXTENSIONS);
        assert!(times.end < Duration::from_millis(300), "Lambda allows 300 ms in all");
    }
}
