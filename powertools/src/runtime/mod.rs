//! Runs a handler with the toolkit's standard stack.
//!
//! ```no_run
//! use lambda_runtime::{Error, LambdaEvent};
//! use powertools::Powertools;
//!
//! async fn handle(event: LambdaEvent<String>) -> Result<usize, Error> {
//!     Ok(event.payload.len())
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     Powertools::new(handle).run().await
//! }
//! ```

use std::fmt;
use std::future::Future;
use std::panic::catch_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use futures_util::future::{Either, select};
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::{
    BoxFuture, Error, IntoFunctionResponse, LambdaEvent, Runtime, SnapStartResource,
};
use serde::{Deserialize, Serialize};
use tower::util::{ServiceFn, service_fn};
use tower::{Layer, Service, ServiceExt};

use crate::InvocationLayer;
use crate::environment::{Environment, FUNCTION_NAME, FUNCTION_VERSION, MEMORY_SIZE, RUNTIME_API};
use crate::error::Reported;
use crate::process::count_restore;

mod body;
mod errors;
mod observer;
mod stack_deadline;

#[cfg(feature = "deadline")]
mod deadline;
#[cfg(feature = "idempotency")]
mod idempotency;
#[cfg(feature = "logging")]
mod logging;
#[cfg(not(feature = "init"))]
mod without_init;

#[cfg(feature = "init")]
use crate::init::stack::Lifecycle;

#[cfg(not(feature = "init"))]
use self::without_init::Lifecycle;

use self::errors::{Failure, MapErrors};
use self::observer::{Observer, SeeEvents};
use self::stack_deadline::StackDeadline;

/// A handler with the toolkit around it, ready to [`run`](Self::run).
///
/// Each event gets its [`Invocation`](crate::Invocation), and each error of the handler reaches
/// Lambda under a fixed name: those of this toolkit (`Powertools.…`) also where a handler returns
/// them in a `lambda_runtime::Error` or an `anyhow::Error`, other boxed errors as `HandlerError`, and
/// a panic as `Powertools.Panic`. The message of a boxed error is followed by those of its causes. An
/// error type of your own that converts into `Diagnostic` is reported as it says.
///
/// The name is that of the first error with a name among the boxed one and its causes.
/// [`#[derive(LambdaError)]`](macro@crate::LambdaError) gives names to errors of your own, and the
/// conversion into `Diagnostic` with them; [`error`](crate::error) says which are found
/// where.
///
/// A handler's own error type needs that conversion: `Powertools` and `lambda_runtime` ask for it.
///
/// With the feature `deadline` the handler is stopped 500 ms before the Lambda timeout, with an error
/// that says so, and idempotent work in it gives its claim back.
///
/// How many events are handled at once is up to the environment: one after the other in a standard
/// function, many on Lambda Managed Instances (`AWS_LAMBDA_MAX_CONCURRENCY`).
#[derive(Clone, Debug)]
#[must_use = "a function does nothing until it runs"]
pub struct Powertools<S> {
    handler: S,
    deadline: StackDeadline,
    pub(crate) lifecycle: Lifecycle,
    observer: Option<Arc<dyn Observer>>,
}

impl Powertools<()> {
    /// Takes a handler: an async function from `LambdaEvent<T>` to a `Result`.
    pub fn new<F>(handler: F) -> Powertools<ServiceFn<F>> {
        Self::service(service_fn(handler))
    }

    /// Takes a handler that is a `tower::Service` of `LambdaEvent<T>`, such as one with layers.
    pub fn service<S>(handler: S) -> Powertools<S> {
        Powertools {
            handler,
            deadline: StackDeadline::default(),
            lifecycle: Lifecycle::default(),
            observer: None,
        }
    }
}

impl<S> Powertools<S> {
    /// Puts a layer around the handler. The one that is added last is the outermost.
    pub fn layer<L: Layer<S>>(self, layer: L) -> Powertools<L::Service> {
        let Self { handler, deadline, lifecycle, observer } = self;
        Powertools { handler: layer.layer(handler), deadline, lifecycle, observer }
    }

    /// Runs the handler for each event, until the process is stopped.
    ///
    /// # Errors
    ///
    /// Returns [`StartError`] outside Lambda, where there are no events to be had; the error of a
    /// required warm-up or of a hook around a snapshot; and the error of the runtime when the Lambda
    /// service cannot be reached any more. The handler's errors are reported to Lambda and do not end
    /// the loop.
    pub fn run<T, R, B, St, D, E>(self) -> BoxFuture<'static, Result<(), Error>>
    where
        S: Service<LambdaEvent<T>, Response = R> + Clone + Send + 'static,
        S::Future: Future<Output = Result<R, S::Error>> + Send + 'static,
        S::Error: Reported + fmt::Debug + 'static,
        T: for<'de> Deserialize<'de> + Send + 'static,
        R: IntoFunctionResponse<B, St> + Send + 'static,
        B: Serialize + Send + 'static,
        St: Stream<Item = Result<D, E>> + Unpin + Send + 'static,
        D: Into<bytes::Bytes> + Send + 'static,
        E: Into<Error> + Send + fmt::Debug + 'static,
    {
        // In a box without the types of the handler, or the compiler would report three times what
        // one of them lacks.
        Box::pin(async move {
            check_environment()?;
            if let Some(observer) = &self.observer {
                observer.start()?;
            }
            self.lifecycle.start().await?;
            // The guard is inside the mapping of errors, where its own error is seen like any other, and
            // asks nothing of the handler's error type.
            let handler = self.handler.map_err(Failure::Handler as fn(S::Error) -> _);
            // A body goes on after its handler has returned.
            let deadline = self.deadline.clone();
            let handler = self
                .deadline
                .into_layer()
                .layer(handler)
                .map_response(move |response: R| deadline.bound(response.into_response()));
            let running = self.lifecycle.layer();
            let (resource, failure) = self.lifecycle.into_resource();
            let events = Runtime::new(MapErrors::new(handler, self.observer.clone()))
                .layer(TracingLayer::new())
                .layer(SeeEvents(self.observer))
                .layer(InvocationLayer::new())
                .layer(running)
                .register_snapstart_resource(Arc::new(CountRestores))
                .register_snapstart_resource(Arc::new(resource))
                .run_concurrent();
            match select(pin!(events), pin!(failure)).await {
                Either::Left((ended, _)) => ended,
                Either::Right((error, _)) => Err(error),
            }
        })
    }
}

/// Why a function cannot start.
///
/// `main` prints an error with `Debug`, so that shows the sentence too.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct StartError(#[from] NotStarted);

crate::error::own::without_name!(StartError);

#[derive(Debug, thiserror::Error)]
enum NotStarted {
    #[error(
        "this is a Lambda function and {0} is not set: start it with `cargo lambda watch` and send \
         it events with `cargo lambda invoke`"
    )]
    Variable(&'static str),
    #[error(
        "the tokio runtime has no timer, which every limit on time needs: build it with \
         `enable_all`, or use `#[tokio::main]`"
    )]
    Timer,
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The runtime panics where one of these is missing, so look first.
fn check_environment() -> Result<(), StartError> {
    let environment = Environment::process();
    let needed = [RUNTIME_API, FUNCTION_NAME, MEMORY_SIZE, FUNCTION_VERSION];
    let is_missing = |variable: &&str| match environment.get(variable) {
        None => true,
        Some(value) => *variable == MEMORY_SIZE && value.parse::<i32>().is_err(),
    };
    match needed.into_iter().find(is_missing) {
        Some(variable) => Err(NotStarted::Variable(variable).into()),
        None if !has_timer() => Err(NotStarted::Timer.into()),
        None => Ok(()),
    }
}

/// Without one, whatever waits for a time panics, and tokio has no other way to ask.
fn has_timer() -> bool {
    catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_ok()
}

/// Registered before everything else, so that whatever runs after a restore knows of it.
struct CountRestores;

impl SnapStartResource for CountRestores {
    fn after_restore(&self) -> BoxFuture<'_, Result<(), Error>> {
        count_restore();
        Box::pin(std::future::ready(Ok(())))
    }
}
