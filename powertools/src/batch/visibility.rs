//! When messages that failed are delivered again.

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream};

use super::options::{BoxError, Postpone};
use super::{Batch, Outcome, Record, RecordError};
use crate::events::{SqsEvent, SqsRecord};
use crate::invocation::Invocation;
use crate::invocation::budget::{Budget, Ended, Guarded};

/// The maximum number of messages that a request to SQS can change.
const CHANGES: usize = 10;

/// The number of requests that are sent at the same time.
const REQUESTS: usize = 10;

/// The longest delay, in seconds. A message is invisible for at most 12 hours from when it was received, and SQS
/// rejects a longer time instead of shortening it. By the time of the request the mapping may have gathered a batch for
/// 5 minutes, and the function may have run for 15.
const LONGEST: u64 = 43_200 - 300 - 900;

/// A message whose visibility timeout is to be changed: see
/// [`change_visibility`](Batch::change_visibility).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VisibilityChange {
    /// The message. Its [`receipt_handle`](SqsRecord::receipt_handle) identifies this delivery of it.
    pub record: SqsRecord,
    /// The new visibility timeout in seconds, which starts with the request: 0 to 42,000.
    pub seconds: i32,
}

impl<'a> Batch<'a, SqsEvent> {
    /// Sets what changes the visibility timeout of messages that are not to be delivered again after
    /// the queue's own timeout: those whose error has a [`retry_after`](RecordError::retry_after).
    ///
    /// After all messages have ended, `change` is called with up to ten messages of the queue at once,
    /// which is what `ChangeMessageVisibilityBatch` takes, ten times concurrently. It has until half of
    /// the [reserve](Self::reserve) remains. If it fails, a warning is logged, and the queue's own
    /// visibility timeout applies. The delay of an error that [`Report::fail`](super::Report::fail) takes
    /// later has no effect.
    ///
    /// A delay is at most 42,000 seconds. SQS rejects what would make a message invisible for more than 12
    /// hours from when it was received, and that was up to 20 minutes ago: 5 of the batching window, 15 of
    /// the function.
    ///
    /// In a FIFO queue the messages of a group that are not done are changed together, by the one that the rest
    /// waits for, since the group is not delivered while one of them is invisible. So the delay of a message that
    /// failed for the last time, by [`max_receive_count`](Batch::max_receive_count), is not applied there.
    ///
    /// With `aws-sdk-sqs` among the dependencies of your function:
    ///
    /// ```
    #[doc = include_str!("../../docs/examples/change_visibility.rs")]
    /// # let _ = change;
    /// ```
    ///
    /// The batch, with such a function of any client:
    ///
    /// ```
    /// use std::time::Duration;
    /// use powertools::batch::{self, Message, RecordError, ReplyOf, VisibilityChange};
    /// use powertools::events::SqsEvent;
    /// # async fn change(changes: Vec<VisibilityChange>) -> Result<(), std::io::Error> {
    /// #     assert_eq!(changes[0].seconds, 300);
    /// #     Ok(())
    /// # }
    ///
    /// async fn call(order: Message<u64>) -> Result<(), RecordError> {
    ///     let busy = RecordError::retry(format!("the shop is busy: {}", order.body));
    ///     Err(busy.retry_after(Duration::from_secs(300)))
    /// }
    ///
    /// async fn handle(event: SqsEvent) -> Result<ReplyOf<SqsEvent>, batch::Error> {
    ///     batch::sqs(event).change_visibility(change).run(call).await.into_reply()
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let event: SqsEvent = serde_json::from_str(r#"{"Records":[{"messageId":"m","body":"0","receiptHandle":"r"}]}"#).unwrap();
    /// # assert_eq!(handle(event).await.unwrap().batch_item_failures.len(), 1);
    /// # }
    /// ```
    pub fn change_visibility<F, Fut, E>(mut self, change: F) -> Self
    where
        F: Fn(Vec<VisibilityChange>) -> Fut + Send + Sync + 'a,
        Fut: Future<Output = Result<(), E>> + Send + 'a,
        E: Into<BoxError>,
    {
        self.postpone = Some(Box::new(move |delays| {
            let changes = delays
                .into_iter()
                .map(|(record, delay)| VisibilityChange { record, seconds: seconds(delay) });
            change(changes.collect()).map(|result| result.map_err(Into::into)).boxed()
        }));
        self
    }
}

/// Returns the time in whole seconds, at most what SQS accepts after any batch.
fn seconds(delay: Duration) -> i32 {
    let seconds = delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0));
    seconds.min(LONGEST) as i32
}

/// Returns the records that are to be delivered again after a time of their own.
pub(super) fn delays<'a, R: Record>(
    records: impl Iterator<Item = (&'a R, &'a Outcome)>,
    order_continues: impl Fn(&R, &Outcome) -> bool,
) -> Vec<(R, Duration)> {
    let own = |outcome: &Outcome| outcome.error().and_then(RecordError::delay);
    let failed: Vec<_> = records.filter(|(_, outcome)| !outcome.is_done()).collect();
    let mut orders = HashMap::new();
    for &(record, outcome) in &failed {
        if let Some(order) = record.order()
            && !order_continues(record, outcome)
        {
            orders.entry(order).or_insert_with(|| own(outcome));
        }
    }
    let delayed = failed.into_iter().filter_map(|(record, outcome)| {
        let delay = match record.order() {
            None => own(outcome),
            // The record that stopped its order decides for all of it. One that failed for the last time does not,
            // but the order waits while it is invisible.
            Some(order) => orders.get(&order).copied().flatten(),
        };
        Some((record.clone(), delay?))
    });
    delayed.collect()
}

/// Postpones records, as far as time allows.
pub(super) async fn postpone<R: Record>(
    delays: Vec<(R, Duration)>,
    postpone: &Postpone<'_, R>,
    budget: Option<&Budget>,
) {
    if delays.is_empty() {
        return;
    }
    let chunks: Vec<_> = delays.chunks(CHANGES).map(<[_]>::to_vec).collect();
    let requests =
        stream::iter(chunks).for_each_concurrent(REQUESTS, |chunk| request(chunk, postpone));
    // The guards around the batch wait for its end.
    let _cleanup = Invocation::current().map(|invocation| invocation.cleanup_guard());
    if let Ended::Stopped | Ended::NotStarted =
        Guarded::new(budget.map(Budget::of_cleanup), requests).await
    {
        tracing::warn!("the visibility of messages that failed was not changed in time");
    }
}

/// Postpones as many records as one request can.
async fn request<R: Record>(delays: Vec<(R, Duration)>, postpone: &Postpone<'_, R>) {
    let messages = delays.len();
    let reason = match AssertUnwindSafe(async { postpone(delays).await }).catch_unwind().await {
        Ok(Ok(())) => return,
        Ok(Err(reason)) => RecordError::retry(reason),
        Err(panic) => RecordError::panicked("the change of the visibility", panic),
    };
    tracing::warn!(messages, %reason, "the visibility of messages that failed was not changed");
}
