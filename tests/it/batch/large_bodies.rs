//! Messages whose bodies are in S3.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::Mutex;

use futures_util::FutureExt as _;
use powertools::batch::{self, FromRecord as _, LargeBodies, Message, Outcome, RecordError};
use powertools::events::{Body, ParseError, S3Pointer, Sns, SqsEvent, SqsRecord, Text};
use powertools::testing::events::{self, SqsMessage};
use powertools_tests::alone_with;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::{outcomes, parse, reported};
use crate::events::properties::{change, odd};

type BoxError = Box<dyn StdError + Send + Sync>;

/// A bucket.
#[derive(Default)]
struct Bucket(Mutex<HashMap<String, Vec<u8>>>);

impl Bucket {
    fn of(objects: &[(&str, &str)]) -> Self {
        let objects =
            objects.iter().map(|(key, body)| ((*key).to_owned(), body.as_bytes().to_vec()));
        Self(Mutex::new(objects.collect()))
    }
}

impl LargeBodies for Bucket {
    async fn get(&self, pointer: &S3Pointer) -> Result<Option<Vec<u8>>, BoxError> {
        if pointer.bucket != "bodies" {
            return Err("another bucket".into());
        }
        Ok(self.0.lock().unwrap().get(&pointer.key).cloned())
    }

    async fn delete(&self, pointer: &S3Pointer) -> Result<(), BoxError> {
        self.0.lock().unwrap().remove(&pointer.key);
        Ok(())
    }
}

const JAVA_1: (&str, &str) =
    ("com.amazon.sqs.javamessaging.MessageS3Pointer", "SQSLargePayloadSize");
const JAVA_2: (&str, &str) =
    ("software.amazon.payloadoffloading.PayloadS3Pointer", "ExtendedPayloadSize");

fn pointer((class, mark): (&str, &str), bucket: &str, key: &str) -> SqsMessage {
    let body = json!([class, { "s3BucketName": bucket, "s3Key": key }]);
    SqsMessage::from(body.to_string()).message_attribute(mark, "3")
}

fn event(messages: impl IntoIterator<Item = SqsMessage>) -> SqsEvent {
    let event = messages.into_iter().fold(events::sqs("orders"), events::SqsMessages::message);
    parse(event.build())
}

#[tokio::test]
async fn a_body_in_s3_is_read_and_can_be_deleted() {
    let bucket = Bucket::of(&[("a", "70"), ("b", "71"), ("c", "{")]);
    let event = event([
        pointer(JAVA_1, "bodies", "a").id("java-1"),
        pointer(JAVA_2, "bodies", "b").id("java-2"),
        SqsMessage::from(json!(72)).id("its-own"),
        pointer(JAVA_2, "bodies", "c").id("no-number"),
        pointer(JAVA_2, "bodies", "d").id("gone"),
        pointer(JAVA_2, "secrets", "a").id("elsewhere"),
        SqsMessage::from("[1]").message_attribute(JAVA_2.1, "3").id("no-pointer"),
    ]);
    let handler = async |record: SqsRecord| {
        let amount = Message::<u64>::fetch(record, &bucket).await?;
        assert!((70..73).contains(&amount.body));
        amount.delete_large_body(&bucket).await?;
        Ok::<_, RecordError>(())
    };
    let report = batch::sqs(event).concurrency(3).run(handler).await;
    assert_eq!(outcomes(&report), "sssffff");
    let errors: Vec<_> =
        report.records().filter_map(|(_, outcome)| Some(outcome.error()?.to_string())).collect();
    assert!(errors[0].starts_with("the body of the record cannot be read"), "{}", errors[0]);
    assert_eq!(
        errors[1..],
        [
            "the body of the message was in S3 and is gone",
            "the body of the message could not be read from S3: another bucket",
            "the message is marked as one whose body is in S3, and has no pointer to it",
        ]
    );
    assert_eq!(reported(report), ["no-number", "gone", "elsewhere", "no-pointer"]);
    let left: Vec<_> = bucket.0.into_inner().unwrap().into_keys().collect();
    assert_eq!(left, ["c"], "what was not read stays");
}

#[tokio::test]
async fn a_failed_body_is_an_error_with_a_name_that_says_whether_to_try_again() {
    let fetch = async |message| {
        let record = event([message]).records[0].clone();
        Message::<u64>::fetch(record, &Bucket::default()).await.unwrap_err()
    };
    let gone = fetch(pointer(JAVA_2, "bodies", "x")).await;
    assert_eq!((gone.error_type(), gone.is_retryable()), ("Powertools.RecordBodyGone", false));
    let failed = fetch(pointer(JAVA_2, "other", "x")).await;
    assert_eq!(
        (failed.error_type(), failed.is_retryable()),
        ("Powertools.RecordBodyUnavailable", true)
    );
    let huge = pointer(JAVA_2, "bodies", "x").message_attribute(JAVA_2.1, "999999999999");
    assert_eq!(fetch(huge).await.error_type(), "Powertools.RecordTooLarge");
}

/// A message that SNS delivers without raw message delivery.
fn notification(message: &Value, attributes: &Value) -> SqsMessage {
    SqsMessage::from(json!({
        "Type": "Notification",
        "MessageId": "sns-1",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:orders",
        "Message": message,
        "MessageAttributes": attributes,
    }))
}

#[tokio::test]
async fn a_message_of_a_topic_can_be_in_s3_too() {
    let bucket = Bucket::of(&[("a", "70"), ("b", "71"), ("c", "72")]);
    bucket.0.lock().unwrap().insert("no-text".to_owned(), vec![0xff]);
    let pointer_to = |class: &str, key: &str| {
        json!(json!([class, { "s3BucketName": "bodies", "s3Key": key }]).to_string())
    };
    let mark = |name: &str| json!({ name: { "Type": "Number", "Value": "2" } });
    let messages = [
        notification(&pointer_to(JAVA_1.0, "a"), &mark(JAVA_1.1)).id("legacy"),
        notification(&pointer_to(JAVA_2.0, "b"), &mark(JAVA_2.1)).id("wrapped"),
        notification(&json!("72"), &json!({ "PayloadSize": {} })).id("its-own"),
        notification(&pointer_to(JAVA_2.0, "x"), &mark(JAVA_2.1)).id("gone"),
        notification(&json!("[1]"), &mark(JAVA_2.1)).id("no-pointer"),
        notification(&pointer_to(JAVA_2.0, "b"), &json!({ JAVA_2.1: "2" })).id("odd-mark"),
        notification(&pointer_to(JAVA_2.0, "no-text"), &mark(JAVA_2.1)).id("no-text"),
    ];
    // Whoever does not fetch it must not take the pointer for a message.
    let handler = async |_: Message<Sns<Value>>| Ok::<_, RecordError>(());
    let report = batch::sqs(event(messages.clone())).run(handler).await;
    assert_eq!(outcomes(&report), "ffsffff");

    let handler = async |record: SqsRecord| {
        let amount = Message::<Sns<u64>>::fetch_notification(record, &bucket).await?;
        assert!((70..73).contains(&amount.body.message));
        assert_eq!(amount.body.message_id.as_deref(), Some("sns-1"));
        amount.delete_large_body(&bucket).await?;
        Ok::<_, RecordError>(())
    };
    let report = batch::sqs(event(messages)).run(handler).await;
    assert_eq!(outcomes(&report), "sssffff");
    let names: Vec<_> = report.records().filter_map(|(_, outcome)| outcome.error()).collect();
    assert!(names[0].to_string().contains("is gone"), "{names:?}");
    assert_eq!(reported(report), ["gone", "no-pointer", "odd-mark", "no-text"]);
    let mut left: Vec<_> = bucket.0.into_inner().unwrap().into_keys().collect();
    left.sort();
    assert_eq!(left, ["c", "no-text"], "what was read was deleted");
}

/// What SNS delivers with raw message delivery: the attributes of the notification are those of the message.
#[tokio::test]
async fn a_pointer_that_a_topic_delivers_raw_is_that_of_the_message() {
    for client in [JAVA_1, JAVA_2] {
        let bucket = Bucket::of(&[("a", "70")]);
        let raw = pointer(client, "bodies", "a")
            .message_attribute("kind", "order")
            .attribute("SenderId", "AIDAISMY7JYY5F7RTT6AO");
        let mut event = events::sqs("orders").message(raw).build();
        event["Records"][0]["messageAttributes"][client.1]["dataType"] = json!("Number");
        let record = parse::<SqsEvent>(event).records[0].clone();
        assert_eq!(record.s3_pointer().unwrap().unwrap().key, "a");
        let amount = Message::<u64>::fetch(record.clone(), &bucket).await.unwrap();
        assert_eq!(amount.body, 70);
        assert_eq!(
            amount.message_attribute("kind").unwrap().string_value.as_deref(),
            Some("order")
        );
        // There is no notification in it.
        let error = Message::<Sns<u64>>::fetch_notification(record, &bucket).await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.RecordJsonInvalid", "{error:?}");
        amount.delete_large_body(&bucket).await.unwrap();
        assert!(bucket.0.into_inner().unwrap().is_empty(), "it was deleted");
    }
}

/// What SNS delivers otherwise: the pointer and its mark are both in the body.
#[tokio::test]
async fn a_pointer_in_the_envelope_of_a_topic_is_that_of_the_notification() {
    for (class, mark) in [JAVA_1, JAVA_2] {
        let bucket = Bucket::of(&[("a", "70")]);
        let message = json!([class, { "s3BucketName": "bodies", "s3Key": "a" }]).to_string();
        let marks = json!({ mark: { "Type": "Number", "Value": "2" } });
        let record = event([notification(&json!(message), &marks)]).records[0].clone();
        assert_eq!(record.s3_pointer().unwrap(), None, "the message itself is not in S3");
        let error = Message::<Sns<u64>>::fetch(record.clone(), &bucket).await.unwrap_err();
        assert!(matches!(error, ParseError::BodyInS3), "{error:?}");
        let amount = Message::<Sns<u64>>::fetch_notification(record, &bucket).await.unwrap();
        assert_eq!(amount.body.message, 70);
        assert_eq!(amount.body.message_id.as_deref(), Some("sns-1"));
        amount.delete_large_body(&bucket).await.unwrap();
        assert!(bucket.0.into_inner().unwrap().is_empty(), "it was deleted");
    }
}

/// A body that only looks like a notification is a body.
#[tokio::test]
async fn a_body_that_mentions_the_mark_is_no_pointer() {
    let mentions = json!({ "MessageAttributes": { JAVA_2.1: { "Value": "2" } } });
    let record = event([SqsMessage::from(mentions.clone())]).records[0].clone();
    assert_eq!(record.s3_pointer().unwrap(), None);
    let message = Message::<Value>::fetch(record, &Bucket::default()).await.unwrap();
    assert_eq!(message.body, mentions);
}

#[test]
fn a_body_without_the_mark_is_never_a_pointer() {
    let body = json!([JAVA_2.0, { "s3BucketName": "bodies", "s3Key": "a" }]).to_string();
    let record = event([SqsMessage::from(body)]).records[0].clone();
    assert_eq!(record.s3_pointer().unwrap(), None);
    let marked =
        event([pointer(JAVA_1, "bodies", "a/b c")]).records[0].s3_pointer().unwrap().unwrap();
    assert_eq!((marked.bucket.as_str(), marked.key.as_str()), ("bodies", "a/b c"));
    assert_eq!(marked.size, Some(3));
}

#[tokio::test]
async fn a_message_whose_body_is_in_s3_is_not_parsed_as_its_pointer() {
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "nothing reads it")]
    struct Class(String, Value);

    async fn run<T: Body>(event: SqsEvent) -> Vec<String> {
        let report = batch::sqs(event).run(async |_: Message<T>| Ok::<_, RecordError>(())).await;
        let error = |outcome: &Outcome| outcome.error().map(ToString::to_string);
        report.records().map(|(_, outcome)| error(outcome).unwrap_or_default()).collect()
    }

    let odd_marks = [
        json!({ "dataType": null, "stringValue": "3" }),
        json!({ "stringValue": "3" }),
        json!({}),
        json!(null),
        json!("3"),
    ];
    let mut messages = vec![pointer(JAVA_1, "bodies", "a"), pointer(JAVA_2, "bodies", "a")];
    messages.extend(odd_marks.iter().map(|_| pointer(JAVA_2, "bodies", "a")));
    let body = json!([JAVA_2.0, { "s3BucketName": "bodies", "s3Key": "a" }]).to_string();
    let others = [
        SqsMessage::from(body.clone()),
        SqsMessage::from(body.clone()).message_attribute("ExtendedPayloadSizes", "3"),
        SqsMessage::from(body).message_attribute("label", "ExtendedPayloadSize"),
    ];
    let count = others.len();
    messages.extend(others);
    let mut event =
        messages.into_iter().fold(events::sqs("orders"), events::SqsMessages::message).build();
    for (n, mark) in odd_marks.iter().enumerate() {
        event["Records"][2 + n]["messageAttributes"][JAVA_2.1] = mark.clone();
    }
    let event: SqsEvent = parse(event);

    let in_s3 = "the body of the message is in S3: take `SqsRecord` and read it by `Message::fetch`, or by \
                 `Message::fetch_notification` if it is a notification of SNS";
    let mut expected = vec![in_s3; 2 + odd_marks.len()];
    expected.extend(vec![""; count]);
    assert_eq!(run::<Value>(event.clone()).await, expected);
    assert_eq!(run::<Text>(event.clone()).await, expected);
    assert_eq!(run::<(String, Value)>(event.clone()).await, expected);
    assert_eq!(run::<Class>(event.clone()).await, expected);
    assert_eq!(ParseError::BodyInS3.error_type(), "Powertools.RecordBodyInS3");
    assert!(!ParseError::BodyInS3.is_retryable());

    // `fetch` reads what has a readable mark.
    let bucket = Bucket::of(&[("a", "7")]);
    let fetched =
        event.records.iter().map(|record| Message::<Value>::fetch(record.clone(), &bucket));
    for (n, message) in futures_util::future::join_all(fetched).await.into_iter().enumerate() {
        match n {
            0 | 1 => assert_eq!(message.unwrap().body, 7),
            2..7 => assert!(matches!(message, Err(ParseError::PointerInvalid)), "{n}: {message:?}"),
            _ => assert!(message.unwrap().body.is_array(), "{n}"),
        }
    }
}

/// The one at the limit takes all of the memory.
#[test]
fn a_body_that_is_larger_than_its_mark_says_is_limited() {
    alone_with(&[], fetch_bodies_around_the_limit());
}

async fn fetch_bodies_around_the_limit() {
    // A quarter of 128 MB, of white space and a number, which takes no memory as a value.
    let limit = 32 << 20;
    let of = |size: usize| " ".repeat(size - 1) + "7";
    let bucket = Bucket::of(&[("a", &of(limit)), ("b", &of(limit + 1))]);
    let fetch = async |key| {
        let record = event([pointer(JAVA_2, "bodies", key)]).records[0].clone();
        Message::<u64>::fetch(record, &bucket).await
    };
    assert_eq!(fetch("a").await.unwrap().body, 7);
    let error = fetch("b").await.unwrap_err();
    assert!(matches!(error, ParseError::TooLarge { limit: 33_554_432 }), "{error:?}");
}

proptest! {
    /// Whatever is behind the mark is a pointer or an error.
    #[test]
    fn odd_pointers_are_errors(class in "[a-z.]{0,8}", place in prop::sample::select(vec![
        json!(null), json!({}), json!([]), json!({ "s3Key": "k" }), json!({ "s3BucketName": "", "s3Key": "k" }),
        json!({ "s3BucketName": 1, "s3Key": "k" }),
    ]), known: bool, more: bool) {
        let class = if known { JAVA_2.0.to_owned() } else { class };
        let mut body = vec![json!(class), place];
        body.extend(more.then_some(Value::Null));
        let message = SqsMessage::from(Value::from(body).to_string()).message_attribute(JAVA_2.1, "x");
        let pointer = event([message]).records[0].s3_pointer();
        prop_assert!(matches!(pointer, Err(ParseError::PointerInvalid)), "{:?}", pointer);
    }
}

/// How a text is damaged: it ends at this place, or has another character there.
fn damage() -> impl Strategy<Value = Option<(Index, Option<char>)>> {
    prop::option::weighted(0.3, (any::<Index>(), any::<Option<char>>()))
}

fn damaged(text: &str, damage: Option<(Index, Option<char>)>) -> String {
    let Some((place, with)) = damage else { return text.to_owned() };
    let place = place.index(text.len());
    match with {
        Some(with) => format!("{}{with}{}", &text[..place], &text[place + 1..]),
        None => text[..place].to_owned(),
    }
}

/// The objects `a` and `b`, which no text of a message looks like.
fn two_objects() -> Bucket {
    Bucket::of(&[("a", "\"object a\""), ("b", "\"object b\"")])
}

/// What is in the object to which a text points.
fn object(text: &str) -> Option<Value> {
    let pointer: Value = serde_json::from_str(text).ok()?;
    let [class, place] = &pointer.as_array()?[..] else { return None };
    let is_known = [JAVA_1.0, JAVA_2.0].contains(&class.as_str()?);
    let key = place["s3Key"].as_str()?;
    let is_there = is_known && place["s3BucketName"] == "bodies" && ["a", "b"].contains(&key);
    is_there.then(|| json!(format!("object {key}")))
}

/// Runs a batch, and returns its outcomes and what its messages were read as.
fn run<Fut>(event: SqsEvent, read: impl Fn(SqsRecord) -> Fut) -> (String, Vec<Value>)
where
    Fut: Future<Output = Result<Value, ParseError>>,
{
    let found = Mutex::new(Vec::new());
    let handler = async |record: SqsRecord| {
        let body = read(record).await?;
        found.lock().unwrap().push(body);
        Ok::<_, RecordError>(())
    };
    let report = batch::sqs(event).run(handler).now_or_never().unwrap();
    (outcomes(&report), found.into_inner().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_changed_message_is_the_object_to_which_it_points_or_its_own_text(
        places in prop::collection::vec((prop::bool::weighted(0.1), odd()), 4),
        of_attributes in prop::collection::vec((prop::bool::weighted(0.1), odd()), 8),
        damage in damage(),
        client in prop::sample::select(vec![JAVA_1, JAVA_2]),
    ) {
        let mut place = json!([client.0, { "s3BucketName": "bodies", "s3Key": "a" }]);
        change(&mut place, &mut places.into_iter());
        let body = damaged(&place.to_string(), damage);
        let queue = events::sqs("q").message(json!(7)).message(pointer(client, "bodies", "a"));
        let mut event = queue.message(pointer(client, "bodies", "b")).build();
        let attributes = &mut event["Records"][1]["messageAttributes"];
        change(attributes, &mut of_attributes.into_iter());
        let mark = attributes.get(client.1).cloned();
        event["Records"][1]["body"] = json!(body);
        let event: SqsEvent = parse(event);

        let own: Option<Value> = serde_json::from_str(&body).ok();
        let expected = |first: Value, second: Option<Value>, third: Option<Value>| {
            let letters = [true, second.is_some(), third.is_some()];
            let letters = letters.map(|is_done| if is_done { 's' } else { 'f' });
            (String::from_iter(letters), [Some(first), second, third].into_iter().flatten().collect::<Vec<_>>())
        };
        let bucket = two_objects();
        let fetched = run(event.clone(), async |record| Ok(Message::fetch(record, &bucket).await?.body));
        let second = match &mark {
            None => own.clone(),
            Some(mark) => {
                let is_text = |name: &str| mark[name].is_string() || mark[name].is_null();
                let is_readable = mark["dataType"].is_string() && is_text("stringValue") && is_text("binaryValue");
                object(&body).filter(|_| is_readable)
            }
        };
        prop_assert_eq!(fetched, expected(json!(7), second, Some(json!("object b"))));

        // Without a bucket no pointer is taken for a text.
        let parsed = run(event, async |record| Ok(Message::<Value>::from_record(record)?.body));
        prop_assert_eq!(parsed, expected(json!(7), own.filter(|_| mark.is_none()), None));
    }

    #[test]
    fn a_changed_notification_has_the_object_to_which_it_points_or_its_own_text(
        places in prop::collection::vec((prop::bool::weighted(0.1), odd()), 4),
        of_notification in prop::collection::vec((prop::bool::weighted(0.08), odd()), 10),
        damage in damage(),
        client in prop::sample::select(vec![JAVA_1, JAVA_2]),
    ) {
        let mark = json!({ client.1: { "Type": "Number", "Value": "2" } });
        let mut place = json!([client.0, { "s3BucketName": "bodies", "s3Key": "a" }]);
        change(&mut place, &mut places.into_iter());
        let good = place.clone();
        let message = notification(&json!(place.to_string()), &mark);
        let other = json!([client.0, { "s3BucketName": "bodies", "s3Key": "b" }]).to_string();
        let queue = events::sqs("q").message(notification(&json!("7"), &json!({}))).message(message);
        let mut event = queue.message(notification(&json!(other), &mark)).build();
        let sent = event["Records"][1]["body"].as_str().unwrap().to_owned();
        let mut changed: Value = serde_json::from_str(&sent).unwrap();
        change(&mut changed, &mut of_notification.into_iter());
        let body = damaged(&changed.to_string(), damage);
        event["Records"][1]["body"] = json!(body);
        let event: SqsEvent = parse(event);

        let outer: Value = serde_json::from_str(&body).unwrap_or_default();
        let attribute = outer["MessageAttributes"].get(client.1);
        let is_marked = attribute.is_some() && outer["TopicArn"].is_string() && outer["Message"].is_string();
        let text = outer["Message"].as_str().unwrap_or_default();
        let own: Option<Value> = serde_json::from_str(text).ok();
        let wanted = match attribute {
            Some(mark) if is_marked => object(text).filter(|_| mark["Value"].is_string()),
            _ => own.clone(),
        };
        let bucket = two_objects();
        let (outcomes, found) = run(event.clone(), async |record| {
            Ok(Message::<Sns<Value>>::fetch_notification(record, &bucket).await?.body.message)
        });
        if outcomes == "sss" {
            prop_assert_eq!(found, [json!(7), wanted.unwrap(), json!("object b")], "{}", body);
        } else {
            prop_assert_eq!((&*outcomes, found), ("sfs", vec![json!(7), json!("object b")]));
            let is_unchanged = body == sent && object(&good.to_string()).is_some();
            prop_assert!(!is_unchanged, "{}", body);
        }

        let (outcomes, found) = run(event, async |record| Ok(Message::<Sns<Value>>::from_record(record)?.body.message));
        if outcomes == "ssf" {
            prop_assert!(!is_marked, "a pointer is no text: {}", body);
            prop_assert_eq!(found, [json!(7), own.unwrap()]);
        } else {
            prop_assert_eq!((&*outcomes, found), ("sff", vec![json!(7)]));
        }
    }
}

/// Whoever chooses a body but no attributes, such as the user whose text a service sends on, chooses no object.
#[tokio::test]
async fn a_body_alone_never_chooses_what_is_read_from_s3() {
    let bucket = Bucket::of(&[("a", "7")]);
    let place = json!([JAVA_2.0, { "s3BucketName": "bodies", "s3Key": "a" }]).to_string();
    let mark = json!({ JAVA_2.1: { "Type": "Number", "Value": "1" } });
    let record = event([notification(&json!(place), &mark)]).records[0].clone();
    assert_eq!(record.s3_pointer().unwrap(), None);
    let error = Message::<Value>::fetch(record.clone(), &bucket).await.unwrap_err();
    assert!(matches!(error, ParseError::BodyInS3), "{error:?}");
    let message = Message::<u8>::parse(record, b"7").unwrap();
    message.delete_large_body(&bucket).await.unwrap();
    assert!(bucket.0.lock().unwrap().contains_key("a"), "nothing was deleted");
}
