//! No error quotes a value of what was received: errors are logged and answered.

use std::collections::HashSet;
use std::error::Error as StdError;
use std::fmt::Debug;
use std::future::pending;

use apache_avro::schema::{Name, NamespaceRef, Schema};
use apache_avro::{AvroSchema, AvroSchemaComponent};
use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::batch::{FromRecord, KafkaMessage, KinesisMessage, Message};
use powertools::events::{
    Avro, Body, CloudWatchLogsEvent, DynamoDbEvent, EventBridge, Json, KafkaEvent, KinesisEvent,
    Schemas, Sns, SqsEvent,
};
use powertools::feature_flags::FeatureFlags;
use powertools::http::Problem;
use powertools::idempotency::{self, Idempotency, MemoryStore};
use powertools::testing::FakeRuntime;
use powertools::testing::events::{self, KafkaRecord, KinesisRecord};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What no error contains: a string, an integer and a float.
const SECRETS: [&str; 3] = ["s3cr3t", "4711", "47.11"];

/// Three members that are never of these types.
#[derive(Debug, Deserialize, Serialize, AvroSchema)]
struct Card {
    text: Option<Kind>,
    integer: Option<String>,
    float: Option<bool>,
}

#[derive(Debug, Deserialize, Serialize, AvroSchema)]
enum Kind {
    Credit,
}

/// A card for each secret.
fn cards() -> [Value; 3] {
    [
        json!({ "text": SECRETS[0] }),
        json!({ "integer": SECRETS[1].parse::<u64>().unwrap() }),
        json!({ "float": SECRETS[2].parse::<f64>().unwrap() }),
    ]
}

/// All that is written of an error, which names the place.
fn told(error: &(dyn StdError + 'static)) -> String {
    let mut told = format!("{error:?}");
    let mut next = Some(error);
    while let Some(error) = next {
        told += &format!("; {error}");
        next = error.source();
    }
    told
}

fn assert_quiet(told: &str) {
    for secret in SECRETS {
        assert!(!told.contains(secret), "{told}");
    }
    let places = ["text", "integer", "float"];
    assert!(places.iter().any(|place| told.contains(place)), "it names the place: {told}");
}

fn message<T: Body + Debug>(body: Value) -> String {
    let event = events::sqs("cards").message(body).build();
    let event: SqsEvent = serde_json::from_value(event).unwrap();
    told(&Message::<T>::from_record(event.records[0].clone()).unwrap_err())
}

fn kafka(record: KafkaRecord) -> KafkaEvent {
    serde_json::from_value(events::kafka("cards").record(record).build()).unwrap()
}

#[test]
fn of_a_record() {
    for card in cards() {
        assert_quiet(&message::<Card>(card.clone()));
        assert_quiet(&message::<Sns<Card>>(events::sns("t", card.to_string()).envelope()));
        let event = events::event_bridge("shop", "Card", card.clone()).build();
        assert_quiet(&message::<EventBridge<Card>>(event.clone()));
        assert_quiet(&message::<Sns<EventBridge<Card>>>(
            events::sns("t", event.to_string()).envelope(),
        ));

        let record = KinesisRecord::json("k", card.clone());
        let event = events::kinesis("cards").record(record).build();
        let event: KinesisEvent = serde_json::from_value(event).unwrap();
        let error = KinesisMessage::<Card>::from_record(event.records[0].clone()).unwrap_err();
        assert_quiet(&told(&error));

        let event = kafka(KafkaRecord::new(card.to_string()));
        let error = KafkaMessage::<Json<Card>>::from_record(event.records[0].clone()).unwrap_err();
        assert_quiet(&told(&error));

        let logs = events::cloudwatch_logs("/aws/lambda/f").message(card.to_string());
        let event: CloudWatchLogsEvent = serde_json::from_value(logs.build()).unwrap();
        assert_quiet(&told(&event.logs.events[0].parse::<Card>().unwrap_err()));
    }
}

#[test]
fn of_an_item() {
    // Numbers of DynamoDB are strings, too.
    let [text, _, float] = cards();
    for card in [text, float, json!({ "text": 4711 }), json!({ "float": "s3cr3t" })] {
        let event = events::dynamodb("cards").insert(json!({ "id": 1 }), card).build();
        let event: DynamoDbEvent = serde_json::from_value(event).unwrap();
        assert_quiet(&told(&event.records[0].new_image::<Card>().unwrap_err()));
    }
}

#[tokio::test]
async fn of_avro() {
    let schema = r#"{ "type": "record", "name": "Card", "fields": [
        { "name": "text", "type": "string" },
        { "name": "integer", "type": "string" },
        { "name": "float", "type": "boolean" }
    ] }"#;
    let data = [&b"\0\0\0\0\x07\x0cs3cr3t\x084711\x01"[..]].concat();
    let schemas = Schemas::new().schema(7, schema);
    let event = kafka(KafkaRecord::new(data)).with_schemas(&schemas).await;
    let error = event.records[0].value_as::<Avro<Card>>().unwrap_err();
    let told = told(&error);
    assert!(told.contains("Avro") && SECRETS.iter().all(|secret| !told.contains(secret)), "{told}");
}

/// A card whose schema has the types of the secrets.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Loose(#[expect(dead_code, reason = "it is never read")] Card);

const LOOSE: &str = r#"{ "type": "record", "name": "Card", "fields": [
    { "name": "text", "type": ["null", "string"] },
    { "name": "integer", "type": ["null", "long"] },
    { "name": "float", "type": ["null", "double"] }
] }"#;

impl AvroSchemaComponent for Loose {
    fn get_schema_in_ctxt(_: &mut HashSet<Name>, _: NamespaceRef<'_>) -> Schema {
        Schema::parse_str(LOOSE).unwrap()
    }
}

#[tokio::test]
async fn of_avro_whose_type_is_not_that_of_its_schema() {
    let float = 47.11_f64.to_le_bytes();
    for (data, kind) in [
        (&b"\x02\x0cs3cr3t\0\0"[..], "unknown variant"),
        (b"\0\x02\xce\x49\0", "invalid type: long"),
        (&[&[0, 0, 2][..], &float].concat(), "invalid type: floating point"),
    ] {
        let schemas = Schemas::new().schema(7, LOOSE);
        let record = KafkaRecord::new([b"\0\0\0\0\x07", data].concat());
        let event = kafka(record).with_schemas(&schemas).await;
        let told = told(&event.records[0].value_as::<Avro<Loose>>().unwrap_err());
        assert!(
            told.contains(kind) && SECRETS.iter().all(|secret| !told.contains(secret)),
            "{told}"
        );
    }
}

#[test]
fn of_a_request() {
    for card in cards() {
        let request = ::http::Request::post("/").header("content-type", "application/json");
        let request = request.body(card.to_string()).unwrap();
        let error = powertools::http::Json::<Card>::read(&request).unwrap_err();
        assert_quiet(&told(&error));
        assert_quiet(&Problem::of(&error).to_json());
    }
}

#[tokio::test]
async fn of_an_event() {
    let lambda = FakeRuntime::new();
    let handler = async |_: LambdaEvent<Card>| Ok::<_, Error>(());
    let _function = lambda.run(Powertools::new(handler).run());
    for card in cards() {
        let outcome = lambda.invoke(card).await;
        let diagnostic = outcome.diagnostic().unwrap();
        assert_eq!(diagnostic.error_type, "Powertools.EventInvalid");
        assert_quiet(&diagnostic.error_message);
    }
}

#[test]
fn of_a_feature_flag() {
    for card in cards() {
        let document = json!({ "card": { "default": card, "boolean_type": false } });
        let flags: FeatureFlags = document.to_string().parse().unwrap();
        assert_quiet(&told(&flags.evaluate::<Card>("card", &()).unwrap_err()));
    }
}

#[tokio::test]
async fn of_a_stored_result() {
    for card in cards() {
        let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
        let work = async { Ok::<_, idempotency::Error>(card.clone()) };
        idempotency.run("charge", "7", work).await.unwrap();
        let work = pending::<Result<Card, idempotency::Error>>();
        let told = told(&idempotency.run("charge", "7", work).await.unwrap_err());
        assert!(told.contains("ResultInvalid"), "{told}");
        assert!(SECRETS.iter().all(|secret| !told.contains(secret)), "{told}");
    }
}
