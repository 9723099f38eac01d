//! What is inside of an envelope, changed before it was put there or damaged after it: every record has one outcome,
//! and nothing is read that was not sent.

use std::io::{Read as _, Write as _};
use std::sync::Mutex;
use std::time::SystemTime;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures_util::FutureExt as _;
use powertools::batch::{
    self, FirehoseMessage, FromRecord as _, KinesisMessage, Message, RecordError, Transformed,
};
use powertools::events::{
    Body as _, CloudWatchLogs, CloudWatchLogsEvent, EventBridge, FirehoseEvent, KinesisEvent,
    ParseError, Sns, SqsEvent,
};
use powertools::testing::events::{self, KinesisRecord};
use proptest::prelude::*;
use proptest::sample::Index;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

use super::properties::{change, odd};

fn read<T: DeserializeOwned>(event: &Value) -> T {
    serde_json::from_str(&event.to_string()).unwrap()
}

/// Returns true if an error names a place whose value was changed.
fn names_a_change(error: &str, before: &Value, after: &Value) -> bool {
    let place = error
        .split_once(" cannot be read at `")
        .map_or("", |(_, rest)| rest.split('`').next().unwrap());
    let pointer = match place {
        "" => String::new(),
        place => format!("/{}", place.replace(['.', '['], "/").replace(']', "")),
    };
    before.pointer(&pointer) != after.pointer(&pointer)
}

/// What happens to compressed data on its way.
#[derive(Clone, Debug)]
enum Damage {
    None,
    /// It ends here.
    Cut(Index),
    /// The byte has other bits here.
    Flipped(Index, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        2 => Just(Damage::None),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), 1..=u8::MAX).prop_map(|(at, bits)| Damage::Flipped(at, bits)),
    ]
}

impl Damage {
    fn applied(&self, mut data: Vec<u8>) -> Vec<u8> {
        match self {
            Self::None => {}
            Self::Cut(at) => data.truncate(at.index(data.len())),
            Self::Flipped(at, bits) => *at.get_mut(&mut data) ^= bits,
        }
        data
    }
}

/// What a subscription sends, before it is compressed.
fn subscription() -> Value {
    let data = events::cloudwatch_logs("g").message("a").message("b").compressed();
    let mut json = String::new();
    GzDecoder::new(&data[..]).read_to_string(&mut json).unwrap();
    let mut logs: Value = serde_json::from_str(&json).unwrap();
    logs["logEvents"][0]["extractedFields"] = json!({ "x": "1", "y": null });
    logs
}

fn compressed(logs: &Value) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(logs.to_string().as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// What a handler finds in log events.
fn found(logs: &CloudWatchLogs) -> Value {
    let millis =
        |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
    let events = logs.events.iter().map(|event| {
        json!([event.id, event.message, event.at().map(millis), event.extracted_fields])
    });
    json!([
        logs.log_group,
        logs.log_stream,
        logs.owner,
        logs.subscription_filters,
        events.collect::<Value>()
    ])
}

/// The same of what was sent.
fn sent(logs: &Value) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_control = logs["messageType"] == "CONTROL_MESSAGE";
    let events = logs["logEvents"].as_array().into_iter().flatten().filter(|_| !is_control);
    let events = events.map(|event| {
        json!([event["id"], text(&event["message"]), event["timestamp"], event["extractedFields"]])
    });
    let [group, stream, owner] = ["logGroup", "logStream", "owner"].map(|name| text(&logs[name]));
    let filters = logs["subscriptionFilters"].as_array().cloned().unwrap_or_default();
    json!([group, stream, owner, filters, events.collect::<Value>()])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn log_events_are_those_that_were_sent_or_an_error_of_their_record(
        places in prop::collection::vec((prop::bool::weighted(0.06), odd()), 30),
        is_control: bool,
        damage in damage(),
    ) {
        let mut original = subscription();
        if is_control {
            original["messageType"] = json!("CONTROL_MESSAGE");
        }
        let mut logs = original.clone();
        change(&mut logs, &mut places.into_iter());
        let data = damage.applied(compressed(&logs));

        let event = json!({ "awslogs": { "data": BASE64_STANDARD.encode(&data) } }).to_string();
        let direct = serde_json::from_str::<CloudWatchLogsEvent>(&event);
        match (&direct, &damage) {
            (Ok(_), Damage::Cut(_)) => prop_assert!(false, "a part was read as a whole"),
            (Ok(event), _) => prop_assert_eq!(found(&event.logs), sent(&logs)),
            (Err(error), damage) => {
                let error = error.to_string();
                prop_assert!(error.starts_with("the data of CloudWatch Logs cannot be read"), "{}", error);
                let is_whole = matches!(damage, Damage::None);
                prop_assert!(!is_whole || names_a_change(&error, &original, &logs), "{}: {}", error, logs);
            }
        }

        // Between two others, through a stream.
        let good = compressed(&original);
        let all = [good.clone(), data.clone(), good.clone()];
        let stream = all.iter().enumerate().fold(events::kinesis("s"), |stream, (key, data)| {
            stream.record(KinesisRecord::new(key.to_string(), data.clone()))
        });
        let done = Mutex::new(Vec::new());
        let handler = async |logs: KinesisMessage<CloudWatchLogs>| {
            done.lock().unwrap().push(found(&logs.body));
            Ok::<_, RecordError>(())
        };
        let report = batch::kinesis(read::<KinesisEvent>(&stream.build())).run(handler).now_or_never().unwrap();
        let (first, last) = (sent(&original), sent(&original));
        let expected = match &direct {
            Ok(_) => ("sss", vec![first.clone(), sent(&logs), last.clone()]),
            // Nothing behind a failure in a stream starts.
            Err(_) => ("sfn", vec![first.clone()]),
        };
        prop_assert_eq!((&*crate::batch::outcomes(&report), done.into_inner().unwrap()), expected);
        let error = report.records().find_map(|(_, outcome)| Some(outcome.error()?.to_string()));
        if let (Some(error), Damage::None) = (error, &damage) {
            prop_assert!(error.starts_with("the body of the record cannot be read"), "{}", error);
            prop_assert!(names_a_change(&error, &original, &logs), "{}: {}", error, logs);
        }

        // And through Firehose.
        let stream = all.iter().fold(events::firehose("f"), |stream, data| stream.record(data)).build();
        let handler = async |logs: FirehoseMessage<CloudWatchLogs>| {
            Ok::<_, RecordError>(Transformed::data(found(&logs.body).to_string()))
        };
        let report = batch::firehose(read::<FirehoseEvent>(&stream)).run(handler).now_or_never().unwrap();
        let reply = serde_json::to_value(report.into_reply().unwrap()).unwrap();
        let result = |place: usize, logs: Value| {
            json!({
                "recordId": stream["records"][place]["recordId"],
                "result": "Ok",
                "data": BASE64_STANDARD.encode(logs.to_string()),
            })
        };
        let second = match &direct {
            Ok(_) => result(1, sent(&logs)),
            Err(_) => json!({ "recordId": stream["records"][1]["recordId"], "result": "ProcessingFailed" }),
        };
        prop_assert_eq!(reply, json!({ "records": [result(0, first), second, result(2, last)] }));
    }

    #[test]
    fn an_event_of_event_bridge_is_that_which_was_sent_or_an_error_at_the_change(
        places in prop::collection::vec((prop::bool::weighted(0.08), odd()), 20),
    ) {
        let of_bus = events::event_bridge("shop", "OrderPlaced", json!({ "n": 7 })).resource("arn").build();
        for original in [of_bus, events::schedule("s").build()] {
            let mut event = original.clone();
            change(&mut event, &mut places.clone().into_iter());
            let found = |read: &EventBridge<Value>| {
                let [id, time, account, region] = [&read.id, &read.time, &read.account, &read.region];
                json!([id, read.source, read.detail_type, time, account, region, read.resources, read.detail])
            };
            let names = ["id", "source", "detail-type", "time", "account", "region", "resources", "detail"];
            let sent = || names.iter().map(|name| event[name].clone()).collect::<Value>();

            let alone = EventBridge::from_text(&event.to_string());
            // Whatever the detail is, the rest is read in the same way.
            let of_any = EventBridge::<IgnoredAny>::from_text(&event.to_string());
            prop_assert_eq!(of_any.is_ok(), alone.is_ok());
            let notification = events::sns("t", event.to_string()).envelope();
            let queue: SqsEvent = read(&events::sqs("q").message(notification).build());
            let nested = Message::<Sns<EventBridge>>::from_record(queue.records[0].clone());
            let text = |error: ParseError| RecordError::retry(error).to_string();
            match (alone, nested) {
                (Ok(alone), Ok(nested)) => {
                    prop_assert_eq!(found(&alone), sent());
                    prop_assert_eq!(found(&nested.body.message), sent());
                }
                (Err(alone), Err(nested)) => {
                    let (alone, nested) = (text(alone), text(nested));
                    prop_assert!(alone.starts_with("the body of the record cannot be read"), "{}", alone);
                    let inner = nested.strip_prefix("the body of the record cannot be read at `Message`: ");
                    let inner = inner.filter(|inner| inner.starts_with("the message of SNS cannot be read"));
                    prop_assert!(inner.is_some(), "{}", nested);
                    for error in [&*alone, inner.unwrap()] {
                        prop_assert!(names_a_change(error, &original, &event), "{}: {}", error, event);
                    }
                }
                (alone, nested) => prop_assert!(false, "{:?} is {:?}", alone, nested),
            }
        }
    }
}
