//! The end of the environment.

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

/// How long the start waits for the registration with Lambda.
const REGISTRATION: Duration = Duration::from_secs(1);

/// Where Lambda finds the extensions of a function that are processes of their own.
const EXTENSIONS: &str = "/opt/extensions";

/// What is done before the process ends.
pub(super) struct Shutdown {
    list: List,
    running: Running,
    times: Times,
}

/// How the time between the signal and the end of the process is spent, counted from the signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Times {
    /// How long running invocations are waited for.
    wait: Duration,
    /// When the last value of the lifecycle is given up.
    end: Duration,
}

impl Times {
    /// Lambda kills the process 500 ms after the signal.
    const ALONE: Self = Self { wait: Duration::from_millis(300), end: Duration::from_millis(450) };

    /// Beside extensions of other processes it does so after 300 ms.
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

    /// Sees to it that the values are called when the process is told to end: by SIGTERM, which Lambda
    /// sends only where an extension is registered.
    pub(super) async fn listen(self) {
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
            tokio::join!(biased; self.end(), run);
        });
        if timeout(REGISTRATION, listens).await.is_err() {
            tracing::warn!(
                "an extension is not registered yet: until it is, no shutdown hook will run"
            );
        }
    }

    /// Ends the process on a signal.
    async fn end(self) {
        if let Err(error) = signal().await {
            let error = with_causes(&error);
            tracing::warn!(error, "shutdown hooks will not run: the signal cannot be seen");
            return;
        }
        self.run().await;
        std::process::exit(0);
    }

    /// Waits for what is running, then calls the values, then writes what is buffered.
    async fn run(&self) {
        let Times { wait, end } = self.times;
        let end = Instant::now() + end;
        if !self.running.finished(wait).await {
            tracing::warn!("the function shuts down in the middle of an invocation");
        }
        self.list.shutdown(end).await;
        // There is nobody left to tell of an error.
        let _ = std::io::stdout().flush();
        let _ = std::io::stderr().flush();
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
    use std::sync::{Arc, Mutex};

    use futures_util::FutureExt;
    use futures_util::future::{BoxFuture, ready};

    use super::super::lifecycle::{Lifecycle, Moments, ShuttingDown};
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    /// Writes down when the process ends, and how much time is left then.
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
    async fn running_invocations_are_waited_for_but_not_for_ever() {
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
    fn extensions_of_other_processes_leave_less_time() {
        let empty = std::env::temp_dir().join(format!("no-extensions-{}", std::process::id()));
        assert_eq!(Times::of(&empty), Times::ALONE);
        std::fs::create_dir_all(&empty).unwrap();
        assert_eq!(Times::of(&empty), Times::ALONE);
        std::fs::write(empty.join("agent"), "").unwrap();
        let times = Times::of(&empty);
        std::fs::remove_dir_all(&empty).unwrap();
        assert_eq!(times, Times::WITH_EXTENSIONS);
        assert!(times.end < Duration::from_millis(300), "Lambda gives 300 ms in all");
    }
}
