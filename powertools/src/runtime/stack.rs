//! A function: its handler and the toolkit around it.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::{FutureExt, Stream};
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::{
    BoxFuture, Diagnostic, Error, FunctionResponse, IntoFunctionResponse, LambdaEvent, Runtime,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tower::util::{ServiceFn, service_fn};
use tower::{Layer, Service, ServiceExt};

use crate::error::Reported;
use crate::error::panic::caught;
use crate::process::{InitializationType, starting};

use super::answer::Answer;
use super::api::{self, ApiError};
use super::body::Body;
use super::events::AroundEvents;
use super::failure::Failure;
use super::handler::Handler;
use super::lifecycle::{Lifecycle, List, Moments};
use super::report::{Phase, report};
use super::running::Running;
use super::shutdown::Shutdown;
use super::snapshot::{AroundSnapshot, CountRestores};
use super::stack_deadline::StackDeadline;
use super::start;

/// Longer than any initialisation of Lambda, and short enough for clocks to tell its end.
const LONGEST_START: Duration = Duration::from_secs(24 * 60 * 60);

/// A handler with the toolkit around it, ready to [`run`](Self::run).
///
/// Each event has its [`Invocation`](crate::Invocation), and each error of the handler reaches
/// Lambda under a fixed name:
///
/// | error | name |
/// |---|---|
/// | of this toolkit, also in a box | `Powertools.…` |
/// | with [`#[derive(LambdaError)]`](macro@crate::LambdaError), also in a box | its own; [`error`](crate::error) has the details |
/// | another one in a `lambda_runtime::Error` or an `anyhow::Error`, or a string | `HandlerError` |
/// | of another type that converts into `Diagnostic` | that of the conversion |
/// | a panic | `Powertools.Panic` |
///
/// The message of a boxed error is followed by those of its causes. Its name is the first one
/// among the error and its causes. Both `Powertools` and `lambda_runtime` require that a handler's
/// error type converts into `Diagnostic`; the derive adds that conversion.
///
/// The handler is stopped 500 ms before the Lambda timeout. The error contains the remaining time,
/// and idempotent work releases its claim. An event that cannot be parsed is reported as
/// `Powertools.EventInvalid` with the path of the value, and a response that cannot be serialized as
/// `Powertools.ResponseInvalid`, or as `Powertools.ResponseTooLarge` if Lambda would reject it.
///
/// The environment decides how many events are handled concurrently: one in a standard function,
/// many on Lambda Managed Instances (`AWS_LAMBDA_MAX_CONCURRENCY`).
#[derive(Clone, Debug)]
#[must_use = "a function does nothing until it runs"]
pub struct Powertools<S> {
    pub(super) handler: S,
    pub(super) deadline: StackDeadline,
    pub(super) lifecycle: List,
    pub(super) time_to_start: Option<Duration>,
    /// How failures are answered, if they are not reported to Lambda.
    pub(super) answer: Option<Answer>,
}

impl Powertools<()> {
    /// Creates a function from a handler: an async function from `LambdaEvent<T>` to a `Result`.
    pub fn new<F>(handler: F) -> Powertools<ServiceFn<F>> {
        Self::service(service_fn(handler))
    }

    /// Creates a function from a handler that is a `tower::Service` of `LambdaEvent<T>`, such as one
    /// with layers.
    pub fn service<S>(handler: S) -> Powertools<S> {
        Powertools {
            handler,
            deadline: StackDeadline::default(),
            lifecycle: List::default(),
            time_to_start: None,
            answer: None,
        }
    }
}

impl<S> Powertools<S> {
    /// Adds a layer around the handler. The last one is the outermost.
    pub fn layer<L: Layer<S>>(self, layer: L) -> Powertools<L::Service> {
        let Self { handler, deadline, lifecycle, time_to_start, answer } = self;
        Powertools { handler: layer.layer(handler), deadline, lifecycle, time_to_start, answer }
    }

    /// Adds a value that is called at the moments of the [`lifecycle`](super::lifecycle).
    pub fn lifecycle(mut self, value: impl Lifecycle) -> Self {
        self.lifecycle.push(value);
        self
    }

    /// Sets the limit of everything before the first event, such as warm-ups.
    ///
    /// The default depends on the kind of initialisation: 5 seconds on demand, 60 seconds before a
    /// SnapStart snapshot, and 120 seconds under provisioned concurrency and on Lambda Managed
    /// Instances. On demand Lambda allows 10 seconds, and then repeats the initialisation inside
    /// the first invocation. It allows the others 130 seconds or more.
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.time_to_start = Some(timeout.min(LONGEST_START));
        self
    }

    /// Runs the handler for each event, until the process is stopped.
    ///
    /// # Errors
    ///
    /// Returns
    ///
    /// - [`StartError`](super::StartError) outside Lambda, where there are no events;
    /// - the error of a required warm-up, of a snapshot hook or of another
    ///   [`lifecycle`](super::lifecycle) value that cannot start, which is also reported to Lambda;
    /// - an error if the Runtime API of the Lambda service can no longer be reached, or answers with
    ///   an error where an event was expected.
    ///
    /// The handler's errors are reported to Lambda and do not end the loop.
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
        // Boxed without the types of the handler: otherwise the compiler reports each missing
        // bound three times.
        Box::pin(async move {
            start::check_environment()?;
            let list = self.lifecycle.clone();
            let time = self
                .time_to_start
                .unwrap_or_else(|| start::time_to_start(InitializationType::current()));
            if let Err(error) = starting(list.start(time)).await {
                report(Phase::Init, &error).await;
                return Err(error);
            }
            let running = list.wants(Moments::SHUTDOWN).then(Running::default);
            if let Some(running) = &running {
                Shutdown::new(list.clone(), running.clone()).listen().await;
            }

            let (handler, around) = self.services::<T, R, B, St, D, E>();
            let (snapshot, failure) = AroundSnapshot::new(list);
            let events = Runtime::new(handler)
                .layer(TracingLayer::new())
                .layer(AroundEvents { running, ..around })
                .register_snapstart_resource(Arc::new(CountRestores))
                .register_snapstart_resource(Arc::new(snapshot))
                .run_concurrent();
            let events = AssertUnwindSafe(events).catch_unwind();
            let (failure, lost) = (pin!(failure), pin!(api::lost()));
            match select(pin!(events), select(failure, lost)).await {
                Either::Left((Ok(ended), _)) => ended,
                Either::Left((Err(panic), _)) => Err(ApiError::LoopPanicked(caught(panic)).into()),
                Either::Right((Either::Left((error, _)), _)) => Err(error),
                Either::Right((Either::Right((lost, _)), _)) => Err(lost.into()),
            }
        })
    }

    /// Returns what the runtime calls for each event, and the layer around that.
    #[expect(clippy::type_complexity, reason = "the runtime infers its own types from all of it")]
    pub(crate) fn services<T, R, B, St, D, E>(
        self,
    ) -> (
        impl Service<
            LambdaEvent<()>,
            Response = FunctionResponse<Box<RawValue>, Body<St>>,
            Error = Diagnostic,
            Future: Send,
        > + Clone
        + Send
        + 'static,
        AroundEvents,
    )
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
        let Self { handler, deadline, lifecycle: list, answer, .. } = self;
        // In a box before anything is around it, since all that would move it.
        let handler = handler.map_future(Box::pin);
        // The guard is inside the mapping of errors, which names its error like any other, so the
        // handler's error type needs no conversion from it.
        let handler = handler.map_err(Failure::Handler as fn(S::Error) -> _);
        let handler = deadline.clone().into_layer().layer(handler);
        let handler =
            Handler::<_, T, B, St>::new(handler, deadline, list.clone()).answering(answer);
        (handler, AroundEvents { list, running: None })
    }
}
