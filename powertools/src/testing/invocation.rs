use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lambda_runtime::{Config, Context, LambdaEvent};

use super::identifiers;
use crate::clock::Clock;
use crate::invocation::Invocation;

/// Starts an invocation for a test, with something realistic in every field.
///
/// ```
/// use std::time::Duration;
/// use powertools::{Invocation, testing};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// testing::invocation()
///     .request_id("8476a536")
///     .remaining(Duration::from_secs(3))
///     .build()
///     .scope(async {
///         let invocation = Invocation::current().expect("set by scope");
///         assert_eq!(invocation.request_id(), "8476a536");
///     })
///     .await;
/// # }
/// ```
pub fn invocation() -> InvocationBuilder {
    InvocationBuilder {
        request_id: identifiers::request_id(),
        deadline: Deadline::In(Duration::from_secs(30)),
        clock: Clock::system(),
        xray_trace_id: Some(identifiers::trace_id()),
        tenant_id: None,
        function_arn: None,
        function_name: identifiers::FUNCTION_NAME.to_owned(),
        function_version: identifiers::FUNCTION_VERSION.to_owned(),
        memory_mb: identifiers::MEMORY_MB,
        cold_start: false,
    }
}

/// Wraps `payload` as the event that Lambda would hand to the function.
///
/// To set its context, start from [`invocation`] and end with
/// [`InvocationBuilder::event`].
///
/// ```
/// use lambda_runtime::{Error, LambdaEvent};
/// use powertools::testing;
///
/// async fn handle(event: LambdaEvent<String>) -> Result<usize, Error> {
///     Ok(event.payload.len())
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let answer = handle(testing::event("hello".to_owned())).await;
/// assert_eq!(answer.unwrap(), 5);
/// # }
/// ```
#[must_use]
pub fn event<T>(payload: T) -> LambdaEvent<T> {
    invocation().event(payload)
}

/// Builds an [`Invocation`], a [`Context`] or a [`LambdaEvent`]. Created by [`invocation`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct InvocationBuilder {
    request_id: String,
    deadline: Deadline,
    clock: Clock,
    xray_trace_id: Option<String>,
    tenant_id: Option<String>,
    function_arn: Option<String>,
    function_name: String,
    function_version: String,
    memory_mb: i32,
    cold_start: bool,
}

#[derive(Clone, Copy, Debug)]
enum Deadline {
    In(Duration),
    At(SystemTime),
}

impl InvocationBuilder {
    /// Sets the request id. Defaults to a new one.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = id.into();
        self
    }

    /// Sets the remaining time, counted by the [`clock`](Self::clock) from when the invocation is
    /// built. Defaults to 30 seconds.
    pub fn remaining(mut self, remaining: Duration) -> Self {
        self.deadline = Deadline::In(remaining);
        self
    }

    /// When Lambda would end the invocation.
    pub fn deadline(mut self, at: SystemTime) -> Self {
        self.deadline = Deadline::At(at);
        self
    }

    /// Sets the clock of the invocation. Defaults to the system's.
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = clock.into();
        self
    }

    /// Sets the X-Ray trace header. Defaults to a new one.
    pub fn trace_id(mut self, header: impl Into<String>) -> Self {
        self.xray_trace_id = Some(header.into());
        self
    }

    /// Sets the tenant. Defaults to none.
    pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant.into());
        self
    }

    /// Sets the name of the function.
    pub fn function_name(mut self, name: impl Into<String>) -> Self {
        self.function_name = name.into();
        self
    }

    /// Sets the version of the function. Defaults to `$LATEST`.
    pub fn function_version(mut self, version: impl Into<String>) -> Self {
        self.function_version = version.into();
        self
    }

    /// Sets the ARN that the event was sent to. Defaults to one with the function's name.
    pub fn function_arn(mut self, arn: impl Into<String>) -> Self {
        self.function_arn = Some(arn.into());
        self
    }

    /// Sets the memory of the function, in MB. Defaults to 128.
    pub fn memory_mb(mut self, memory: i32) -> Self {
        self.memory_mb = memory;
        self
    }

    /// Sets whether this is the first event of the process. Defaults to false; what a test sets
    /// here does not use up the cold start of its own process.
    pub fn cold_start(mut self, cold_start: bool) -> Self {
        self.cold_start = cold_start;
        self
    }

    /// Creates the invocation.
    #[must_use]
    pub fn build(self) -> Invocation {
        let deadline = self.deadline_at();
        Invocation::from_parts(
            &self.context_until(deadline),
            deadline,
            self.clock.clone(),
            self.cold_start,
        )
    }

    /// Creates the context that `lambda_runtime` would hand to the handler.
    ///
    /// It has no place for a [`clock`](Self::clock) and a [`cold_start`](Self::cold_start).
    #[must_use]
    pub fn context(self) -> Context {
        self.context_until(self.deadline_at())
    }

    /// Creates the event that `lambda_runtime` would hand to the handler: `payload` and
    /// [`context`](Self::context).
    #[must_use]
    pub fn event<T>(self, payload: T) -> LambdaEvent<T> {
        LambdaEvent::new(payload, self.context())
    }

    fn deadline_at(&self) -> SystemTime {
        match self.deadline {
            Deadline::In(remaining) => self.clock.now() + remaining,
            Deadline::At(at) => at,
        }
    }

    fn context_until(&self, deadline: SystemTime) -> Context {
        let mut context = Context::default();
        context.request_id.clone_from(&self.request_id);
        context.deadline = identifiers::epoch_millis(deadline);
        context.invoked_function_arn = match &self.function_arn {
            Some(arn) => arn.clone(),
            None => identifiers::function_arn(&self.function_name),
        };
        context.xray_trace_id.clone_from(&self.xray_trace_id);
        context.tenant_id.clone_from(&self.tenant_id);
        context.env_config = Arc::new(Config {
            function_name: self.function_name.clone(),
            memory: self.memory_mb,
            version: self.function_version.clone(),
            log_group: identifiers::log_group(&self.function_name),
            log_stream: identifiers::LOG_STREAM.to_owned(),
        });
        context
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ManualClock;

    #[test]
    fn has_the_values_that_were_set() {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
        let invocation = invocation()
            .request_id("r-1")
            .clock(&clock)
            .remaining(Duration::from_secs(7))
            .trace_id("Root=1")
            .tenant_id("blue")
            .function_name("orders")
            .function_version("7")
            .memory_mb(512)
            .cold_start(true)
            .build();

        assert_eq!(invocation.request_id(), "r-1");
        assert_eq!(invocation.remaining(), Duration::from_secs(7));
        assert_eq!(invocation.xray_trace_id(), Some("Root=1"));
        assert_eq!(invocation.tenant_id(), Some("blue"));
        assert_eq!(invocation.function_name(), "orders");
        assert_eq!(invocation.function_version(), "7");
        assert_eq!(
            invocation.function_arn(),
            "arn:aws:lambda:us-east-1:123456789012:function:orders"
        );
        assert_eq!(invocation.memory_mb(), 512);
        assert!(invocation.is_cold_start());
    }

    #[test]
    fn a_clock_at_the_epoch_still_has_a_deadline() {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
        let invocation = invocation().clock(&clock).remaining(Duration::ZERO).build();
        assert_eq!(invocation.remaining(), Duration::ZERO);
    }

    #[test]
    fn a_handler_sees_the_same_in_its_context() {
        let event = invocation().request_id("r-2").tenant_id("red").event(5);
        assert_eq!(event.payload, 5);
        assert_eq!(event.context.request_id, "r-2");
        assert_eq!(event.context.tenant_id.as_deref(), Some("red"));
        assert_eq!(event.context.env_config.memory, 128);
    }
}
