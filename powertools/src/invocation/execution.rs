//! The durable execution that an event is a part of.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::value::RawValue;

use super::Invocation;

/// A durable execution: work that suspends, and continues in later invocations.
///
/// Each of its invocations runs the handler from the top. What was done before is *replayed*: its
/// recorded result is returned, and only the code between those parts runs again. The rest of this
/// toolkit adapts to that once an event has [entered](Invocation::enter_execution) its execution. The
/// package `powertools-durable` does so for AWS's SDK; anything else that drives durable executions can
/// do the same:
///
/// ```
/// use powertools::{DurableExecution, Invocation};
///
/// # let context = lambda_runtime::Context::default();
/// let invocation = Invocation::new(&context);
/// invocation.enter_execution(DurableExecution::new("arn:aws:lambda:eu-west-1:1:function:f:1/x/y"));
/// assert!(invocation.execution().is_some_and(|execution| !execution.is_replaying()));
/// ```
///
/// | | in a durable execution |
/// |---|---|
/// | [idempotent](crate::idempotency) work | needs an explicit [`lease`](crate::idempotency::Builder::lease): that of the longest execution. A suspension keeps its claim, and the execution continues it in its next invocation |
/// | [logs](crate::logging) | lines below the level WARN are left out during a replay, since an earlier invocation wrote them |
/// | [metrics](crate::metrics) | values are left out during a replay |
///
/// Cloning is cheap.
#[derive(Clone)]
pub struct DurableExecution(Arc<Inner>);

struct Inner {
    arn: String,
    replaying: Option<Box<dyn Fn() -> bool + Send + Sync>>,
    /// One of the constants below.
    state: AtomicU8,
    failure: OnceLock<Box<RawValue>>,
    /// What tells this invocation from the others of the execution. Its request id does not: a repeated
    /// invocation can have that of the first.
    #[cfg(feature = "idempotency")]
    invocation: OnceLock<[u8; 32]>,
}

/// The handler runs, or has returned.
const RUNNING: u8 = 0;
/// The handler is being dropped.
const SUSPENDING: u8 = 1;
/// The handler was dropped.
const SUSPENDED: u8 = 2;

impl DurableExecution {
    /// Creates the execution with this ARN, which is not replayed.
    pub fn new(arn: impl Into<String>) -> Self {
        Self::with(arn.into(), None)
    }

    /// Creates the execution with this ARN. `replaying` returns true while the handler runs code that an
    /// earlier invocation has run. It is called for each log line and each value of a metric: it must not
    /// log, measure or enter an invocation.
    pub fn replaying(
        arn: impl Into<String>,
        replaying: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::with(arn.into(), Some(Box::new(replaying)))
    }

    fn with(arn: String, replaying: Option<Box<dyn Fn() -> bool + Send + Sync>>) -> Self {
        Self(Arc::new(Inner {
            arn,
            replaying,
            state: AtomicU8::new(RUNNING),
            failure: OnceLock::new(),
            #[cfg(feature = "idempotency")]
            invocation: OnceLock::new(),
        }))
    }

    /// Returns the ARN, which is the same in all invocations of the execution.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.0.arn
    }

    /// Returns true while the handler runs code that an earlier invocation has run.
    #[must_use]
    pub fn is_replaying(&self) -> bool {
        self.0.replaying.as_ref().is_some_and(|replaying| replaying())
    }

    /// Returns true if the handler was dropped before it returned: a later invocation continues.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.0.state.load(Ordering::Relaxed) != RUNNING
    }

    /// Drops the handler, which has not returned, by calling `drop`. What its values do then is not what
    /// they do at their end: a timer that lives across a suspension, for example, records nothing.
    pub fn suspend(&self, drop: impl FnOnce()) {
        self.0.state.store(SUSPENDING, Ordering::Relaxed);
        drop();
        self.0.state.store(SUSPENDED, Ordering::Relaxed);
    }

    /// Returns true if what happens now is no end of anything, or was recorded by an earlier invocation.
    pub(crate) fn is_repeated(&self) -> bool {
        self.0.state.load(Ordering::Relaxed) == SUSPENDING || self.is_replaying()
    }

    /// Sets the reply that Lambda receives in place of the error that the handler then returns. The
    /// service of durable functions reads failures from a reply, and repeats an invocation that has an
    /// error. For logs, metrics and the [lifecycle](crate::runtime::lifecycle) it stays an error. The
    /// first reply counts.
    pub fn fail_with(&self, reply: Box<RawValue>) {
        // The first one stays.
        let _ = self.0.failure.set(reply);
    }

    /// Returns what tells this invocation from the others of the execution: `first` if it is the first that is
    /// passed here.
    #[cfg(feature = "idempotency")]
    pub(crate) fn invocation_id(&self, first: [u8; 32]) -> &[u8; 32] {
        self.0.invocation.get_or_init(|| first)
    }

    /// Returns the reply in place of the handler's error.
    pub(crate) fn failure(&self) -> Option<&RawValue> {
        self.0.failure.get().map(|reply| &**reply)
    }
}

impl fmt::Debug for DurableExecution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableExecution")
            .field("arn", &self.0.arn)
            .field("is_replaying", &self.is_replaying())
            .field("is_suspended", &self.is_suspended())
            .finish_non_exhaustive()
    }
}

impl Invocation {
    /// Enters the durable execution that this event is a part of, before its work begins. The first one
    /// counts.
    pub fn enter_execution(&self, execution: DurableExecution) {
        // The first one stays.
        let _ = self.event().execution.set(execution);
    }

    /// Returns the durable execution that this event is a part of, if it has
    /// [entered](Self::enter_execution) one.
    #[must_use]
    pub fn execution(&self) -> Option<&DurableExecution> {
        self.event().execution.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_scopes_of_an_event_see_its_execution_and_no_other_event_does() {
        let invocation = Invocation::new(&Default::default());
        let scope = invocation.reserving(std::time::Duration::from_secs(1));
        assert!(invocation.execution().is_none());
        scope.enter_execution(DurableExecution::new("one"));
        scope.enter_execution(DurableExecution::new("two"));
        assert_eq!(invocation.execution().map(DurableExecution::arn), Some("one"));
        assert!(Invocation::new(&Default::default()).execution().is_none());
    }
}
