//! A FIFO queue.

use std::convert::Infallible;
use std::time::Duration;

use lambda_runtime::LambdaEvent;
use powertools::batch;
use powertools::events::{SqsEvent, SqsRecord};
use powertools::testing::events::{self, SqsMessage};
use powertools::testing::{EventSource, ManualClock, Sqs};

use super::{Event, SECOND, deliveries, failed, ids, records};

#[tokio::test]
async fn a_group_waits_for_its_message_in_flight_and_others_go_on() {
    let history = source("a1 a2 b1 a3")
        .batch_size(1)
        .run(async |_: Event| {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(())
        })
        .await;
    let order: Vec<_> = deliveries(&history).into_iter().map(|(_, ids)| ids).collect();
    assert_eq!(order[..2], ["a1", "b1"], "{history}");
    assert_eq!(history.done().iter().filter(|id| id.starts_with('a')).count(), 3);
    for (one, next) in [("a1", "a2"), ("a2", "a3")] {
        let position = |wanted| history.done().iter().position(|id| *id == wanted);
        assert!(position(one) < position(next));
    }
}

#[tokio::test]
async fn a_batch_has_more_than_one_message_of_a_group_in_order() {
    let history = source("a1 b1 a2 c1 a3").run(async |_: Event| Ok::<_, Infallible>(())).await;
    let order: Vec<_> = deliveries(&history).into_iter().map(|(_, ids)| ids).collect();
    assert_eq!(order, ["a1 b1 a2 c1 a3"]);
}

#[tokio::test]
async fn a_group_waits_for_its_message_that_failed() {
    let history = source("a1 a2 b1 b2")
        .batch_size(2)
        .run(async |event: Event| {
            let first = records(&event)[0]["attributes"]["ApproximateReceiveCount"] == "1";
            let reported = ids(&event).into_iter().filter(|id| first && id.starts_with('a'));
            Ok::<_, Infallible>(failed(reported))
        })
        .await;
    let order: Vec<_> =
        deliveries(&history).into_iter().map(|(at, id)| (at.as_secs(), id)).collect();
    let expected = [(0, "a1 a2"), (0, "b1 b2"), (30, "a1 a2")].map(|(at, id)| (at, id.to_owned()));
    assert_eq!(order, expected);
    assert_eq!(history.done(), ["b1", "b2", "a1", "a2"]);
}

#[tokio::test]
async fn an_unreported_message_after_a_failure_overtakes_it() {
    let history = source("a1 a2")
        .run(async |event: Event| {
            let count = &records(&event)[0]["attributes"]["ApproximateReceiveCount"];
            Ok::<_, Infallible>(failed((count == "1").then_some("a1")))
        })
        .await;
    assert_eq!(history.done(), ["a2", "a1"]);
}

#[tokio::test]
async fn the_group_continues_when_its_poison_is_in_the_dead_letter_queue() {
    let history = source("a1 a2 a3")
        .batch_size(1)
        .max_receive_count(2)
        .run(async |event: Event| {
            Ok::<_, Infallible>(failed(ids(&event).into_iter().filter(|id| *id == "a2")))
        })
        .await;
    assert_eq!(history.dead_lettered(), ["a2"]);
    let order: Vec<_> = deliveries(&history).into_iter().map(|(_, ids)| ids).collect();
    assert_eq!(order, ["a1", "a2", "a2", "a3"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_cannot_be_deleted_after_its_visibility_timeout() {
    let clock = ManualClock::following_tokio(std::time::SystemTime::UNIX_EPOCH);
    let history = source("a1")
        .clock(&clock)
        .visibility_timeout_changed_later(10 * SECOND)
        .timeout(60 * SECOND)
        .max_receive_count(2)
        .run(async |_: Event| {
            tokio::time::sleep(11 * SECOND).await;
            Ok::<_, Infallible>(())
        })
        .await;
    assert_eq!(history.deliveries_of("a1").count(), 2);
    assert_eq!(history.dead_lettered(), ["a1"], "each reply came too late");
}

/// A FIFO queue with these messages; the letter is the group.
fn source(messages: &str) -> EventSource<Sqs> {
    let queue = messages.split(' ').fold(events::sqs("orders.fifo"), |queue, id| {
        queue.message(SqsMessage::from(id).id(id).group(&id[..1]))
    });
    EventSource::sqs(queue)
}

#[tokio::test]
async fn a_batch_that_knows_the_receive_count_loses_only_the_poison() {
    let run = async |told: bool| {
        source("a1 a2 a3 b1")
            .max_receive_count(3)
            .run(async |event: LambdaEvent<SqsEvent>| {
                let mut batch = batch::sqs(event.payload);
                if told {
                    batch = batch.max_receive_count(3);
                }
                let handler = async |message: SqsRecord| match message.message_id() {
                    Some("a1") => Err("poison"),
                    _ => Ok(()),
                };
                batch.run(handler).await.into_reply()
            })
            .await
    };
    let history = run(true).await;
    assert_eq!(history.dead_lettered(), ["a1"], "{history}");
    assert_eq!(history.done(), ["b1", "a2", "a3"]);
    // The rest was received as often.
    assert_eq!(run(false).await.dead_lettered(), ["a1", "a2", "a3"]);
}

#[tokio::test]
#[should_panic(expected = "a batch of this queue has at most 10 messages, not 11")]
async fn a_batch_has_10_messages_at_most() {
    source("a1").batch_size(11).run(async |_: Event| Ok::<_, Infallible>(())).await;
}

#[tokio::test]
async fn a_message_with_a_known_deduplication_id_is_dropped() {
    let message = |id: &str, deduplication: &str| {
        SqsMessage::from(id).id(id).attribute("MessageDeduplicationId", deduplication)
    };
    let queue = events::sqs("orders.fifo")
        .message(message("m1", "a"))
        .message(message("m2", "a"))
        .message(message("m3", "b"));
    let history = EventSource::sqs(queue).run(async |_: Event| Ok::<_, Infallible>(())).await;
    assert_eq!(history.done(), ["m1", "m3"]);
}

#[tokio::test]
async fn a_deduplication_id_is_forgotten_after_5_minutes() {
    let message = |id: &str, sent: u64| {
        SqsMessage::from(id)
            .id(id)
            .attribute("MessageDeduplicationId", "a")
            .attribute("SentTimestamp", (1_767_225_600_000 + sent).to_string())
    };
    let queue = events::sqs("orders.fifo")
        .message(message("m1", 0))
        .message(message("m2", 299_999))
        .message(message("m3", 300_000));
    let history = EventSource::sqs(queue).run(async |_: Event| Ok::<_, Infallible>(())).await;
    assert_eq!(history.done(), ["m1", "m3"], "counted from the message that was accepted");
}

#[tokio::test]
#[should_panic(expected = "a FIFO queue takes no batching window")]
async fn a_batching_window_is_refused() {
    let source = source("a1").batch_window(Duration::from_secs(1));
    source.run(async |_: Event| Ok::<_, Infallible>(())).await;
}
