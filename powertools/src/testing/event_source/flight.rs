use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::task::AtomicWaker;
use serde_json::Value;

use super::fault::{Kind, Plan, Point};
use super::history::End;
use super::source::Batch;

/// A function at work on a batch.
pub(super) struct Flight<'a, T> {
    pub(super) invocation: usize,
    /// The ids of the records, and what the reply calls them.
    pub(super) ids: Vec<String>,
    pub(super) identifiers: Vec<Value>,
    pub(super) ticket: T,
    /// When Lambda ends the function.
    pub(super) deadline: Duration,
    /// The mapping does not hear of a reply.
    pub(super) reply_lost: bool,
    plan: Plan,
    future: LocalBoxFuture<'a, std::thread::Result<Result<Bytes, String>>>,
    signal: Arc<Signal>,
    waits: u32,
    /// Nothing happens until the deadline.
    pub(super) hangs: bool,
}

/// What one poll of a flight led to.
pub(super) enum Progress {
    /// It continues.
    Going,
    /// The function returned.
    Returned(Result<Bytes, String>),
    /// It ended without a reply.
    Over(End),
}

impl<'a, T> Flight<'a, T> {
    pub(super) fn new(
        invocation: usize,
        batch: Batch<T>,
        deadline: Duration,
        plan: Plan,
        future: impl Future<Output = Result<Bytes, String>> + 'a,
    ) -> Self {
        // A budget shared with other flights would make points of waiting that depend on them.
        let future = tokio::task::coop::unconstrained(future);
        Self {
            invocation,
            ids: batch.records.into_iter().map(|record| record.id).collect(),
            identifiers: batch.identifiers,
            ticket: batch.ticket,
            deadline,
            reply_lost: false,
            plan,
            future: AssertUnwindSafe(future).catch_unwind().boxed_local(),
            signal: Arc::new(Signal { woken: AtomicBool::new(true), parent: AtomicWaker::new() }),
            waits: 0,
            hangs: false,
        }
    }

    /// Returns true if polling can lead anywhere. If not, `waker` is woken when that changes.
    pub(super) fn is_ready(&self, waker: &Waker) -> bool {
        self.signal.parent.register(waker);
        !self.hangs && self.signal.woken.load(Ordering::Acquire)
    }

    pub(super) fn poll(&mut self) -> Progress {
        if let Some((kind, Point::Start)) = self.plan.cut {
            return self.cut(kind, Point::Start);
        }
        self.signal.woken.store(false, Ordering::Release);
        let waker = Waker::from(self.signal.clone());
        let result = self.future.poll_unpin(&mut Context::from_waker(&waker));
        match (result, self.plan.cut) {
            (Poll::Pending, cut) => {
                self.waits += 1;
                match cut {
                    Some((kind, point)) if point == Point::Await(self.waits) => {
                        self.cut(kind, point)
                    }
                    _ => Progress::Going,
                }
            }
            (Poll::Ready(Err(_)), _) => Progress::Over(End::Panicked),
            (Poll::Ready(Ok(Ok(_))), Some((kind, _))) => self.cut(kind, Point::Reply),
            (Poll::Ready(Ok(result)), _) => Progress::Returned(result),
        }
    }

    fn cut(&mut self, kind: Kind, at: Point) -> Progress {
        match kind {
            Kind::Crash => Progress::Over(End::Crashed(at)),
            Kind::Timeout => {
                self.hangs = true;
                Progress::Going
            }
        }
    }

    /// Takes the batch back and ends the work: its destructors run, or, if it is `killed`, none do.
    pub(super) fn end(self, killed: bool) -> T {
        if killed {
            std::mem::forget(self.future);
        }
        self.ticket
    }
}

/// Records which flight was woken, and wakes the run.
struct Signal {
    woken: AtomicBool,
    parent: AtomicWaker,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.parent.wake();
    }
}
