//! Runs the records of a batch: as many concurrently as allowed, each in its order.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::StreamExt;
use futures_util::future::OptionFuture;
use futures_util::stream::FuturesUnordered;
use tokio::task::yield_now;

use super::Outcome;
use super::plan::Plan;
use crate::error::causes::caught;

/// The number of records that never wait after which other tasks of the thread can run.
const YIELD_AFTER: u32 = 64;

/// How a record ended: its place in the batch, and the value of its handler or, without one, its outcome.
pub(super) type Ended<V> = (usize, Result<V, Outcome>);

/// Processes the records of `plan`, from which `start` takes what starts next: a record, or several at
/// once. The future of a start also returns places in the batch, since keeping these here would need
/// another future around each.
///
/// After a record that is not started for lack of time, no other one is tried. A failure for which
/// `order_continues` returns true prevents no record from starting.
///
/// The outcome of each record that ends is written to its place in `outcomes`, and `observe` is called
/// with it immediately. The value of its handler is written to its place in `values`.
pub(super) fn handle<F, V>(
    plan: &mut Plan,
    concurrency: usize,
    outcomes: &mut [Outcome],
    values: &mut [Option<V>],
    start: impl Fn(&mut Plan) -> Option<F>,
    order_continues: impl Fn(usize, &Outcome) -> bool,
    mut observe: impl FnMut(usize, &Outcome),
) -> impl Future<Output = ()>
where
    F: Future<Output: IntoIterator<Item = Ended<V>>>,
{
    let mut running = Running::new(concurrency.min(outcomes.len()));
    let mut without_a_wait = 0;
    // A block, since an async function would have room for its arguments twice.
    async move {
        loop {
            while !running.is_full() && !plan.is_idle() {
                if let Some(started) = start(plan) {
                    running.push(started);
                }
            }
            if running.is_empty() {
                break;
            }
            if without_a_wait == YIELD_AFTER {
                without_a_wait = 0;
                yield_now().await;
            }
            without_a_wait += 1;
            let ended = poll_fn(|cx| {
                let ended = running.poll_next(cx);
                if ended.is_pending() {
                    without_a_wait = 0;
                }
                ended
            });
            for (index, result) in ended.await {
                let outcome = match result {
                    Ok(value) => {
                        values[index] = Some(value);
                        Outcome::Succeeded
                    }
                    Err(Outcome::NotStarted) => {
                        plan.stop();
                        continue;
                    }
                    Err(outcome) => outcome,
                };
                plan.finish(index, outcome.is_done() || order_continues(index, &outcome));
                observe(index, &outcome);
                outcomes[index] = outcome;
            }
        }
    }
}

/// The records that are running.
enum Running<F> {
    /// At most one, so that it does not matter which one is woken.
    One(Pin<Box<Option<F>>>),
    Many {
        // Emptied one by one when they are stopped: if all were dropped at once and one panicked, the
        // others would be leaked.
        records: FuturesUnordered<OptionFuture<F>>,
        limit: usize,
    },
}

impl<F: Future> Running<F> {
    fn new(limit: usize) -> Self {
        if limit > 1 {
            Self::Many { records: FuturesUnordered::new(), limit }
        } else {
            Self::One(Box::pin(None))
        }
    }

    fn is_full(&self) -> bool {
        match self {
            Self::One(record) => record.is_some(),
            Self::Many { records, limit } => records.len() >= *limit,
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::One(record) => record.is_none(),
            Self::Many { records, .. } => records.is_empty(),
        }
    }

    fn push(&mut self, record: F) {
        match self {
            Self::One(place) => place.as_mut().set(Some(record)),
            Self::Many { records, .. } => records.push(Some(record).into()),
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self {
            Self::One(place) => match place.as_mut().as_pin_mut() {
                Some(record) => {
                    let output = ready!(record.poll(cx));
                    place.as_mut().set(None);
                    Poll::Ready(output)
                }
                None => Poll::Pending,
            },
            Self::Many { records, .. } => match ready!(records.poll_next_unpin(cx)) {
                Some(Some(output)) => Poll::Ready(output),
                Some(None) | None => Poll::Pending,
            },
        }
    }
}

impl<F> Drop for Running<F> {
    /// Stops the records that have not ended. Each may panic as it is dropped.
    fn drop(&mut self) {
        let empty = |stop: &mut dyn FnMut()| {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(stop)) {
                let panic = caught(panic);
                tracing::warn!(panic, "a record that was stopped panicked");
            }
        };
        match self {
            Self::One(place) => empty(&mut || place.as_mut().set(None)),
            Self::Many { records, .. } => {
                for mut record in Pin::new(records).iter_pin_mut() {
                    empty(&mut || record.as_mut().set(None.into()));
                }
            }
        }
    }
}
