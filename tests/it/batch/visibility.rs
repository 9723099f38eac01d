//! When messages that failed are delivered again.

use std::convert::Infallible;
use std::future::pending;
use std::time::{Duration, SystemTime};

use powertools::batch::{self, Message, RecordError, VisibilityChange};
use powertools::deadline::Deadline;
use powertools::events::SqsEvent;
use powertools::testing::{self, ManualClock};
use serde_json::json;
use tokio::time::Instant;

use super::{Log, fifo, messages, outcomes, parse, reported};

const SECOND: Duration = Duration::from_secs(1);

/// Fails with a delay of as many seconds as the body contains, and with none for 0.
async fn fail(n: Message<u64>) -> Result<(), RecordError> {
    let error = RecordError::retry("busy");
    Err(if n.body == 0 {
        error
    } else {
        error.retry_after(u32::try_from(n.body).unwrap() * SECOND)
    })
}

/// Notes the changes of each request.
fn note(log: &Log, changes: &[VisibilityChange]) {
    let text = |change: &VisibilityChange| {
        assert!(change.record.receipt_handle().is_some());
        format!("{}:{}", change.record.message_id().unwrap(), change.seconds)
    };
    log.write(format!("[{}]", changes.iter().map(text).collect::<Vec<_>>().join(" ")));
}

fn noting<'a>(event: SqsEvent, log: &Log) -> batch::Batch<'a, SqsEvent> {
    let log = log.clone();
    batch::sqs(event).change_visibility(move |changes: Vec<VisibilityChange>| {
        note(&log, &changes);
        async { Ok::<_, Infallible>(()) }
    })
}

#[tokio::test]
async fn messages_with_a_delay_are_changed_and_no_others() {
    let log = Log::default();
    let report = noting(messages(3), &log).run(fail).await;
    assert_eq!(log.text(), "[m-1:1 m-2:2]");
    assert_eq!(reported(report), ["m-0", "m-1", "m-2"]);

    let log = Log::default();
    let succeed = async |_: Message<u64>| Ok::<_, Infallible>(());
    assert!(noting(messages(3), &log).run(succeed).await.is_done());
    assert_eq!(log.text(), "");
}

#[tokio::test]
async fn a_request_has_at_most_ten_changes() {
    let log = Log::default();
    let _ = noting(messages(24), &log).run(fail).await;
    let sizes: Vec<_> = log.text().split("] [").map(|text| text.split(' ').count()).collect();
    assert_eq!(sizes, [10, 10, 3]);
}

#[tokio::test]
async fn a_delay_becomes_whole_seconds_within_the_limits_of_sqs() {
    for (delay, seconds) in
        [(Duration::ZERO, 0), (Duration::from_millis(1_001), 2), (Duration::MAX, 42_000)]
    {
        let log = Log::default();
        let handler =
            async |_: Message<u64>| Err::<(), _>(RecordError::retry("busy").retry_after(delay));
        let _ = noting(messages(1), &log).run(handler).await;
        assert_eq!(log.text(), format!("[m-0:{seconds}]"));
    }
}

#[tokio::test]
async fn a_group_is_delivered_again_together() {
    let log = Log::default();
    let handler = async |name: Message<String>| match name.body.as_str() {
        "a2" => Err(RecordError::retry("busy").retry_after(7 * SECOND)),
        "b1" => Err(RecordError::retry("busy")),
        _ => Ok(()),
    };
    let report = noting(fifo("a1 a2 b1 a3 b2 a4"), &log).run(handler).await;
    assert_eq!(outcomes(&report), "sffnnn");
    assert_eq!(log.text(), "[a2:7 a3:7 a4:7]");
}

/// The rest of the group does not need its delay, and waits while it is invisible.
#[tokio::test]
async fn a_message_that_failed_for_the_last_time_does_not_decide_for_its_group() {
    let mut event = testing::events::sqs("orders.fifo");
    for (id, count) in [("a1", 3), ("a2", 1), ("a3", 3), ("a4", 1)] {
        let message = testing::events::SqsMessage::from(json!(id)).id(id).group("a");
        event = event.message(message.receive_count(count));
    }
    let log = Log::default();
    let handler = async |name: Message<String>| match name.body.as_str() {
        "a1" => Err(RecordError::retry("busy").retry_after(3600 * SECOND)),
        "a2" => Err(RecordError::retry("busy").retry_after(300 * SECOND)),
        _ => Err(RecordError::retry("broken")),
    };
    let batch = noting(parse(event.build()), &log).max_receive_count(3);
    assert_eq!(outcomes(&batch.run(handler).await), "ffnn");
    assert_eq!(log.text(), "[a1:300 a2:300 a3:300 a4:300]");

    // Nothing waits for it to be delivered again.
    let log = Log::default();
    let batch = noting(fifo("a1 b1"), &log).max_receive_count(1);
    let handler = async |_: Message<String>| {
        Err::<(), _>(RecordError::retry("busy").retry_after(300 * SECOND))
    };
    assert_eq!(outcomes(&batch.run(handler).await), "ff");
    assert_eq!(log.text(), "");
}

#[tokio::test]
async fn a_change_that_fails_or_panics_leaves_the_report_as_it_is() {
    for panics in [false, true] {
        let batch =
            batch::sqs(messages(2)).change_visibility(move |_: Vec<VisibilityChange>| async move {
                assert!(!panics, "as it is written");
                Err::<(), _>("no network")
            });
        assert_eq!(reported(batch.run(fail).await), ["m-0", "m-1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_hangs_is_stopped_in_time_for_the_reply() {
    let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
    let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
    let start = Instant::now();
    let work = async {
        let batch = batch::sqs(messages(2))
            .reserve(SECOND / 2)
            .change_visibility(|_: Vec<VisibilityChange>| pending::<Result<(), Infallible>>());
        // As the guard of `Powertools` does, which ends before the request.
        let handler = async { Ok::<_, lambda_runtime::Error>(batch.run(fail).await) };
        Deadline::current().run(SECOND / 2, handler).await
    };
    let report = invocation.scope(work).await.unwrap();
    // Half of the reserve remains, which is 10 ms more than that of the guard.
    assert_eq!(start.elapsed().as_millis(), 9_745);
    assert_eq!(reported(report), ["m-0", "m-1"]);
}
