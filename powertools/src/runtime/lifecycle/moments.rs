use std::backtrace::Backtrace;
use std::cell::Cell;
use std::error::Error as StdError;
use std::ops::BitOr;
use std::time::{Duration, SystemTime};

use lambda_runtime::Diagnostic;

use crate::invocation::Invocation;

/// A set of moments at which a [`Lifecycle`](super::Lifecycle) is called.
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
    /// No moment.
    pub const NONE: Self = Self(0);
    /// Before the first event.
    pub const START: Self = Self(1);
    /// An event has arrived.
    pub const EVENT: Self = Self(1 << 1);
    /// The handler begins.
    pub const HANDLER_BEGINS: Self = Self(1 << 2);
    /// The handler or its streamed body has ended.
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
    /// The remaining time of this value and those after it, before the first event.
    pub time: Duration,
}

/// An event has arrived.
#[derive(Debug)]
#[non_exhaustive]
pub struct EventReceived<'a> {
    /// The invocation of the event, which is the current one.
    pub invocation: &'a Invocation,
    /// The event as Lambda sent it: JSON that is not checked yet.
    pub body: &'a [u8],
}

/// The handler begins.
#[derive(Debug)]
#[non_exhaustive]
pub struct HandlerBegins<'a> {
    /// The invocation of the event, which is the current one.
    pub invocation: &'a Invocation,
}

/// The handler or its streamed body has ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct HandlerEnds<'a> {
    /// The invocation of the event, which is the current one.
    pub invocation: &'a Invocation,
    /// How it ended.
    pub outcome: Outcome<'a>,
    /// True if this is the end of a streamed body, whose handler returned before.
    pub is_streamed: bool,
    pub(in crate::runtime) logged: Cell<bool>,
}

impl HandlerEnds<'_> {
    /// Marks the failure as logged, so that no other line is written for it.
    pub fn set_logged(&self) {
        self.logged.set(true);
    }
}

/// How a handler ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// It returned a response.
    Success,
    /// It returned an error, its event could not be parsed, or its response could not be
    /// serialized.
    Error(Failure<'a>),
    /// It panicked.
    Panicked(Failure<'a>),
    /// It was stopped at its limit.
    Stopped(Failure<'a>),
    /// It was dropped before it ended.
    Dropped,
}

/// Why a handler failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure<'a> {
    /// The name and message that Lambda receives.
    pub diagnostic: &'a Diagnostic,
    /// The error with its causes, if the handler's error type is known: a boxed error, or one with
    /// [names](crate::error). Another error type is consumed by its conversion into a
    /// [`Diagnostic`]; then this is a copy of its messages and those of its causes.
    pub error: Option<&'a (dyn StdError + 'static)>,
    /// The backtrace of the error, if one was captured: `anyhow` captures it with
    /// `RUST_BACKTRACE=1`. The first formatting takes hundreds of milliseconds.
    pub backtrace: Option<&'a Backtrace>,
}

/// The data of an event is to be sent.
#[derive(Debug)]
#[non_exhaustive]
pub struct Flush<'a> {
    /// The invocation of the event, which is the current one.
    pub invocation: &'a Invocation,
    /// The side of the reply.
    pub when: FlushTime,
    /// The remaining time of all flushes on this side of the reply.
    pub time: Duration,
}

/// The side of the reply on which a flush runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlushTime {
    /// The reply waits for it.
    BeforeReply,
    /// The reply has been sent, and the next event waits for it.
    AfterReply,
}

/// A SnapStart snapshot is about to be taken.
#[derive(Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The remaining time of this value and those after it, before the snapshot.
    pub time: Duration,
}

/// The process was restored from a SnapStart snapshot.
#[derive(Debug)]
#[non_exhaustive]
pub struct Restored {
    /// The remaining time of this value and those after it, before the first event.
    pub time: Duration,
    /// The time of day of the restore.
    pub at: SystemTime,
}

/// Lambda ends the environment.
#[derive(Debug)]
#[non_exhaustive]
pub struct ShuttingDown {
    /// The remaining time of this value and those after it.
    pub time: Duration,
}
