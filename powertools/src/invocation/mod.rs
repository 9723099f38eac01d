//! The invocation: everything that is known about the event that is being handled.
//!
//! Everything in this toolkit that needs the request id, the deadline or the trace id of the event
//! takes it from [`Invocation::current`]. [`Powertools`](crate::Powertools) and [`InvocationLayer`]
//! set it for each event. It is available in every function that the handler calls, before and after
//! each `.await`, and events that are handled concurrently never see each other's.
//!
//! A spawned task starts without it. [`Invocation::carry`] passes it on:
//!
//! ```
//! use powertools::Invocation;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let invocation = Invocation::new(&lambda_runtime::Context::default());
//! # invocation.scope(async {
//! let task = tokio::spawn(Invocation::carry(async {
//!     Invocation::current().map(|invocation| invocation.request_id().to_owned())
//! }));
//! assert!(task.await.unwrap().is_some());
//! # }).await }
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use lambda_runtime::{Config, Context};

use crate::Clock;
use crate::process::take_cold_start;

pub(crate) mod budget;
mod cleanup;
mod current;
mod interruption;
mod layer;
mod local;
mod record;

pub use cleanup::CleanupGuard;
pub(crate) use interruption::Mark;
pub use layer::{InvocationLayer, InvocationService};
pub use record::RecordIdentity;
pub(crate) use record::Records;

/// The event that is being handled, as the Lambda service describes it.
///
/// Cloning is cheap: clones share one allocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    scope: Arc<Scope>,
    /// The place of the record that is being handled, in the batch of the scope.
    record: Option<u32>,
}

/// A part of the work for an event, with a time limit of its own.
#[derive(Debug)]
struct Scope {
    event: Arc<Event>,
    limit: SystemTime,
    /// The batch whose records are handled here.
    batch: Option<Arc<record::Batch>>,
    /// The innermost part that the logs watch, by its number; 0 if there is none.
    watch: u64,
    /// Whether this is the scope of idempotent work.
    is_idempotent: bool,
    /// The [`CleanupGuard`]s here and in scopes further in, and how many of them save.
    cleanups: AtomicU64,
    /// The marks of guards in this scope.
    marks: AtomicU8,
    outer: Option<Arc<Scope>>,
}

#[derive(Debug)]
struct Event {
    request_id: String,
    deadline: SystemTime,
    timeout: Duration,
    cold_start: bool,
    xray_trace_id: Option<String>,
    tenant_id: Option<String>,
    function_arn: String,
    function: Arc<Config>,
    clock: Clock,
    /// True after the warning that work has overrun.
    has_overrun: AtomicBool,
    locals: local::Locals,
}

/// Deadlines below this are not dates, but the constant that `cargo lambda` sends: 600,000.
const NO_DATE: u64 = 24 * 60 * 60 * 1000;

/// The longest timeout that a Lambda function can have.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(15 * 60);

impl Invocation {
    /// Creates the invocation that `context` describes.
    ///
    /// The first one that is created in a process is its cold start, unless the environment was provisioned
    /// ahead of its events (`AWS_LAMBDA_INITIALIZATION_TYPE` is `provisioned-concurrency`).
    ///
    /// A context without a deadline, such as `Context::default()` in a unit test or that of an event
    /// from `cargo lambda`, receives the longest that Lambda allows: 15 minutes from now.
    #[must_use]
    pub fn new(context: &Context) -> Self {
        Self::with_clock(context, Clock::system())
    }

    /// Creates the invocation that `context` describes, with a clock of its own.
    ///
    /// For tests that move the time; see [`new`](Self::new).
    #[must_use]
    pub fn with_clock(context: &Context, clock: Clock) -> Self {
        let deadline = match context.deadline {
            ..NO_DATE => clock.now() + LONGEST_TIMEOUT,
            _ => context.deadline(),
        };
        Self::from_parts(context, deadline, clock, take_cold_start())
    }

    /// Creates an invocation whose deadline and cold start were decided elsewhere.
    pub(crate) fn from_parts(
        context: &Context,
        deadline: SystemTime,
        clock: Clock,
        cold_start: bool,
    ) -> Self {
        let event = Event {
            request_id: context.request_id.clone(),
            deadline,
            timeout: deadline.duration_since(clock.now()).unwrap_or_default(),
            cold_start,
            xray_trace_id: context.xray_trace_id.clone(),
            tenant_id: context.tenant_id.clone(),
            function_arn: context.invoked_function_arn.clone(),
            function: context.env_config.clone(),
            clock,
            has_overrun: AtomicBool::new(false),
            locals: local::Locals::default(),
        };
        let scope = Scope {
            event: Arc::new(event),
            limit: deadline,
            batch: None,
            watch: 0,
            is_idempotent: false,
            cleanups: AtomicU64::new(0),
            marks: AtomicU8::new(0),
            outer: None,
        };
        Self { scope: Arc::new(scope), record: None }
    }

    fn in_scope(&self, scope: Scope) -> Self {
        Self { scope: Arc::new(scope), record: self.record }
    }

    /// Returns an inner scope that is like this one.
    fn inner(&self) -> Scope {
        Scope {
            event: self.event().clone(),
            limit: self.limit(),
            batch: self.scope.batch.clone(),
            watch: self.scope.watch,
            is_idempotent: false,
            cleanups: AtomicU64::new(0),
            marks: AtomicU8::new(0),
            outer: Some(self.scope.clone()),
        }
    }

    fn event(&self) -> &Arc<Event> {
        &self.scope.event
    }

    /// Returns the request id that the Lambda service assigned to the event.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.event().request_id
    }

    /// Returns the instant at which Lambda ends the invocation.
    #[must_use]
    pub fn deadline(&self) -> SystemTime {
        self.event().deadline
    }

    /// Returns the remaining time until the [`deadline`](Self::deadline); zero after it.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.event().deadline.duration_since(self.event().clock.now()).unwrap_or_default()
    }

    /// Returns the whole time of the invocation: from the creation of this, right after the event
    /// arrived, to the [`deadline`](Self::deadline).
    ///
    /// Under plain `lambda_runtime::run`, without [`InvocationLayer`], it is created where the first
    /// attribute [finds](Self::current_or) the context, and counts from there.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.event().timeout
    }

    /// Returns the instant at which work must stop: the [`deadline`](Self::deadline), less the
    /// [reserve](Self::reserving) of a batch or a time guard around the work.
    #[must_use]
    pub fn limit(&self) -> SystemTime {
        self.scope.limit
    }

    /// Returns the same invocation with a [`limit`](Self::limit) that is at least `reserve` before the
    /// deadline.
    ///
    /// Work in its [`scope`](Self::scope) that can stop by itself stops at that limit. Idempotent work
    /// then releases its claim.
    #[must_use]
    pub fn reserving(&self, reserve: Duration) -> Self {
        self.in_scope(Scope { limit: self.limit_reserving(reserve), ..self.inner() })
    }

    /// Returns the same invocation for idempotent work that ends at `limit`.
    pub(crate) fn for_idempotent(&self, limit: SystemTime) -> Self {
        let limit = limit.min(self.limit());
        self.in_scope(Scope { limit, is_idempotent: true, ..self.inner() })
    }

    /// Returns true for the first caller, so that one warning about an overrun is written.
    pub(crate) fn is_first_overrun(&self) -> bool {
        !self.event().has_overrun.swap(true, Ordering::Relaxed)
    }

    /// Returns the same invocation for the part that the logs watch as `watch`.
    pub(crate) fn watched(&self, watch: u64) -> Self {
        self.in_scope(Scope { watch, ..self.inner() })
    }

    /// Returns true if both are of the same event.
    pub(crate) fn is_same_event(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.event(), other.event())
    }

    /// Returns the innermost part that the logs watch; 0 if there is none.
    pub(crate) fn watch(&self) -> u64 {
        self.scope.watch
    }

    /// Returns true for the first event of this process, and never under provisioned concurrency.
    #[must_use]
    pub fn is_cold_start(&self) -> bool {
        self.event().cold_start
    }

    /// Returns the X-Ray trace header of the event: `Root=…;Parent=…;Sampled=…`.
    #[must_use]
    pub fn xray_trace_id(&self) -> Option<&str> {
        self.event().xray_trace_id.as_deref()
    }

    /// Returns the tenant of the event, for functions with tenant isolation.
    #[must_use]
    pub fn tenant_id(&self) -> Option<&str> {
        self.event().tenant_id.as_deref()
    }

    /// Returns the name of the function.
    #[must_use]
    pub fn function_name(&self) -> &str {
        &self.event().function.function_name
    }

    /// Returns the version of the function, such as `$LATEST` or `7`.
    #[must_use]
    pub fn function_version(&self) -> &str {
        &self.event().function.version
    }

    /// Returns the ARN that the event was sent to, with the alias or version if one was named.
    #[must_use]
    pub fn function_arn(&self) -> &str {
        &self.event().function_arn
    }

    /// Returns the memory of the function, in MB.
    #[must_use]
    pub fn memory_mb(&self) -> i32 {
        self.event().function.memory
    }

    /// Returns the clock of this invocation.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.event().clock
    }
}
