//! Queues and streams whose records come through EventBridge Pipes.

use std::cell::Cell;
use std::convert::Infallible;

use lambda_runtime::LambdaEvent;
use powertools::batch::{self, Change, KafkaMessage, KinesisMessage, Message, ReplyOf};
use powertools::events::{DynamoDbEvent, KafkaEvent, KinesisEvent, SqsEvent};
use powertools::testing::events::{self, KafkaRecord, KinesisRecord, SqsMessage};
use powertools::testing::{End, EventSource, Stream};
use serde_json::{Value, json};

use super::{Event, ends, failed};

fn queue() -> powertools::testing::events::SqsMessages {
    events::sqs("orders")
        .message(SqsMessage::from("1").id("good"))
        .message(SqsMessage::from("poison").id("poison"))
}

fn clicks(values: &str) -> EventSource<Stream> {
    let records =
        (1..).zip(values.split(' ')).fold(events::kinesis("clicks"), |records, (n, v)| {
            records.record(KinesisRecord::new("key", v.to_owned()).sequence_number(n.to_string()))
        });
    EventSource::kinesis(records).through_pipe()
}

#[tokio::test]
async fn the_reply_is_read_whatever_the_flag_of_mappings() {
    async fn charge(event: LambdaEvent<SqsEvent>) -> Result<ReplyOf<SqsEvent>, batch::Error> {
        let handler = async |_: Message<u64>| Ok::<_, String>(());
        batch::sqs(event.payload).run(handler).await.into_reply()
    }
    let source = EventSource::sqs(queue()).through_pipe().report_batch_item_failures(false);
    let history = source.max_receive_count(2).run(charge).await;
    assert_eq!(history.done(), ["good"]);
    assert_eq!(history.dead_lettered(), ["poison"]);
}

#[tokio::test]
async fn an_event_is_a_list_of_records() {
    EventSource::sqs(queue())
        .through_pipe()
        .run(async |event: Event| {
            assert_eq!(event.payload[1]["messageId"], "poison");
            Ok::<_, Infallible>(())
        })
        .await;
    clicks("a b")
        .run(async |event: Event| {
            let record = &event.payload[1];
            assert_eq!((&record["sequenceNumber"], record.get("kinesis")), (&json!("2"), None));
            Ok::<_, Infallible>(())
        })
        .await;
}

#[tokio::test]
async fn a_record_of_a_stream_is_reported_by_the_id_of_its_event() {
    for (reported, batches) in [("shardId-000000000000:2", 2), ("2", 3)] {
        let count = Cell::new(0);
        let history = clicks("a b c")
            .run(async |event: Event| {
                count.set(count.get() + 1);
                let left = event.payload.as_array().unwrap().len();
                let reported = if count.get() < batches { vec![reported] } else { vec![] };
                if count.get() == 2 {
                    assert_eq!(left, if batches == 2 { 2 } else { 3 });
                }
                Ok::<_, Infallible>(failed(reported))
            })
            .await;
        let is_unreadable = matches!(ends(&history)[0], End::Unreadable(_));
        assert_eq!(is_unreadable, batches == 3, "{history}");
    }
}

#[tokio::test]
async fn a_batch_goes_on_at_the_record_that_failed() {
    async fn read(event: LambdaEvent<KinesisEvent>) -> Result<ReplyOf<KinesisEvent>, batch::Error> {
        let handler = async |_: KinesisMessage<u64>| Ok::<_, String>(());
        batch::kinesis(event.payload).run(handler).await.into_reply()
    }
    let source = clicks("1 2 poison 4").maximum_retry_attempts(1).on_failure_destination(true);
    let history = source.bisect_batch_on_function_error(true).run(read).await;
    assert_eq!(history.done(), ["1", "2", "4"]);
    assert_eq!(history.sent_to_destination(), ["3"]);
    assert_eq!(history.deliveries_of("1").count(), 1);
    assert!(history.steps().iter().all(|step| !format!("{step:?}").contains("Unreadable")));
}

#[tokio::test]
async fn changes_of_a_table_come_through_a_pipe_too() {
    let keys = |n: u64| json!({ "id": n });
    let changes = (1..=3).fold(events::dynamodb("orders"), |changes, n| {
        changes.insert(keys(n), json!({ "id": n, "n": n }))
    });
    let source = EventSource::dynamodb(changes).through_pipe();
    let effects = source.effects();
    let count = Cell::new(0);
    let history = source
        .run(async |event: LambdaEvent<DynamoDbEvent>| {
            let handler = async |change: Change<Value>| {
                let id = change.new.unwrap()["id"].clone();
                count.set(count.get() + 1);
                if count.get() == 2 {
                    return Err("not yet");
                }
                effects.record(id.to_string());
                Ok(())
            };
            batch::dynamodb(event.payload).run(handler).await.into_reply()
        })
        .await;
    assert_eq!(history.effects(), ["1", "2", "3"], "{history}");
    assert_eq!(history.done().len(), 3);
}

#[tokio::test]
async fn a_batch_of_a_topic_comes_again_as_a_whole_whatever_the_reply_says() {
    let topic = || {
        let record = |n: u64| KafkaRecord::json(json!(n)).partition((n % 2) as u32);
        let topic = (1..=3).fold(events::kafka("orders"), |topic, n| topic.record(record(n)));
        EventSource::kafka(topic).through_pipe().report_batch_item_failures(true)
    };
    for is_partial in [false, true] {
        let is_first = Cell::new(true);
        let history = topic()
            .run(async |event: LambdaEvent<KafkaEvent>| {
                let handler = async |n: KafkaMessage<u64>| {
                    if n.body == 3 && is_first.take() { Err("not yet") } else { Ok(()) }
                };
                let batch = batch::kafka(event.payload);
                let batch = if is_partial { batch.partial_response() } else { batch };
                batch.run(handler).await.into_reply()
            })
            .await;
        for id in ["orders-0@0", "orders-1@0", "orders-1@1"] {
            assert_eq!(history.deliveries_of(id).count(), 2, "{history}");
        }
    }
}

#[test]
#[should_panic(expected = "only the pipes of SQS, Kinesis, DynamoDB and Kafka")]
fn a_pipe_of_a_broker_is_not_simulated() {
    let _ = EventSource::active_mq(events::active_mq("orders")).through_pipe();
}
