use std::future::Future;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use lambda_runtime::Diagnostic;
use tokio::process::Command;
use tokio::task::AbortHandle;

use self::state::{Environment, Extensions, Shared};
use self::task::Variables;
use super::identifiers;

mod background;
mod event;
mod invoke_api;
mod outcome;
mod process;
mod server;
mod state;
mod task;

#[cfg(test)]
mod tests;

pub use event::Event;
pub use outcome::{Outcome, Pending, Response};
pub use process::FunctionProcess;
pub use task::FunctionTask;

/// A fake of the Lambda service, for a function under test.
///
/// It serves the Lambda Runtime API on loopback to functions that run on the real `lambda_runtime`,
/// sends them the events that [`invoke`](Self::invoke) and [`send`](Self::send) queue, and reports
/// the outcome of each. It uses real time, even if a test has paused tokio's.
///
/// What the function reads from its environment is set here:
///
/// ```
/// use std::time::Duration;
/// use powertools::testing::FakeRuntime;
///
/// let lambda = FakeRuntime::new()
///     .function_name("orders")
///     .memory_mb(512)
///     .timeout(Duration::from_secs(10))
///     .env("TABLE", "orders-test");
/// ```
///
/// # SnapStart and extensions
///
/// With `AWS_LAMBDA_INITIALIZATION_TYPE` set to `snap-start` the function asks to be restored from
/// a snapshot; as in Lambda, that happens when there is an event for it. A function can register an
/// extension, and is then told before [`shut_down`](FunctionProcess::shut_down) ends it.
///
/// # Many functions
///
/// Each function has a port of its own and they share the queue: an event goes to whichever asks
/// first, as it would go to one of several execution environments. When a function ends, what it
/// had not answered is [`Exited`](Outcome::Exited), and when the last one ends, so is what still
/// waited; the test then decides what is sent again. Fakes do not know of each other: a process
/// can have any number.
#[derive(Debug)]
#[must_use = "a fake does nothing until a function runs"]
pub struct FakeRuntime {
    shared: Arc<Shared>,
    environments: Mutex<Vec<Weak<Environment>>>,
    function_name: String,
    function_version: String,
    memory_mb: i32,
    timeout: Duration,
    concurrency: u32,
    refuses_extensions: bool,
    variables: Vec<(String, String)>,
    /// What serves the Invoke API.
    servers: Mutex<Vec<AbortHandle>>,
}

impl Default for FakeRuntime {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeRuntime {
    /// Creates a service for a function named `test-function` with 128 MB and a timeout of 30
    /// seconds, which takes one event at a time.
    pub fn new() -> Self {
        Self {
            shared: Arc::default(),
            environments: Mutex::default(),
            function_name: identifiers::FUNCTION_NAME.to_owned(),
            function_version: identifiers::FUNCTION_VERSION.to_owned(),
            memory_mb: identifiers::MEMORY_MB,
            timeout: Duration::from_secs(30),
            concurrency: 1,
            refuses_extensions: false,
            variables: Vec::new(),
            servers: Mutex::default(),
        }
    }

    /// Sets the name of the function.
    pub fn function_name(mut self, name: impl Into<String>) -> Self {
        self.function_name = name.into();
        self
    }

    /// Sets the version of the function.
    pub fn function_version(mut self, version: impl Into<String>) -> Self {
        self.function_version = version.into();
        self
    }

    /// Sets the memory of the function, in MB.
    pub fn memory_mb(mut self, memory: i32) -> Self {
        self.memory_mb = memory;
        self
    }

    /// Sets the timeout of the function for events that do not set one.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how many events one function takes at a time, as on Lambda Managed Instances: sets
    /// `AWS_LAMBDA_MAX_CONCURRENCY` when there is more than one, which `run_concurrent` reads.
    pub fn concurrency(mut self, events: u32) -> Self {
        self.concurrency = events;
        self
    }

    /// Refuses to register extensions, as Lambda does when a function has ten of them.
    pub fn refuse_extensions(mut self) -> Self {
        self.refuses_extensions = true;
        self
    }

    /// Sets one more variable in the environment of the function, or another value for one that
    /// Lambda sets.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Runs a function in this process, as a task of the current tokio runtime.
    ///
    /// `function` is what `main` would await: it makes the runtime and runs it. The function sees
    /// the variables of its environment while it is polled, until it requests its first event;
    /// they are the whole process's for as long as one poll takes, under the lock of the crate
    /// `temp-env`. Tests that set variables themselves should go through `temp-env` too.
    ///
    /// An event that the function does not answer in time is [`TimedOut`](Outcome::TimedOut), but
    /// the function continues. To end it as Lambda does, drop the task, or use
    /// [`spawn`](Self::spawn).
    ///
    /// A function with shutdown hooks needs a process of its own: they are called on a signal to
    /// the process, and end it.
    ///
    /// If the compiler reports that an implementation of `From` or `Service` "is not general
    /// enough", make the handler a function instead of a closure.
    ///
    /// ```
    /// use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
    /// use powertools::testing::FakeRuntime;
    /// use powertools::invocation::InvocationLayer;
    /// use powertools::Invocation;
    /// use serde_json::{Value, json};
    ///
    /// async fn handle(_: LambdaEvent<Value>) -> Result<String, Error> {
    ///     Ok(Invocation::current().expect("set by the layer").function_name().to_owned())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let lambda = FakeRuntime::new().function_name("orders").concurrency(4);
    /// let _function = lambda.run(async {
    ///     Runtime::new(service_fn(handle)).layer(InvocationLayer::new()).run_concurrent().await
    /// });
    /// assert_eq!(lambda.invoke(json!({})).await.json::<String>(), "orders");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime, or if no port on loopback is free.
    pub fn run<F>(&self, function: F) -> FunctionTask<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let (environment, variables) = self.environment(false);
        FunctionTask::spawn(function, environment, variables)
    }

    /// Starts a function as a process of its own: a binary as it would be deployed.
    ///
    /// Its environment has the variables that Lambda sets, what it writes is collected, and it is
    /// killed when an event's deadline passes, as Lambda does; not when it takes more than one
    /// event at a [time](Self::concurrency), since Lambda then does not.
    ///
    /// In a test of the package that contains the binary, Cargo sets its path:
    ///
    /// ```no_run
    /// use powertools::testing::{Event, FakeRuntime, Outcome};
    /// use serde_json::json;
    /// use tokio::process::Command;
    ///
    /// # async fn test() -> std::io::Result<()> {
    /// # macro_rules! env { ($_:literal) => { "orders" } }
    /// let order = Event::new(json!({ "order": 7 }));
    /// let lambda = FakeRuntime::new();
    ///
    /// let first = lambda.spawn(Command::new(env!("CARGO_BIN_EXE_orders")))?;
    /// let cut = lambda.send(order.clone());
    /// first.stdout_line("charging the card").await.expect("the line was written");
    /// first.kill().await;
    /// assert!(matches!(cut.outcome().await, Outcome::Exited(_)));
    ///
    /// let _second = lambda.spawn(Command::new(env!("CARGO_BIN_EXE_orders")))?;
    /// assert!(lambda.invoke(order).await.response().is_some());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system if it cannot start the process.
    ///
    /// # Panics
    ///
    /// Panics if no port on loopback is free.
    pub fn spawn(&self, command: impl Into<Command>) -> io::Result<FunctionProcess> {
        let (environment, variables) = self.environment(self.concurrency <= 1);
        FunctionProcess::spawn(command.into(), environment, variables)
    }

    /// Queues an event for the function.
    ///
    /// # Panics
    ///
    /// Panics if something in the event cannot be sent in a header, such as a line break.
    pub fn send(&self, event: impl Into<Event>) -> Pending {
        let event = event.into();
        let request_id = event.request_id.clone();
        let headers = event.headers(&self.function_name);
        Pending { request_id, progress: self.shared.send(event, headers) }
    }

    /// Queues an event and waits for its outcome.
    ///
    /// # Panics
    ///
    /// Panics for the reasons of [`send`](Self::send).
    pub async fn invoke(&self, event: impl Into<Event>) -> Outcome {
        self.send(event).outcome().await
    }

    /// Serves the Invoke API of Lambda on loopback, for callers other than the test: a client of the SDK
    /// with this URL as its endpoint, or the runner of AWS's testing library for durable functions.
    /// Returns the URL.
    ///
    /// It knows this function only, by its name or ARN, and the invocation types `RequestResponse` and
    /// `Event`. It ends when this fake is dropped.
    ///
    /// # Panics
    ///
    /// Panics if no port on loopback is free.
    #[must_use]
    pub fn invoke_api(&self) -> String {
        let (name, shared) = (self.function_name.clone(), self.shared.clone());
        let served = invoke_api::serve(invoke_api::Function { name, shared });
        let (address, server) = served.expect("a port on loopback can be had");
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).push(server);
        format!("http://{address}")
    }

    /// Returns the errors that functions reported from their initialisation.
    #[must_use]
    pub fn init_errors(&self) -> Vec<Diagnostic> {
        self.shared.init_errors()
    }

    /// Returns the errors that functions reported from their restore.
    #[must_use]
    pub fn restore_errors(&self) -> Vec<Diagnostic> {
        self.shared.restore_errors()
    }

    /// Creates an environment, serves it, and returns the variables to set in it.
    fn environment(&self, killed_at_deadline: bool) -> (Arc<Environment>, Variables) {
        let extensions = Extensions {
            function_name: self.function_name.clone(),
            are_refused: self.refuses_extensions,
            has_one: AtomicBool::new(false),
        };
        let environment = Arc::new(Environment::new(
            self.shared.clone(),
            self.timeout,
            killed_at_deadline,
            extensions,
        ));
        let address = server::serve(environment.clone()).expect("a port on loopback can be had");

        let mut environments = self.environments.lock().unwrap_or_else(PoisonError::into_inner);
        environments.push(Arc::downgrade(&environment));

        let set = [
            ("AWS_LAMBDA_RUNTIME_API", address.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", self.function_name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", self.function_version.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", self.memory_mb.to_string()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", identifiers::log_group(&self.function_name)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", identifiers::LOG_STREAM.to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ];
        let concurrency = (self.concurrency > 1).then(|| self.concurrency.to_string());
        let variables = set
            .map(|(name, value)| (name.to_owned(), Some(value)))
            .into_iter()
            .chain([("AWS_LAMBDA_MAX_CONCURRENCY".to_owned(), concurrency)])
            .chain(self.variables.iter().map(|(name, value)| (name.clone(), Some(value.clone()))))
            .collect();
        (environment, variables)
    }
}

impl Drop for FakeRuntime {
    fn drop(&mut self) {
        let environments = self.environments.get_mut().unwrap_or_else(PoisonError::into_inner);
        for environment in environments.iter().filter_map(Weak::upgrade) {
            environment.stop();
        }
        self.shared.give_up("the fake runtime was dropped");
        for server in self.servers.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            server.abort();
        }
    }
}
