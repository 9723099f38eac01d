use std::backtrace::Backtrace;
use std::cell::Cell;
use std::error::Error as StdError;
use std::ops::BitOr;
use std::time::Duration;

use lambda_runtime::Diagnostic;

use crate::invocation::Invocation;

/// A set of moments: those at which a [`Lifecycle`](super::Lifecycle) is called.
///
/// ```
/// use powertools::runtime::lifecycle::Moments;
///
/// let moments = Moments::EVENT | Moments::HANDLER_ENDS;
/// assert!(moments.contains(Moments::EVENT));
/// assert!(!moments.contains(Moments::START));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moments(u16);

impl Moments {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// Before the first event is asked for.
    pub const START: Self = Self(1);
    /// An event has come.
    pub const EVENT: Self = Self(1 << 1);
    /// The handler begins.
    pub const HANDLER_BEGINS: Self = Self(1 << 2);
    /// The handler has ended, or the body that it streams.
    pub const HANDLER_ENDS: Self = Self(1 << 3);
    /// Before the reply is sent.
    pub const FLUSH_BEFORE_REPLY: Self = Self(1 << 4);
    /// After the reply was sent.
    pub const FLUSH_AFTER_REPLY: Self = Self(1 << 5);
    /// Before a SnapStart snapshot.
    pub const SNAPSHOT: Self = Self(1 << 6);
    /// After a restore from a SnapStart snapshot.
    pub const RESTORE: Self = Self(1 << 7);
    /// Lambda ends the environment.
    pub const SHUTDOWN: Self = Self(1 << 8);

    /// Returns true if all of `moments` are in this set.
    #[must_use]
    pub const fn contains(self, moments: Self) -> bool {
        self.0 & moments.0 == moments.0
    }
}

impl BitOr for Moments {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The function starts.
#[derive(Debug)]
#[non_exhaustive]
pub struct Starting {
    /// How long all that comes before the first event may take together.
    pub time: Duration,
}

/// An event has come.
#[derive(Debug)]
#[non_exhaustive]
pub struct EventReceived<'a> {
    /// The invocation of the event, which is the current one.
    pub invocation: &'a Invocation,
    /// The event as Lambda sent it: JSON, but not checked yet.
    pub body: &'a [u8],
}

/// The handler begins.
#[derive(Debug)]
#[non_exhaustive]
pub struct HandlerBegins<'a> {
    /// The invocation of the event, which is the current one.
    pub invocation: &'a Invocation,
}

/// The handler has ended, or the body that it streams.
#[derive(Debug)]
#[non_exhaustive]
pub struct HandlerEnds<'a> {
    /// The invocation of the event, which is the current one.
    pub invocation: &'a Invocation,
    /// How it ended.
    pub outcome: Outcome<'a>,
    /// True if this is the end of a streamed body: its handler has returned before.
    pub is_streamed: bool,
    pub(in crate::runtime) logged: Cell<bool>,
}

impl HandlerEnds<'_> {
    /// Says that the failure has a log line, so that nobody else needs to write one.
    pub fn set_logged(&self) {
        self.logged.set(true);
    }
}

/// How a handler ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// It has returned a response.
    Success,
    /// It has returned an error, or its event cannot be parsed, or its response not be serialized.
    Error(Failure<'a>),
    /// It has panicked.
    Panicked(Failure<'a>),
    /// It was stopped because its time was over.
    Stopped(Failure<'a>),
    /// It was dropped before it ended.
    Dropped,
}

/// Why a handler failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure<'a> {
    /// What Lambda is told of it.
    pub diagnostic: &'a Diagnostic,
    /// The error with its causes, where the handler's error type is known to be one: a boxed error, or
    /// one with [names](crate::error). An error type of the function's own is consumed by its
    /// conversion into a [`Diagnostic`]; here is a copy of its messages and those of its causes then.
    pub error: Option<&'a (dyn StdError + 'static)>,
    /// Where the error was made, if that was captured: `anyhow` does that with `RUST_BACKTRACE=1`.
    /// Writing it takes hundreds of milliseconds the first time.
    pub backtrace: Option<&'a Backtrace>,
}

/// What belongs to an event is to be sent.
#[derive(Debug)]
#[non_exhaustive]
pub struct Flush<'a> {
    /// The invocation of the event, which is the current one.
    pub invocation: &'a Invocation,
    /// On which side of the reply this is.
    pub when: FlushTime,
    /// How long all flushes on this side of the reply may take together, from now on.
    pub time: Duration,
}

/// On which side of the reply a flush is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlushTime {
    /// The reply waits for it.
    BeforeReply,
    /// The reply is sent, and the next event waits for it.
    AfterReply,
}

/// A SnapStart snapshot is taken next.
#[derive(Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// How long all that comes before the snapshot may take together.
    pub time: Duration,
}

/// The process was restored from a SnapStart snapshot.
#[derive(Debug)]
#[non_exhaustive]
pub struct Restored {
    /// How long all that comes before the first event may take together.
    pub time: Duration,
}

/// Lambda ends the environment.
#[derive(Debug)]
#[non_exhaustive]
pub struct ShuttingDown {
    /// How long this and what follows it may take together, from now on.
    pub time: Duration,
}
