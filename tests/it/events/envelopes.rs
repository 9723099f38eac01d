//! Events inside other events, and what an error about one names.

use std::cmp::Ordering;
use std::convert::Infallible;
use std::fmt::Debug;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use powertools::batch::{self, FromRecord, KafkaMessage, KinesisMessage, Message};
use powertools::events::{
    Body, CloudWatchLogs, CloudWatchLogsEvent, DynamoDbRecord, EventBridge, KafkaEvent,
    KinesisEvent, ParseError, S3Detail, S3Notification, S3Record, SchedulerContext, Sns, SnsEvent,
    SqsEvent, SqsRecord, Text, natural,
};
use powertools::testing::events::{self, KafkaRecord, KinesisRecord, SqsMessage};
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Order {
    items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Item {
    price: u32,
}

fn order() -> Value {
    json!({ "items": [{ "price": 1 }, { "price": 2 }] })
}

fn wrong_order() -> Value {
    json!({ "items": [{ "price": 1 }, { "price": "x" }] })
}

fn read<T: DeserializeOwned>(event: Value) -> T {
    serde_json::from_value(event).unwrap()
}

/// The message of a queue with this body.
fn received(body: impl Into<SqsMessage>) -> SqsRecord {
    let event: SqsEvent = read(events::sqs("orders").message(body).build());
    event.records[0].clone()
}

fn message<T: Body>(body: impl Into<SqsMessage>) -> Message<T> {
    Message::from_record(received(body)).unwrap()
}

/// The error about a body, with its causes.
fn problem<T: Body + Debug>(body: impl Into<SqsMessage>) -> String {
    let error = Message::<T>::from_record(received(body)).unwrap_err();
    batch::RecordError::retry(error).to_string()
}

fn in_sns(message: &Value) -> Value {
    events::sns("orders", message.to_string()).id("n-1").envelope()
}

fn in_event_bridge(detail: Value) -> Value {
    events::event_bridge("shop", "OrderPlaced", detail).id("e-1").build()
}

#[test]
fn envelopes_nest() {
    let expected = Order { items: vec![Item { price: 1 }, Item { price: 2 }] };
    let of_sns: Message<Sns<Order>> = message(in_sns(&order()));
    assert_eq!(of_sns.body.message, expected);
    assert_eq!(of_sns.body.message_id.as_deref(), Some("n-1"));

    let of_bus: Message<EventBridge<Order>> = message(in_event_bridge(order()));
    assert_eq!(of_bus.body.detail, expected);

    let both: Message<Sns<EventBridge<Order>>> = message(in_sns(&in_event_bridge(order())));
    assert_eq!(both.body.message.detail, expected);
    assert_eq!(natural(&both.body), natural(&of_sns.body));
    assert_eq!(natural(&both.body.message), natural(&of_bus.body));

    let twice: Message<Sns<Sns<Order>>> = message(in_sns(&in_sns(&order())));
    assert_eq!(twice.body.message.message, expected);

    let event: SnsEvent<EventBridge<Order>> =
        read(events::sns("t", in_event_bridge(order()).to_string()).build());
    assert_eq!(event.records[0].message.detail, expected);

    let event = events::kinesis("s").record(KinesisRecord::json("k", in_event_bridge(order())));
    let event: KinesisEvent = read(event.build());
    let record = KinesisMessage::<EventBridge<Order>>::from_record(event.records[0].clone());
    assert_eq!(record.unwrap().body.detail, expected);
}

#[test]
fn an_error_names_the_layer_and_the_path_in_it() {
    let in_bus = problem::<EventBridge<Order>>(in_event_bridge(wrong_order()));
    assert!(in_bus.starts_with(
        "the body of the record cannot be read at `detail.items[1].price`: invalid type: string, expected"
    ), "{in_bus}");

    let in_topic = problem::<Sns<Order>>(in_sns(&wrong_order()));
    assert!(in_topic.starts_with(
        "the body of the record cannot be read at `Message`: the message of SNS cannot be read at \
         `items[1].price`: invalid type: string, expected u32"
    ), "{in_topic}");

    let in_both = problem::<Sns<EventBridge<Order>>>(in_sns(&in_event_bridge(wrong_order())));
    assert!(
        in_both.contains("the message of SNS cannot be read at `detail.items[1].price`: "),
        "{in_both}"
    );

    let in_two = problem::<Sns<Sns<Order>>>(in_sns(&in_sns(&wrong_order())));
    assert!(in_two.contains(
        "the message of SNS cannot be read at `Message`: the message of SNS cannot be read at `items[1].price`: "
    ), "{in_two}");

    let plain = problem::<Sns<Order>>(events::sns("orders", "hello").envelope());
    assert!(plain.contains("the message of SNS cannot be read as JSON: expected value"), "{plain}");

    let event = events::sns("t", wrong_order().to_string()).build();
    let error = serde_json::from_value::<SnsEvent<Order>>(event).unwrap_err().to_string();
    assert!(
        error.starts_with("the message of SNS cannot be read at `items[1].price`: "),
        "{error}"
    );
}

#[test]
fn layers_in_the_wrong_order_are_errors_that_name_what_is_missing() {
    let bus_in_topic = in_sns(&in_event_bridge(order()));
    let error = problem::<EventBridge<Sns<Order>>>(bus_in_topic.clone());
    assert!(error.contains("missing field `source`"), "{error}");
    let error = problem::<Sns<Order>>(order());
    assert!(error.contains("it has no string `Message`; of a subscription with raw"), "{error}");
    let error = problem::<S3Notification>(in_sns(&events::s3("b").created("k", 1).build()));
    assert!(error.contains("not a notification of S3: it has no list `Records`"), "{error}");
    let error = problem::<Sns<S3Notification>>(bus_in_topic);
    assert!(
        error.contains("the message of SNS cannot be read: not a notification of S3"),
        "{error}"
    );
    let error = problem::<Sns<Order>>(json!({ "Message": { "items": [] } }));
    assert!(error.contains("at `Message`: invalid type: map, expected a string"), "{error}");
}

#[tokio::test]
async fn a_message_whose_envelope_is_broken_fails_alone() {
    let event = events::sqs("orders")
        .message(SqsMessage::from(in_sns(&order())).id("m-0"))
        .message(SqsMessage::from(in_sns(&wrong_order())).id("m-1"))
        .message(SqsMessage::from("{\"Message\": \"{\\\"items\\\": [").id("m-2"))
        .message(SqsMessage::from(in_sns(&order())).id("m-3"));
    let run = batch::sqs(read::<SqsEvent>(event.build()))
        .run(async |_: Message<Sns<Order>>| Ok::<_, Infallible>(()));
    let reply = serde_json::to_value(run.await.into_reply().unwrap()).unwrap();
    let failed = |id: &str| json!({ "itemIdentifier": id });
    assert_eq!(reply, json!({ "batchItemFailures": [failed("m-1"), failed("m-2")] }));
}

/// What SNS sends to confirm a subscription, or what has another type. SNS writes the type in front.
fn confirmation(kind: &str) -> String {
    format!(
        r#"{{
            "Type": "{kind}",
            "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
            "TopicArn": "arn:aws:sns:us-east-1:123456789012:orders",
            "Message": "You have chosen to subscribe to the topic.",
            "SubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"
        }}"#
    )
}

/// A queue of another account than its topic receives it, whatever its messages are.
#[tokio::test]
async fn the_confirmation_of_a_subscription_is_no_message() {
    let event = events::sqs("orders")
        .message(SqsMessage::from(confirmation("SubscriptionConfirmation")))
        .message(SqsMessage::from(confirmation("UnsubscribeConfirmation")))
        .message(SqsMessage::from(confirmation("Notification")));
    let event: SqsEvent = read(event.build());
    let run = batch::sqs(event.clone()).run(async |_: Message<Sns>| Ok::<_, Infallible>(()));
    assert_eq!(run.await.into_reply().unwrap().batch_item_failures.len(), 2);
    for error in [
        Message::<Sns>::from_record(event.records[0].clone()).unwrap_err(),
        Message::<Sns<Order>>::from_record(event.records[1].clone()).map(drop).unwrap_err(),
    ] {
        let error = batch::RecordError::retry(error).to_string();
        assert!(error.contains("its `SubscribeURL` confirms a subscription"), "{error}");
    }
}

/// Done, it would be deleted with the only copy of its URL.
#[tokio::test]
async fn a_confirmation_holds_its_group_until_its_last_attempt_or_a_sink_takes_it() {
    let order = || SqsMessage::from(in_sns(&order()));
    let event = |count| {
        let confirmation = SqsMessage::from(confirmation("SubscriptionConfirmation"));
        let event = events::sqs("orders.fifo")
            .message(confirmation.id("c").group("a").receive_count(count))
            .message(order().id("a").group("a").receive_count(count))
            .message(order().id("b").group("b").receive_count(count));
        batch::sqs(read::<SqsEvent>(event.build())).max_receive_count(3)
    };
    // Any text is one for it.
    let handler = async |_: Message<Sns>| Ok::<_, Infallible>(());
    let failed = async |batch: batch::Batch<'_, SqsEvent>| {
        let reply = batch.run(handler).await.into_reply().unwrap();
        let failures = reply.batch_item_failures.into_iter();
        failures.map(|failure| failure.item_identifier.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(failed(event(2)).await, ["c", "a"], "the other group is done");
    assert_eq!(failed(event(3)).await, ["c"], "the queue continues after it, too");
    let with_sink = event(1).permanent_if(|error| error.is::<ParseError>()).permanent_sink(
        |record: SqsRecord, _| async move {
            assert!(record.body().unwrap().contains("SubscribeURL"));
            Ok::<_, Infallible>(())
        },
    );
    assert!(failed(with_sink).await.is_empty());
}

#[test]
fn a_text_is_read_as_it_was_sent() {
    for text in ["hello", "\"hello\"", "7", "{}", "", "ä😀"] {
        assert_eq!(&*message::<Text>(text).body, text);
        let envelope = events::sns("t", text).envelope();
        assert_eq!(&*message::<Sns<Text>>(envelope).body.message, text);
    }
    let kinesis: KinesisEvent = read(
        events::kinesis("s")
            .record(KinesisRecord::new("k", "hello"))
            .record(KinesisRecord::new("k", &b"\xff"[..]))
            .build(),
    );
    let read_record = |n: usize| KinesisMessage::<Text>::from_record(kinesis.records[n].clone());
    assert_eq!(&*read_record(0).unwrap().body, "hello");
    assert!(matches!(read_record(1), Err(ParseError::Utf8(_))));

    let event = events::kafka("t").record(KafkaRecord::new("hello")).build();
    let mut tombstone = event.clone();
    tombstone["records"]["t-0"][0]["value"] = Value::Null;
    let [record, tombstone] =
        [event, tombstone].map(|event| read::<KafkaEvent>(event).records[0].clone());
    assert_eq!(&*KafkaMessage::<Text>::from_record(record).unwrap().body, "hello");
    assert!(matches!(KafkaMessage::<Text>::from_record(tombstone.clone()), Err(ParseError::Empty)));
    assert!(KafkaMessage::<Option<u8>>::from_record(tombstone).unwrap().body.is_none());
}

#[test]
fn the_test_notice_of_s3_is_a_value() {
    let notice = events::s3("uploads").test_notice();
    let direct: S3Notification = read(notice.clone());
    let queued: Message<Sns<S3Notification>> = message(in_sns(&notice));
    for notification in [direct, queued.body.message] {
        assert!(notification.is_test && notification.records.is_empty());
        assert!(natural(&notification).is_absent());
    }
    let objects: Message<Sns<S3Notification>> =
        message(in_sns(&events::s3("uploads").created("a b", 1).build()));
    let objects = &objects.body.message;
    assert!(!objects.is_test);
    assert_eq!(objects.records[0].key().as_deref(), Some("a b"));
}

/// "a+b" is the object `a b` in a notification and the object `a+b` on EventBridge.
#[test]
fn keys_are_decoded_in_notifications_and_raw_on_event_bridge() {
    let event = events::event_bridge(
        "aws.s3",
        "Object Created",
        json!({
            "version": "0",
            "bucket": { "name": "uploads" },
            "object": { "key": "a+b%20", "size": 9, "etag": "e", "version-id": "v", "sequencer": "0A" },
            "request-id": "r",
            "reason": "PutObject",
        }),
    );
    let event: EventBridge<S3Detail> = read(event.build());
    let detail = &event.detail;
    assert_eq!((detail.bucket(), detail.key()), (Some("uploads"), Some("a+b%20")));
    assert_eq!(
        (detail.size(), detail.e_tag(), detail.version_id()),
        (Some(9), Some("e"), Some("v"))
    );
    assert_eq!((detail.sequencer(), detail.reason()), (Some("0A"), Some("PutObject")));
    assert_eq!((detail.request_id(), detail.deletion_type()), (Some("r"), None));

    let mut notification = events::s3("uploads").created("x", 1).build();
    notification["Records"][0]["s3"]["object"]["key"] = json!("a+b%2B");
    let notification: S3Notification = read(notification);
    assert_eq!(notification.records[0].key().as_deref(), Some("a b+"));
}

#[test]
fn sequencers_are_compared_padded_at_their_end() {
    let compare = S3Record::compare_sequencers;
    assert_eq!(compare("B", "0AFF"), Ordering::Greater);
    assert_eq!(compare("0055AED6DCD90281E5", "0055AED6DCD90281E6"), Ordering::Less);
    assert_eq!(compare("0055AED6DCD90281E5", "0055AED6DCD90281E501"), Ordering::Less);
    assert_eq!(compare("0a", "0A00"), Ordering::Equal);
    assert_eq!(compare("", "0"), Ordering::Equal);
}

#[test]
fn a_schedule_is_recognised_by_its_arn_and_time_and_not_by_its_attempt() {
    let run = |id: &str, time: &str| {
        let event: EventBridge<IgnoredAny> =
            read(events::schedule("daily").id(id).time(time).build());
        natural(&event)
    };
    assert_eq!(run("a", "2026-01-01T03:00:00Z"), run("b", "2026-01-01T03:00:00Z"));
    assert_ne!(run("a", "2026-01-01T03:00:00Z"), run("a", "2026-01-02T03:00:00Z"));
    assert!(!run("a", "2026-01-01T03:00:00Z").is_absent());

    let input = |execution: &str, time: &str| {
        natural(&read::<SchedulerContext>(json!({
            "schedule_arn": "arn", "scheduled_time": time, "execution_id": execution,
            "attempt_number": "1",
        })))
    };
    assert_eq!(input("e-1", "t-1"), input("e-2", "t-1"));
    assert_ne!(input("e-1", "t-1"), input("e-1", "t-2"));
    assert!(natural(&read::<SchedulerContext>(json!({ "execution_id": "e" }))).is_absent());
}

#[test]
fn log_events_are_decompressed_and_a_control_message_is_a_value() {
    let event = events::cloudwatch_logs("/aws/lambda/f").message("hello").message("{\"n\":1}");
    let event: CloudWatchLogsEvent = read(event.build());
    let logs = &event.logs;
    assert_eq!((&*logs.log_group, logs.is_control_message), ("/aws/lambda/f", false));
    assert_eq!(logs.subscription_filters, ["all"]);
    assert_eq!(&*logs.events[0].parse::<Text>().unwrap(), "hello");
    assert_eq!(logs.events[1].parse::<Value>().unwrap(), json!({ "n": 1 }));
    assert!(logs.events[0].parse::<Value>().is_err() && logs.events[0].at().is_some());
    assert_ne!(natural(&logs.events[0]), natural(&logs.events[1]));

    let control: CloudWatchLogsEvent = read(events::cloudwatch_logs("g").control_message().build());
    assert!(control.logs.is_control_message && control.logs.events.is_empty());
}

#[test]
fn data_of_cloudwatch_logs_that_cannot_be_read_is_an_error_that_names_it() {
    use std::io::Write as _;
    let good = events::cloudwatch_logs("g").message("hello").compressed();
    let mut twice = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    twice.write_all(&good).unwrap();
    for (data, problem) in [
        (BASE64_STANDARD.encode(&good[..good.len() - 9]), "cannot be decompressed"),
        (BASE64_STANDARD.encode(twice.finish().unwrap()), "as JSON: "),
        ("%".to_owned(), "invalid base64"),
        (BASE64_STANDARD.encode("{}"), "missing field `logEvents`"),
    ] {
        let event = json!({ "awslogs": { "data": data } });
        let error = serde_json::from_value::<CloudWatchLogsEvent>(event).unwrap_err().to_string();
        assert!(error.starts_with("the data of CloudWatch Logs cannot be read"), "{error}");
        assert!(error.contains(problem), "{error}");
    }
}

#[tokio::test]
async fn logs_and_changes_of_items_come_through_a_stream() {
    let logs = events::cloudwatch_logs("g").message("hello").compressed();
    let change = events::dynamodb("orders").insert(json!({ "id": 1 }), json!({ "id": 1 })).build();
    let mut change = change["Records"][0].clone();
    change["dynamodb"].as_object_mut().unwrap().remove("SequenceNumber");
    let event: KinesisEvent =
        read(events::kinesis("s").record(KinesisRecord::new("k", logs)).build());
    let report = batch::kinesis(event).run(async |record: KinesisMessage<CloudWatchLogs>| {
        assert_eq!(record.body.events[0].message, "hello");
        Ok::<_, Infallible>(())
    });
    assert!(report.await.is_done());

    let event: KinesisEvent =
        read(events::kinesis("s").record(KinesisRecord::json("k", change)).build());
    let report = batch::kinesis(event).run(async |record: KinesisMessage<DynamoDbRecord>| {
        assert_eq!(record.body.new_image::<Value>()?, Some(json!({ "id": 1 })));
        assert!(!natural(&record.body).is_absent());
        Ok::<_, ParseError>(())
    });
    assert!(report.await.is_done());
}

proptest! {
    /// What was wrapped is found again, whatever it contains.
    #[test]
    fn texts_survive_their_envelopes(text in ".{0,60}", subject in ".{0,20}") {
        let inner = events::sns("a", &text).subject(&subject).envelope().to_string();
        let read: Message<Sns<Sns<Text>>> = message(events::sns("b", inner).envelope());
        prop_assert_eq!(&*read.body.message.message, &*text);
        prop_assert_eq!(read.body.message.subject.as_deref(), Some(&*subject));
    }

    /// A damaged body is read or it is an error; the record is there either way.
    #[test]
    fn a_damaged_envelope_is_an_error_and_no_panic(place: prop::sample::Index, with in any::<char>(), cut: bool) {
        let body = in_sns(&in_event_bridge(order())).to_string();
        let place = place.index(body.len());
        let damaged = if cut { body[..place].to_owned() } else { format!("{}{with}{}", &body[..place], &body[place + 1..]) };
        let record = received(&*damaged);
        prop_assert_eq!(record.body(), Some(&*damaged));
        let result = Message::<Sns<EventBridge<Order>>>::from_record(record);
        prop_assert!(!cut || result.is_err());
    }
}

/// Taken for one, it would be handled as a change or a notification of nothing, and lost.
#[test]
fn what_is_no_change_and_no_notification_is_an_error_that_says_so() {
    let of_kinesis = |data: &Value| {
        let records = events::kinesis("changes").record(KinesisRecord::new("a", data.to_string()));
        let event: KinesisEvent = read(records.build());
        let result = KinesisMessage::<DynamoDbRecord>::from_record(event.records[0].clone());
        result.map_err(|error| batch::RecordError::retry(error).to_string())
    };
    let keys = json!({ "id": { "S": "a" } });
    let change = json!({ "eventSource": "aws:dynamodb", "dynamodb": { "Keys": keys } });
    assert!(of_kinesis(&change).is_ok());
    let other = json!({ "eventSource": "aws:s3", "dynamodb": { "Keys": keys } });
    for wrong in [json!(7), Value::Null, json!([change]), json!({ "dynamodb": {} }), order(), other]
    {
        let error = of_kinesis(&wrong).unwrap_err();
        assert!(error.contains("not a change of an item in DynamoDB"), "{wrong}: {error}");
    }

    let queue = events::sqs("orders").message(order()).build();
    let topic = events::sns("orders", "hello").build();
    for wrong in [queue, topic, json!({ "Records": [{}] }), json!({ "Records": [order()] })] {
        let error = problem::<S3Notification>(wrong.clone());
        assert!(error.contains("not a notification of S3"), "{wrong}: {error}");
    }
    let minio = json!({ "eventSource": "minio:s3", "s3": { "object": { "key": "k" } } });
    let objects: Message<S3Notification> = message(json!({ "Records": [minio] }));
    assert_eq!(objects.body.records[0].key().as_deref(), Some("k"));

    let event = events::event_bridge("shop", "OrderPlaced", order()).build();
    let error = problem::<EventBridge<S3Detail>>(event);
    assert!(error.contains("not the detail of an event of S3"), "{error}");
}
