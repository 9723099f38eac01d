//! What services send through each other, as an emulator of them delivers it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use powertools::Clock;
use powertools::batch::{self, FromRecord, KinesisMessage, Message, RecordError};
use powertools::events::{
    Body, CloudWatchLogs, EventBridge, KinesisEvent, S3Notification, Sns, SqsEvent, natural,
};
use powertools_tests::emulators::Emulator;
use serde_json::{Value, json};

use super::client::{Queue, send};

const VISIBILITY: Duration = Duration::from_secs(600);

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Order {
    id: u64,
}

/// A name that no other test has.
fn name(kind: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);

    format!("{kind}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Calls a service whose operations are in a header.
async fn call(emulator: &Emulator, service: &str, target: &str, request: Value) -> Value {
    let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
    let body = send(emulator.endpoint(), service, "POST", "/", &headers, request.to_string()).await;
    if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() }
}

/// Calls SNS, and returns what it writes as `element`.
async fn sns(emulator: &Emulator, action: &str, members: &[(&str, &str)], element: &str) -> String {
    let fixed = [("Action", action), ("Version", "2010-03-31")];
    let pair = |(name, value): &(&str, &str)| {
        let value: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!("{name}={value}")
    };
    let form: Vec<_> = fixed.iter().chain(members).map(pair).collect();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let text = send(emulator.endpoint(), "sns", "POST", "/", &headers, form.join("&")).await;
    let start = text.split_once(&format!("<{element}>")).unwrap_or_else(|| panic!("{text}")).1;
    start.split_once('<').unwrap().0.to_owned()
}

async fn s3(emulator: &Emulator, path: &str, body: impl Into<String>) {
    send(emulator.endpoint(), "s3", "PUT", path, &[], body.into()).await;
}

/// Takes `count` messages from the queue, and processes them as `M`s, all of which succeed.
async fn process<M>(queue: &Queue, count: usize) -> Vec<M>
where
    M: FromRecord<powertools::events::SqsRecord>,
{
    let mut messages = Vec::new();
    for _ in 0..100 {
        messages.extend(queue.receive(VISIBILITY).await);
        if messages.len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let event: SqsEvent = serde_json::from_value(super::event(&messages)).unwrap();
    let read = Mutex::new(Vec::new());
    let handler = async |message: M| {
        read.lock().unwrap().push(message);
        Ok::<_, RecordError>(())
    };
    let report = batch::sqs(event).run(handler).await;
    assert!(report.is_done(), "{report:?} of {messages:?}");
    assert_eq!(messages.len(), count, "{messages:?}");
    queue.delete(messages.iter()).await;
    read.into_inner().unwrap()
}

async fn topic_to_queue(emulator: &Emulator, attributes: &[(&str, &str)]) -> (String, Queue) {
    let queue = Queue::create(emulator, None).await;
    let topic = sns(emulator, "CreateTopic", &[("Name", &name("topic"))], "TopicArn").await;
    let arn = queue.arn().await;
    let mut members = vec![
        ("TopicArn".to_owned(), topic.as_str()),
        ("Protocol".to_owned(), "sqs"),
        ("Endpoint".to_owned(), arn.as_str().unwrap()),
    ];
    for (n, (name, value)) in (1..).zip(attributes) {
        members.push((format!("Attributes.entry.{n}.key"), name));
        members.push((format!("Attributes.entry.{n}.value"), value));
    }
    let members: Vec<_> = members.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    sns(emulator, "Subscribe", &members, "SubscriptionArn").await;
    (topic, queue)
}

/// Creates a bucket that notifies the topic of new objects, and of that.
async fn notifying_bucket(emulator: &Emulator, topic: &str) -> String {
    let bucket = name("bucket");
    s3(emulator, &format!("/{bucket}"), "").await;
    let rule = format!(
        "<NotificationConfiguration><TopicConfiguration><Topic>{topic}</Topic>\
         <Event>s3:ObjectCreated:*</Event></TopicConfiguration></NotificationConfiguration>"
    );
    s3(emulator, &format!("/{bucket}?notification"), rule).await;
    bucket
}

#[tokio::test]
async fn an_object_reaches_the_function_through_a_topic_and_a_queue() {
    let Some(emulator) = Emulator::first() else { return };
    let (topic, queue) = topic_to_queue(&emulator, &[]).await;
    let bucket = notifying_bucket(&emulator, &topic).await;
    s3(&emulator, &format!("/{bucket}/a%20b%2Bc.txt"), "seven").await;

    let messages = process::<Message<Sns<S3Notification>>>(&queue, 2).await;
    let (test, created): (Vec<_>, Vec<_>) =
        messages.iter().map(|message| &message.body).partition(|sent| sent.message.is_test);
    assert_eq!(test.len(), 1);
    assert!(test[0].message.records.is_empty());
    let [object] = &created[0].message.records[..] else { panic!("{created:?}") };
    assert_eq!(object.key().as_deref(), Some("a b+c.txt"));
    assert_eq!(object.bucket(), Some(bucket.as_str()));
    assert_eq!(created[0].topic_arn.as_deref(), Some(topic.as_str()));
    // The emulator writes no sequencer, so it could be that of another change.
    assert!(natural(&created[0].message).is_absent());
    assert!(!natural(&created[0]).is_absent());
}

#[tokio::test]
async fn an_object_reaches_the_function_through_a_topic_with_raw_delivery() {
    let Some(emulator) = Emulator::first() else { return };
    let (topic, queue) = topic_to_queue(&emulator, &[("RawMessageDelivery", "true")]).await;
    let bucket = notifying_bucket(&emulator, &topic).await;
    s3(&emulator, &format!("/{bucket}/k"), "seven").await;
    let messages = process::<Message<S3Notification>>(&queue, 2).await;
    let keys: Vec<_> = messages.iter().flat_map(|message| &message.body.records).collect();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].key().as_deref(), Some("k"));
}

/// Publishes an order for `shop`.
async fn publish(emulator: &Emulator, topic: &str, id: u64, shop: &str) -> String {
    let order = json!({ "id": id }).to_string();
    let members = [
        ("TopicArn", topic),
        ("Message", order.as_str()),
        ("MessageAttributes.entry.1.Name", "shop"),
        ("MessageAttributes.entry.1.Value.DataType", "String"),
        ("MessageAttributes.entry.1.Value.StringValue", shop),
    ];
    sns(emulator, "Publish", &members, "MessageId").await
}

#[tokio::test]
async fn a_topic_delivers_what_its_filter_admits_with_attributes() {
    let Some(emulator) = Emulator::first() else { return };
    let filter = ("FilterPolicy", r#"{"shop":["north"]}"#);
    let (topic, queue) = topic_to_queue(&emulator, &[filter]).await;
    publish(&emulator, &topic, 1, "south").await;
    let id = publish(&emulator, &topic, 2, "north").await;
    let messages = process::<Message<Sns<Order>>>(&queue, 1).await;
    let sent = &messages[0].body;
    assert_eq!(sent.message, Order { id: 2 });
    assert_eq!(
        (sent.message_id.as_deref(), sent.attribute("shop")),
        (Some(id.as_str()), Some("north"))
    );

    let (topic, queue) = topic_to_queue(&emulator, &[filter, ("RawMessageDelivery", "true")]).await;
    publish(&emulator, &topic, 3, "south").await;
    publish(&emulator, &topic, 4, "north").await;
    let messages = process::<Message<Order>>(&queue, 1).await;
    assert_eq!(messages[0].body, Order { id: 4 });
    let shop = messages[0].message_attribute("shop").unwrap();
    assert_eq!((&*shop.data_type, shop.string_value.as_deref()), ("String", Some("north")));
}

#[tokio::test]
async fn an_event_reaches_the_function_through_a_rule_and_a_queue() {
    let Some(emulator) = Emulator::first() else { return };
    let queue = Queue::create(&emulator, None).await;
    let (rule, source) = (name("rule"), name("shop"));
    let pattern = json!({ "source": [source] }).to_string();
    let events = async |target: &str, request| {
        call(&emulator, "events", &format!("AWSEvents.{target}"), request).await
    };
    events("PutRule", json!({ "Name": rule, "EventPattern": pattern })).await;
    let targets = json!([{ "Id": "1", "Arn": queue.arn().await }]);
    events("PutTargets", json!({ "Rule": rule, "Targets": targets })).await;
    let entry = |source: &str, id: u64| {
        let detail = json!({ "id": id }).to_string();
        json!({ "Source": source, "DetailType": "OrderPlaced", "Detail": detail })
    };
    let entries = json!([entry("elsewhere", 1), entry(&source, 2)]);
    let sent = events("PutEvents", json!({ "Entries": entries })).await;

    let messages = process::<Message<EventBridge<Order>>>(&queue, 1).await;
    let event = &messages[0].body;
    assert_eq!((&event.detail, event.detail_type.as_str()), (&Order { id: 2 }, "OrderPlaced"));
    assert_eq!(json!(event.id), sent["Entries"][1]["EventId"]);
    assert!(!natural(event).is_absent());
}

#[tokio::test]
async fn log_events_reach_the_function_through_a_subscription_and_a_stream() {
    let Some(emulator) = Emulator::first() else { return };
    let (stream, group) = (name("stream"), name("group"));
    let kinesis = async |target: &str, request| {
        call(&emulator, "kinesis", &format!("Kinesis_20131202.{target}"), request).await
    };
    let logs = async |target: &str, request| {
        call(&emulator, "logs", &format!("Logs_20140328.{target}"), request).await
    };
    kinesis("CreateStream", json!({ "StreamName": stream, "ShardCount": 1 })).await;
    let described = kinesis("DescribeStream", json!({ "StreamName": stream })).await;
    let arn = described["StreamDescription"]["StreamARN"].clone();
    logs("CreateLogGroup", json!({ "logGroupName": group })).await;
    logs("CreateLogStream", json!({ "logGroupName": group, "logStreamName": "s" })).await;
    let filter = json!({
        "logGroupName": group, "filterName": "f", "filterPattern": "", "destinationArn": arn,
        "roleArn": "arn:aws:iam::123456789012:role/logs",
    });
    logs("PutSubscriptionFilter", filter).await;
    // Events of more than two weeks ago are refused.
    let now = Clock::system().now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    let sent = json!([{ "timestamp": now, "message": "{\"id\":7}" }]);
    let request = json!({ "logGroupName": group, "logStreamName": "s", "logEvents": sent });
    logs("PutLogEvents", request).await;

    let request = json!({
        "StreamName": stream, "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON",
    });
    let iterator = kinesis("GetShardIterator", request).await["ShardIterator"].clone();
    let read = kinesis("GetRecords", json!({ "ShardIterator": iterator })).await;
    let record = |record: &Value| {
        json!({
            "eventID": format!("shardId-000000000000:{}", record["SequenceNumber"].as_str().unwrap()),
            "eventSource": "aws:kinesis",
            "eventSourceARN": arn,
            "kinesis": {
                "data": record["Data"],
                "partitionKey": record["PartitionKey"],
                "sequenceNumber": record["SequenceNumber"],
            },
        })
    };
    let records: Vec<_> = read["Records"].as_array().unwrap().iter().map(record).collect();
    assert!(!records.is_empty(), "{read}");
    let event: KinesisEvent = serde_json::from_value(json!({ "Records": records })).unwrap();
    let found = Mutex::new(Vec::new());
    let handler = async |logs: KinesisMessage<Value>| {
        assert_eq!(logs.body["messageType"], "DATA_MESSAGE");
        for event in logs.body["logEvents"].as_array().unwrap() {
            found.lock().unwrap().push(Order::from_text(event["message"].as_str().unwrap())?);
        }
        Ok::<_, RecordError>(())
    };
    let report = batch::kinesis(event.clone()).run(handler).await;
    assert!(report.is_done(), "{report:?}");
    assert_eq!(found.into_inner().unwrap(), [Order { id: 7 }]);

    // The emulator numbers log events, which have a string as their id on AWS.
    let handler = async |_: KinesisMessage<CloudWatchLogs>| Ok::<_, RecordError>(());
    let report = batch::kinesis(event).run(handler).await;
    let error = report.records().next().unwrap().1.error().unwrap().to_string();
    assert!(error.contains("at `logEvents[0].id`"), "{error}");
}
