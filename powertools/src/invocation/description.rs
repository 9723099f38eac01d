//! What is known about an event, and the scopes of the work for it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use lambda_runtime::{Config, Context};

use super::execution::DurableExecution;
use super::interruption::Marks;
use super::local::Locals;
use super::of_record::Place;
use super::record::Batch;
use super::reply_limit::ReplyLimit;
use crate::clock::Clock;
use crate::process::take_cold_start;

/// The event that is being handled, as the Lambda service describes it.
///
/// Cloning is cheap: clones share one allocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub(super) scope: Arc<Scope>,
    /// The record that is being handled, of the batch of the scope.
    pub(super) record: Place,
}

/// A part of the work for an event, with a time limit of its own.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) event: Arc<Event>,
    pub(super) limit: SystemTime,
    /// The batch whose records are handled here.
    pub(super) batch: Option<Arc<Batch>>,
    /// The innermost part that the logs watch, by its number; 0 if there is none.
    pub(super) watch: u64,
    /// Whether this is the scope of idempotent work.
    pub(super) is_idempotent: bool,
    /// The [`CleanupGuard`]s here and in scopes further in, and how many of them save.
    pub(super) cleanups: AtomicU64,
    /// The marks of guards in this scope.
    pub(super) marks: Marks,
    pub(super) outer: Option<Arc<Scope>>,
}

#[derive(Debug)]
pub(super) struct Event {
    pub(super) request_id: String,
    pub(super) deadline: SystemTime,
    pub(super) timeout: Duration,
    pub(super) cold_start: bool,
    pub(super) xray_trace_id: Option<String>,
    pub(super) tenant_id: Option<String>,
    pub(super) function_arn: String,
    pub(super) function: Arc<Config>,
    pub(super) clock: Clock,
    /// True after the warning that work has overrun.
    pub(super) has_overrun: AtomicBool,
    /// Not one of the locals: it is asked for with each log line and each value of a metric.
    pub(super) execution: OnceLock<DurableExecution>,
    /// That of Lambda until something sets a lower one.
    pub(super) reply_limit: OnceLock<ReplyLimit>,
    pub(super) locals: Locals,
}

/// Deadlines below this are not dates, but the constant that `cargo lambda` sends: 600,000.
const NO_DATE: u64 = 24 * 60 * 60 * 1000;

/// How long an event may take that has no deadline.
const WITHOUT_DEADLINE: Duration = Duration::from_secs(15 * 60);

impl Invocation {
    /// Creates the invocation that `context` describes.
    ///
    /// The first one that is created in a process is its cold start, unless the environment was provisioned
    /// ahead of its events (`AWS_LAMBDA_INITIALIZATION_TYPE` is `provisioned-concurrency`).
    ///
    /// A context without a deadline, such as `Context::default()` in a unit test or that of an event
    /// from `cargo lambda`, receives one: 15 minutes from now. Every other deadline is that of the event:
    /// a function may run for up to 30 minutes, and on Managed Instances for 90.
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
            ..NO_DATE => clock.now() + WITHOUT_DEADLINE,
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
            execution: OnceLock::new(),
            reply_limit: OnceLock::new(),
            locals: Locals::default(),
        };
        let scope = Scope {
            event: Arc::new(event),
            limit: deadline,
            batch: None,
            watch: 0,
            is_idempotent: false,
            cleanups: AtomicU64::new(0),
            marks: Marks::default(),
            outer: None,
        };
        Self { scope: Arc::new(scope), record: Place::none() }
    }

    pub(super) fn in_scope(&self, scope: Scope) -> Self {
        Self { scope: Arc::new(scope), record: self.record.clone() }
    }

    /// Returns an inner scope that is like this one.
    pub(super) fn inner(&self) -> Scope {
        Scope {
            event: self.event().clone(),
            limit: self.limit(),
            batch: self.scope.batch.clone(),
            watch: self.scope.watch,
            is_idempotent: false,
            cleanups: AtomicU64::new(0),
            marks: Marks::default(),
            outer: Some(self.scope.clone()),
        }
    }

    pub(super) fn event(&self) -> &Arc<Event> {
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
    /// Under plain `lambda_runtime::run`, without an [`InvocationLayer`](super::InvocationLayer), it is
    /// created where the first attribute [finds](Self::current_or) the context, and counts from there.
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
