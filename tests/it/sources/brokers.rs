//! Queues of Amazon MQ and change streams of DocumentDB: the mapping reads no reply.

use std::cell::Cell;
use std::convert::Infallible;

use lambda_runtime::LambdaEvent;
use powertools::batch::{self, ActiveMqMessage, RabbitMqMessage};
use powertools::events::{ActiveMqEvent, DocumentDbEvent, DocumentDbRecord, RabbitMqEvent};
use powertools::testing::events::{self, ActiveMqMessages, DocumentDbChanges, RabbitMqMessages};
use powertools::testing::{End, EventSource, History, Stream};
use serde_json::{Value, json};

use super::{Event, deliveries, ends, failed, most_at_once};

fn active_mq(messages: usize) -> EventSource<Stream> {
    let queue: ActiveMqMessages = (0..messages).fold(events::active_mq("orders"), |queue, n| {
        queue.message(n.to_string()).id(format!("m{n}"))
    });
    EventSource::active_mq(queue)
}

fn rabbit_mq(messages: usize) -> EventSource<Stream> {
    let queue: RabbitMqMessages =
        (0..messages).fold(events::rabbit_mq("orders"), |queue, n| queue.message(n.to_string()));
    EventSource::rabbit_mq(queue)
}

fn document_db(changes: usize) -> EventSource<Stream> {
    let changes: DocumentDbChanges = (0..changes)
        .fold(events::document_db("shop", "orders"), |changes, n| {
            changes.change("insert", n, json!({ "n": n }))
        });
    EventSource::document_db(changes)
}

fn batches(history: &History) -> Vec<String> {
    deliveries(history).into_iter().map(|(_, batch)| batch).collect()
}

#[tokio::test]
async fn a_record_that_only_the_reply_reports_is_lost() {
    let token = format!("01{:030x}", 2);
    let cases =
        [(active_mq(2), "m1"), (rabbit_mq(2), "orders#1"), (document_db(2), token.as_str())];
    for (source, reported) in cases {
        let history = source.run(async |_: Event| Ok::<_, Infallible>(failed([reported]))).await;
        assert_eq!(history.done()[1], reported);
        assert_eq!(ends(&history), [&End::Replied(vec![])]);
    }
}

#[tokio::test]
async fn an_error_delivers_the_whole_batch_again() {
    for source in [active_mq(2), rabbit_mq(2), document_db(2)] {
        let first = Cell::new(true);
        let history = source
            .run(async |_: Event| if first.take() { Err("no database") } else { Ok(()) })
            .await;
        let batches = batches(&history);
        assert_eq!(batches.len(), 2, "{history}");
        assert_eq!(batches[0], batches[1]);
        assert_eq!(history.done().len(), 2);
    }
}

#[tokio::test]
async fn a_message_says_that_it_was_delivered_before() {
    fn redelivered(event: &Value) -> Vec<bool> {
        let queues = event["rmqMessagesByQueue"].as_object().into_iter().flatten();
        let lists = queues.map(|(_, list)| list).chain(event.get("messages"));
        let messages = lists.flat_map(|list| list.as_array().unwrap());
        messages.map(|message| message["redelivered"].as_bool().unwrap()).collect()
    }
    for source in [active_mq(2), rabbit_mq(2)] {
        let count = Cell::new(0);
        source
            .run(async |event: Event| {
                count.set(count.get() + 1);
                assert_eq!(redelivered(&event.payload), [count.get() > 1; 2]);
                if count.get() < 3 { Err("not yet") } else { Ok(()) }
            })
            .await;
        assert_eq!(count.get(), 3);
    }
}

#[tokio::test]
async fn activemq_gives_a_message_up_after_six_redeliveries_and_others_never_do() {
    let fail = async |_: Event| Err::<(), _>("no database");
    let history = active_mq(1).run(fail).await;
    assert_eq!(history.deliveries_of("m0").count(), 7);
    assert_eq!(history.dead_lettered(), ["m0"]);

    for source in [rabbit_mq(1), document_db(1)] {
        let history = source.max_invocations(50).run(fail).await;
        assert_eq!(history.deliveries().count(), 50);
        assert_eq!(history.unsettled().len(), 1);
    }
}

#[tokio::test]
async fn only_activemq_has_several_batches_at_once() {
    for (source, most) in [(active_mq(12), 5), (rabbit_mq(12), 1), (document_db(12), 1)] {
        let (largest, history) = most_at_once(source.batch_size(1)).await;
        assert_eq!(largest, most);
        assert_eq!(history.done().len(), 12);
    }
}

#[tokio::test]
async fn batches_of_these_sources_are_delivered_at_least_once_whatever_dies() {
    async fn messages(event: LambdaEvent<ActiveMqEvent>) -> Result<(), batch::Error> {
        let handler = async |_: ActiveMqMessage<u64>| {
            tokio::task::yield_now().await;
            Ok::<_, String>(())
        };
        batch::active_mq(event.payload).run(handler).await.into_reply().map(drop)
    }
    async fn others(event: LambdaEvent<RabbitMqEvent>) -> Result<(), batch::Error> {
        let handler = async |_: RabbitMqMessage<u64>| {
            tokio::task::yield_now().await;
            Ok::<_, String>(())
        };
        batch::rabbit_mq(event.payload).run(handler).await.into_reply().map(drop)
    }
    for seed in 0..30 {
        let hostile = |source: EventSource<Stream>| {
            source.seed(seed).irregular_batches().crashes(0.2).timeouts(0.1).duplicates(0.1)
        };
        let history = hostile(active_mq(12)).run(messages).await;
        // What died too often is with the broker.
        let lost = history.unsettled().len() + history.discarded().len();
        assert_eq!((lost, history.done().len() + history.dead_lettered().len()), (0, 12));
        assert_eq!(hostile(rabbit_mq(12)).run(others).await.done().len(), 12);

        let source = hostile(document_db(12));
        let effects = source.effects();
        let history = source
            .run(async |event: LambdaEvent<DocumentDbEvent>| {
                let handler = async |change: DocumentDbRecord| {
                    effects.record(change.id().unwrap());
                    tokio::task::yield_now().await;
                    Ok::<_, String>(())
                };
                let batch = batch::document_db(event.payload);
                batch.run(handler).await.into_reply().map(drop)
            })
            .await;
        assert_eq!(history.done().len(), 12);
        assert_eq!(history.first_effects(), ids(&history), "{history}");
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_history_without_ids() {
    let run = || {
        let queue = events::active_mq("orders").message("1").message("2");
        EventSource::active_mq(queue).seed(7).crashes(0.5).run(succeed)
    };
    assert_eq!(run().await, run().await);
}

#[test]
#[should_panic(expected = "has no destination for failures")]
fn a_mapping_of_a_broker_has_no_destination() {
    let _ = rabbit_mq(1).on_failure_destination(true);
}

fn ids(history: &History) -> Vec<String> {
    history.records().map(str::to_owned).collect()
}

async fn succeed(_: Event) -> Result<(), Infallible> {
    Ok(())
}
