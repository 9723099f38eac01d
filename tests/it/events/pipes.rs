//! What EventBridge Pipes sends: the records alone, those of Kinesis flat.

use powertools::batch::{self, Change, Error, KinesisMessage, Message, Record};
use powertools::events::{DynamoDbEvent, KinesisEvent, SqsEvent, natural};
use powertools::testing::events::{self, KinesisRecord, SqsMessage};
use serde_json::{Value, json};

fn read<T: serde::de::DeserializeOwned>(event: &Value) -> T {
    let from_text = serde_json::from_str(&event.to_string()).unwrap();
    let _: T = serde_json::from_value(event.clone()).unwrap();
    from_text
}

#[tokio::test]
async fn the_bare_records_of_a_pipe_are_a_batch() {
    let event = events::sqs("orders.fifo")
        .message(SqsMessage::from(json!(1)).id("m-1").group("a"))
        .message(SqsMessage::from(json!(2)).id("m-2").group("b"));
    let event: SqsEvent = read(&event.build_piped());
    assert_eq!(event.records[1].order().as_deref(), Some("b"));
    let run =
        batch::sqs(event).run(async |n: Message<u8>| if n.body == 2 { Err("no") } else { Ok(()) });
    let reply = serde_json::to_value(run.await.into_reply().unwrap()).unwrap();
    assert_eq!(reply, json!({ "batchItemFailures": [{ "itemIdentifier": "m-2" }] }));

    let keys = json!({ "id": 1 });
    let event = events::dynamodb("orders").insert(keys.clone(), keys);
    let event: DynamoDbEvent = read(&event.build_piped());
    let run = batch::dynamodb(event).run(async |change: Change<Value>| {
        if change.new == Some(json!({ "id": 1 })) { Ok(()) } else { Err("another image") }
    });
    assert!(run.await.is_done());
}

#[tokio::test]
async fn a_flat_record_of_kinesis_has_all_that_another_has() {
    let event = events::kinesis("clicks")
        .record(KinesisRecord::json("a", json!(1)).sequence_number("41"))
        .record(KinesisRecord::json("b", json!(2)).sequence_number("42"));
    let events = [event.clone().build(), event.build_piped()];
    let [nested, flat]: [KinesisEvent; 2] = events.each_ref().map(read);
    for (nested, flat) in std::iter::zip(&nested.records, &flat.records) {
        assert_eq!(natural(flat), natural(nested));
        assert_eq!(flat.sequence_number(), nested.sequence_number());
        assert_eq!(flat.partition_key(), nested.partition_key());
        assert_eq!(flat.data().unwrap(), nested.data().unwrap());
        assert_eq!(flat.arrived_at(), nested.arrived_at());
    }
    let run = batch::kinesis(flat)
        .run(async |n: KinesisMessage<u8>| if n.body == 2 { Err("no") } else { Ok(()) });
    let reply = serde_json::to_value(run.await.into_reply().unwrap()).unwrap();
    let id = "shardId-000000000000:42";
    assert_eq!(reply, json!({ "batchItemFailures": [{ "itemIdentifier": id }] }));
}

#[tokio::test]
async fn bare_records_of_another_source_are_refused() {
    let event = events::kinesis("clicks").record(KinesisRecord::json("a", json!(1)));
    let event: SqsEvent = read(&event.build_piped());
    let run = batch::sqs(event).run(async |_: Message<u8>| Ok::<_, String>(()));
    let error = run.await.into_reply().unwrap_err();
    assert!(matches!(error, Error::SourceUnexpected { index: 0, .. }), "{error}");

    let event: SqsEvent = read(&json!([{}, 7]));
    let run = batch::sqs(event).run(async |_: Message<u8>| Ok::<_, String>(()));
    let error = run.await.into_reply().unwrap_err();
    assert!(matches!(error, Error::IdentifierMissing { index: 0 }), "{error}");
}
