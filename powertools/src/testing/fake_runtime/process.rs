use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::background::background;
use super::state::Environment;
use super::task::Variables;

/// A function that runs as a process of its own. Created by [`FakeRuntime::spawn`].
///
/// It is killed when this is dropped.
///
/// [`FakeRuntime::spawn`]: super::FakeRuntime::spawn
#[must_use = "the function is killed when this is dropped"]
pub struct FunctionProcess {
    child: SharedChild,
    stdout: Lines,
    stderr: Lines,
    exit: watch::Receiver<Option<ExitStatus>>,
    environment: Arc<Environment>,
}

type Lines = watch::Receiver<Vec<String>>;

/// How long after the end of a process its output may still come. A process of its own that it
/// left behind can hold it open for ever.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// How long a function may take to end after the signal.
const GRACE: Duration = Duration::from_secs(2);

impl FunctionProcess {
    pub(super) fn spawn(
        mut command: Command,
        environment: Arc<Environment>,
        variables: Variables,
    ) -> io::Result<Self> {
        for (name, value) in variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());

        let runtime = background();
        let _runtime = runtime.enter();
        // Under the lock, so that it does not inherit what a function in this process is shown.
        let mut child = temp_env::with_vars([("", None::<&str>); 0], || command.spawn())
            .inspect_err(|error| environment.close(&format!("cannot be started: {error}")))?;
        let (stdout, read_stdout) = collect(child.stdout.take().expect("it is piped"));
        let (stderr, read_stderr) = collect(child.stderr.take().expect("it is piped"));
        let child = SharedChild(Arc::new(Mutex::new(child)));

        let stop = child.clone();
        environment.stop_with(move || stop.kill());

        let (exited, exit) = watch::channel(None);
        let (waited_for, closing) = (child.clone(), environment.clone());
        runtime.spawn(async move {
            let status = waited_for.wait().await;
            let output = async {
                let _ = read_stdout.await;
                let _ = read_stderr.await;
            };
            let _ = tokio::time::timeout(LAST_OUTPUT, output).await;
            closing.close(&reason(status));
            exited.send_replace(Some(status));
        });
        Ok(Self { child, stdout, stderr, exit, environment })
    }

    /// Kills the function immediately, as Lambda does, and waits until it has ended.
    ///
    /// Events that it had not replied to are then [`Exited`](super::Outcome::Exited).
    ///
    /// To kill it at a chosen moment, wait for that first: for a line that it writes, an event
    /// that is [delivered](super::Pending::delivered), or whatever a test can see.
    pub async fn kill(&self) -> ExitStatus {
        self.environment.stop();
        self.wait().await
    }

    /// Ends the function as Lambda ends an environment that it no longer needs, and waits until it
    /// has ended.
    ///
    /// A function with an extension receives SIGTERM, and is killed if it still runs after 2
    /// seconds. Lambda waits for less than one; a busy machine needs more. Any other
    /// function is killed at once.
    pub async fn shut_down(&self) -> ExitStatus {
        if !self.environment.has_extension() || !self.child.terminate() {
            return self.kill().await;
        }
        let exit = self.exit.clone();
        let ended = async move { tokio::time::timeout(GRACE, wait(exit)).await };
        // There, since time may be paused here.
        match background().spawn(ended).await {
            Ok(Ok(status)) => status,
            _ => self.kill().await,
        }
    }

    /// Waits until the function has ended.
    ///
    /// # Panics
    ///
    /// Panics if the thread that serves the fake runtime did.
    pub async fn wait(&self) -> ExitStatus {
        wait(self.exit.clone()).await
    }

    /// Returns the process id. `None` once it has ended.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.lock().id()
    }

    /// Returns the lines that the function has written to its standard output so far.
    #[must_use]
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.borrow().clone()
    }

    /// Returns the lines that the function has written to its standard error so far.
    #[must_use]
    pub fn stderr(&self) -> Vec<String> {
        self.stderr.borrow().clone()
    }

    /// Waits for the first line on the standard output that has `part` in it. `None` if the
    /// function ends without one.
    pub async fn stdout_line(&self, part: &str) -> Option<String> {
        first_line(self.stdout.clone(), part).await
    }

    /// Waits for the first line on the standard error that has `part` in it. `None` if the
    /// function ends without one.
    pub async fn stderr_line(&self, part: &str) -> Option<String> {
        first_line(self.stderr.clone(), part).await
    }
}

async fn wait(mut exit: watch::Receiver<Option<ExitStatus>>) -> ExitStatus {
    let status = *exit.wait_for(Option::is_some).await.expect("the process is being waited for");
    status.expect("the wait was for this")
}

impl Drop for FunctionProcess {
    fn drop(&mut self) {
        self.environment.stop();
    }
}

impl fmt::Debug for FunctionProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionProcess")
            .field("exit", &*self.exit.borrow())
            .field("stdout", &*self.stdout.borrow())
            .field("stderr", &*self.stderr.borrow())
            .finish()
    }
}

/// A process that one task waits for and others can kill.
#[derive(Clone)]
struct SharedChild(Arc<Mutex<Child>>);

impl SharedChild {
    fn lock(&self) -> MutexGuard<'_, Child> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kill(&self) {
        // An error means that it has ended already.
        let _ = self.lock().start_kill();
    }

    /// Sends SIGTERM. Returns false if it cannot be sent.
    #[cfg(unix)]
    fn terminate(&self) -> bool {
        use rustix::process::{Pid, Signal, kill_process};

        // Under the lock, so that the number is not that of another process by now.
        let child = self.lock();
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        id.is_some_and(|id| kill_process(id, Signal::TERM).is_ok())
    }

    #[cfg(not(unix))]
    fn terminate(&self) -> bool {
        false
    }

    async fn wait(&self) -> ExitStatus {
        // Locked for each poll only, so that it can be killed between two.
        let status = poll_fn(|cx| pin!(self.lock().wait()).poll(cx)).await;
        status.expect("the process was started and nobody else waits for it")
    }
}

/// Reads lines as they come. The channel ends with the stream.
fn collect(stream: impl AsyncRead + Send + Unpin + 'static) -> (Lines, JoinHandle<()>) {
    let (sender, lines) = watch::channel(Vec::new());
    let read = tokio::spawn(async move {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while let Ok(1..) = stream.read_until(b'\n', &mut line).await {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']).to_owned();
            sender.send_modify(|lines| lines.push(text));
            line.clear();
        }
    });
    (lines, read)
}

async fn first_line(mut lines: Lines, part: &str) -> Option<String> {
    let has_part = |line: &&String| line.contains(part);
    let lines = lines.wait_for(|lines| lines.iter().any(|line| has_part(&line))).await.ok()?;
    lines.iter().find(has_part).cloned()
}

/// Returns the message of Lambda for a process that ended with this status.
fn reason(status: ExitStatus) -> String {
    if status.success() {
        return "Runtime exited without providing a reason".to_owned();
    }
    format!("Runtime exited with error: {status}")
}
