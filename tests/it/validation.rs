//! Validation: the hook of HTTP functions, `garde`, and JSON Schema on any event.

use std::sync::LazyLock;

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::batch::{self, Message, RecordError};
use powertools::events::SqsEvent;
use powertools::http::{Json, JsonError, Problem, Request};
use powertools::testing::events::{self, SqsMessage};
use powertools::testing::{FakeRuntime, Outcome};
use powertools::validation::{Error as Invalid, Schema, SchemaLayer, Validate};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceBuilder;

/// What no error contains.
const SECRET: &str = "s3cr3t";

#[derive(Deserialize, Serialize, garde::Validate)]
struct Order {
    #[garde(length(min = 1, max = 8))]
    card: String,
    #[garde(dive)]
    items: Vec<Item>,
}

#[derive(Deserialize, Serialize, garde::Validate)]
struct Item {
    #[garde(range(min = 1))]
    amount: u32,
    #[garde(ascii, prefix("sku-"))]
    sku: String,
}

const SCHEMA: &str = r#"{
    "type": "object",
    "properties": {
        "card": { "type": "string", "maxLength": 8 },
        "items": { "type": "array", "items": {
            "type": "object",
            "properties": { "amount": { "type": "integer", "minimum": 1 }, "sku": { "pattern": "^sku-" } },
            "required": ["sku"]
        } }
    },
    "required": ["card"],
    "additionalProperties": false
}"#;

static ORDER: LazyLock<Schema> = LazyLock::new(|| Schema::new(SCHEMA).unwrap());

async fn by_garde(request: Request) -> Result<String, JsonError> {
    let Json(order) = Json::<Order>::read(&request)?.validated()?;
    Ok(order.items.len().to_string())
}

async fn by_schema(request: Request) -> Result<String, JsonError> {
    let Json(order) = Json::<Order>::read_matching(&request, &ORDER)?;
    Ok(order.items.len().to_string())
}

async fn ask(schema: bool, content_type: &str, body: String) -> Value {
    let event = events::api_gateway_v2("POST", "/").header("content-type", content_type);
    let event = event.text(body);
    let lambda = FakeRuntime::new();
    let _function = match schema {
        true => lambda.run(Powertools::http(by_schema).run()),
        false => lambda.run(Powertools::http(by_garde).run()),
    };
    lambda.invoke(event.build()).await.json()
}

fn paths(reply: &Value) -> Vec<String> {
    assert_eq!(reply["headers"]["content-type"], "application/problem+json", "{reply}");
    let problem: Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
    assert_eq!(problem["detail"], "the body of the request is invalid");
    let errors = problem["errors"].as_array().unwrap();
    assert!(errors.iter().all(|error| !error["detail"].as_str().unwrap().is_empty()));
    errors.iter().map(|error| error["path"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_request_that_breaks_rules_is_422_with_their_paths_and_without_its_values() {
    let long = format!("{SECRET}-{SECRET}");
    let valid = json!({ "card": "4242", "items": [{ "amount": 1, "sku": "sku-1" }] });
    let invalid = json!({
        "card": long, "items": [{ "amount": 1, "sku": "sku-1" }, { "amount": 0, "sku": SECRET }],
    });
    for schema in [false, true] {
        let reply = ask(schema, "application/json", valid.to_string()).await;
        assert_eq!((&reply["statusCode"], &reply["body"]), (&json!(200), &json!("1")), "{reply}");
        let reply = ask(schema, "application/json", invalid.to_string()).await;
        assert_eq!(reply["statusCode"], 422);
        let mut found = paths(&reply);
        found.sort();
        assert_eq!(found, ["card", "items[1].amount", "items[1].sku"], "schema: {schema}");
        assert!(!reply.to_string().contains(SECRET), "{reply}");

        // What is no order at all is answered as before.
        for (content_type, body, status) in [
            ("text/plain", "{}", 415),
            ("application/json", "{", 400),
            ("application/json", "[]", 422),
        ] {
            let reply = ask(schema, content_type, body.to_owned()).await;
            assert_eq!(reply["statusCode"], status, "{body}: {reply}");
        }
    }
    // The schema sees members that the type ignores.
    let mut more = valid.clone();
    more["admin"] = true.into();
    assert_eq!(ask(false, "application/json", more.to_string()).await["statusCode"], 200);
    assert_eq!(paths(&ask(true, "application/json", more.to_string()).await), [""]);
}

#[test]
fn no_keyword_shows_a_value() {
    let schemas = [
        json!({ "type": "integer" }),
        json!({ "const": "other" }),
        json!({ "enum": ["a", "b"] }),
        json!({ "maxLength": 1 }),
        json!({ "minLength": 100 }),
        json!({ "pattern": "^x" }),
        json!({ "format": "date-time" }),
        json!({ "format": "email" }),
        json!({ "format": "uuid" }),
        json!({ "not": { "type": "string" } }),
        json!({ "anyOf": [{ "type": "integer" }, { "type": "null" }] }),
        json!({ "oneOf": [{ "type": "string" }, { "minLength": 1 }] }),
        json!({ "allOf": [{ "maxLength": 1 }] }),
        json!({ "if": true, "then": { "maxLength": 1 } }),
        json!({ "contentMediaType": "application/json" }),
        json!(false),
    ];
    for schema in schemas {
        let compiled = Schema::new(&schema.to_string()).unwrap();
        let wrapped = json!({ "properties": { "a": { "items": schema } } });
        let nested = Schema::new(&wrapped.to_string()).unwrap();
        for (error, path) in
            [(compiled.check(SECRET), ""), (nested.check(&json!({ "a": [SECRET] })), "a[0]")]
        {
            let Err(error) = error else {
                assert_eq!(schema, json!({ "contentMediaType": "application/json" }));
                continue;
            };
            assert_eq!(error.violations()[0].path(), path, "{schema}");
            let told = format!("{error} {error:?} {}", Problem::of(&error).to_json());
            assert!(!told.contains(SECRET), "{schema}: {told}");
        }
    }
    for schema in [
        json!({ "uniqueItems": true }),
        json!({ "contains": { "type": "integer" } }),
        json!({ "maxItems": 1 }),
        json!({ "prefixItems": [{}], "items": false }),
        json!({ "unevaluatedItems": false }),
    ] {
        let error = Schema::new(&schema.to_string()).unwrap().check(&json!([SECRET, SECRET]));
        let told = format!("{:?}", error.unwrap_err());
        assert!(!told.contains(SECRET), "{schema}: {told}");
    }
}

#[test]
fn a_number_that_json_does_not_have_is_an_error_with_its_path() {
    #[derive(Serialize)]
    struct Measured {
        name: Option<&'static str>,
        values: Vec<f64>,
    }
    // It accepts the null that `serde_json` writes for such a number.
    let schema = Schema::new(r#"{ "properties": { "values": { "items": {} } } }"#).unwrap();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let measured = Measured { name: None, values: vec![1.0, value] };
        for error in [schema.check(&measured), schema.check_output(&measured)] {
            let error = error.unwrap_err();
            assert_eq!(error.error_type(), "Powertools.ValidationUnwritable");
            let reason = std::error::Error::source(&error).unwrap().to_string();
            assert_eq!(reason, "a number that is infinite or not a number at /values/1");
        }
    }
    assert!(schema.check(&Measured { name: None, values: vec![1.0, f64::MAX] }).is_ok());
}

#[test]
fn a_number_is_checked_as_it_is_written() {
    #[derive(Serialize)]
    struct Measured {
        share: f32,
        count: u128,
    }
    let measured = Measured { share: 0.1, count: 12_345_678_901_234_567_890_123 };
    let text = r#"{"share":0.1,"count":12345678901234567890123}"#;
    assert_eq!(serde_json::to_string(&measured).unwrap(), text);
    let event: powertools::idempotency::Json = text.parse().unwrap();
    for (schema, is_valid) in [
        (json!({ "type": "object" }), true),
        (json!({ "properties": { "share": { "maximum": 0.1 } } }), true),
        (json!({ "properties": { "share": { "enum": [0.1] } } }), true),
        (json!({ "properties": { "share": { "multipleOf": 0.1 } } }), true),
        (json!({ "properties": { "share": { "exclusiveMaximum": 0.1 } } }), false),
        (json!({ "properties": { "count": { "type": "integer", "minimum": 1e22 } } }), true),
        (json!({ "properties": { "count": { "maximum": 1e22 } } }), false),
    ] {
        let compiled = Schema::new(&schema.to_string()).unwrap();
        for checked in [compiled.check(&measured), compiled.check(&event)] {
            assert_eq!(
                checked.err().map(|error| error.violations().len()),
                (!is_valid).then_some(1),
                "{schema}"
            );
        }
    }
}

#[test]
fn formats_are_asserted_in_every_draft() {
    let drafts = [
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ];
    // The first draft that has it, a value that has it, and one that has not.
    let formats = [
        (0, "date", "2026-11-28", "2026-02-30"),
        (0, "date-time", "2026-11-28T12:00:00Z", "2026-11-28 12:00"),
        (0, "email", "ada@example.com", "ada"),
        (0, "hostname", "example.com", "-a-"),
        (0, "idn-email", "ä@example.com", "ä"),
        (0, "ipv4", "192.0.2.1", "192.0.2"),
        (0, "ipv6", "2001:db8::1", "2001::db8::1"),
        (0, "regex", "^a+$", "("),
        (0, "time", "12:00:00Z", "25:00:00Z"),
        (0, "uri", "https://example.com/a", "/a"),
        (1, "json-pointer", "/a/0", "a/0"),
        (1, "uri-reference", "/a", "\\a"),
        (1, "uri-template", "/a/{id}", "/a/{id"),
        (2, "idn-hostname", "bücher.example", "〮a"),
        (2, "iri", "https://bücher.example/", "/ä"),
        (2, "iri-reference", "/ä", "\\ä"),
        (2, "relative-json-pointer", "1/a", "/a"),
        (3, "duration", "P1DT2H", "1 day"),
        (3, "uuid", "8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e"),
    ];
    for (index, draft) in drafts.iter().enumerate() {
        for (since, format, valid, invalid) in formats {
            let schema = json!({ "$schema": draft, "format": format }).to_string();
            let schema = Schema::new(&schema);
            if index < since {
                assert!(matches!(schema, Err(Invalid::Schema(_))), "{format} in {draft}");
                continue;
            }
            let schema = schema.unwrap();
            assert!(schema.check(valid).is_ok(), "{format} in {draft}");
            assert!(schema.check(invalid).is_err(), "{format} in {draft}");
        }
    }
}

#[test]
fn mistakes_in_a_schema_are_found_at_the_start() {
    for schema in [
        "{",
        r#"{ "type": "text" }"#,
        r#"{ "format": "e-mail" }"#,
        r#"{ "pattern": "(" }"#,
        r#"{ "$ref": "https://example.com/order.json" }"#,
        r#"{ "$ref": "file:///order.json" }"#,
        r##"{ "$ref": "#/$defs/nowhere" }"##,
        r#"{ "$schema": "https://example.com/dialect" }"#,
    ] {
        let error = Schema::new(schema).unwrap_err();
        assert_eq!(error.error_type(), "Powertools.ValidationSchemaInvalid", "{schema}");
        assert_eq!(Problem::from(error).status(), 500);
    }
}

fn charge_at_most(limit: u64) -> (Schema, Schema) {
    let order = json!({ "properties": { "amount": { "maximum": limit } }, "required": ["amount"] });
    let receipt = json!({ "properties": { "charged": { "maximum": 5 } } });
    (Schema::new(&order.to_string()).unwrap(), Schema::new(&receipt.to_string()).unwrap())
}

#[tokio::test]
async fn a_layer_checks_events_and_results() {
    let (order, receipt) = charge_at_most(10);
    let handle = async |event: LambdaEvent<Value>| {
        Ok::<_, Error>(json!({ "charged": event.payload["amount"] }))
    };
    let checked = SchemaLayer::new().input(order).output(receipt);
    let service = ServiceBuilder::new().layer(checked).service_fn(handle);
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::service(service).run());
    assert_eq!(
        lambda.invoke(json!({ "amount": 5 })).await.json::<Value>(),
        json!({ "charged": 5 })
    );
    for (event, name) in [
        (json!({ "amount": 11 }), "Powertools.ValidationInvalid"),
        (json!({}), "Powertools.ValidationInvalid"),
        (json!({ "amount": 6 }), "Powertools.ValidationOutputInvalid"),
    ] {
        let outcome: Outcome = lambda.invoke(event).await;
        assert_eq!(outcome.error_type(), Some(name));
    }
}

#[tokio::test]
async fn records_of_a_batch_are_validated() {
    let order =
        |id: &str, card: &str| SqsMessage::from(json!({ "card": card, "items": [] })).id(id);
    let event = events::sqs("orders").message(order("m-1", "4242")).message(order("m-2", SECRET));
    let event = event.message(order("m-3", ""));
    let event: SqsEvent = serde_json::from_value(event.build()).unwrap();
    let short = Schema::new(r#"{ "properties": { "card": { "maxLength": 5 } } }"#).unwrap();
    let check = async |message: Message<Order>| {
        message.body.check().map_err(RecordError::permanent)?;
        short.check(&message.body).map_err(RecordError::permanent)
    };
    let reply = batch::sqs(event).run(check).await.into_reply().unwrap();
    let failed = json!([{ "itemIdentifier": "m-2" }, { "itemIdentifier": "m-3" }]);
    assert_eq!(serde_json::to_value(reply).unwrap()["batchItemFailures"], failed);
}

#[test]
fn what_a_function_returns_is_its_own_fault() {
    let (_, receipt) = charge_at_most(10);
    let error = receipt.check_output(&json!({ "charged": 6 })).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the result is invalid: `charged`: value is greater than the maximum of 5"
    );
    let problem = Problem::from(error);
    assert_eq!(problem.status(), 500);
    assert!(!problem.to_json().contains("charged"));
}

/// What is allocated at most to reject a value, in bytes.
fn allocated(reject: impl Fn() -> Result<(), Invalid>) -> (Invalid, u64) {
    let mut error = None;
    let measured = allocation_counter::measure(|| error = reject().err());
    (error.unwrap(), measured.bytes_max)
}

#[test]
fn a_list_of_many_violations_takes_no_more_memory_than_it_has_itself() {
    const MANY: usize = 300_000;
    let zeros = Value::from(vec![0; MANY]);
    // It is written as JSON before it is checked.
    let written = |value: &Value| {
        let text = value.to_string();
        drop(serde_json::from_str::<Value>(&text));
    };
    let own = allocation_counter::measure(|| written(&zeros)).bytes_max;
    for (schema, path) in [
        (json!({ "items": { "minimum": 1 } }), "[0]"),
        (json!({ "allOf": [{ "items": { "minimum": 1 } }, { "maxItems": 3 }] }), "[0]"),
        (
            json!({ "anyOf": [{ "items": { "minimum": 1 } }, { "items": { "type": "string" } }] }),
            "",
        ),
        (
            json!({ "not": { "oneOf": [{ "items": { "minimum": 1 } }, { "items": { "const": 0 } }] } }),
            "",
        ),
        (
            json!({ "$ref": "#/$defs/list", "$defs": { "list": { "oneOf": [{ "items": false }, { "maxItems": 1 }] } } }),
            "",
        ),
    ] {
        let compiled = Schema::new(&schema.to_string()).unwrap();
        let (error, bytes) = allocated(|| compiled.check(&zeros));
        let [violation] = error.violations() else { panic!("{schema}: {error}") };
        assert_eq!(violation.path(), path, "{schema}");
        assert!(bytes < own + 100_000, "{schema}: {bytes} bytes, and the value has {own}");
        // A short one has all of them, up to the limit.
        let error = compiled.check(&json!([0, 0])).err().map(|error| error.violations().len());
        assert!(path.is_empty() || error.unwrap() > 1, "{schema}");
    }
    let zeros = json!({ "items": vec![0; MANY] });
    let members: serde_json::Map<_, _> =
        (0..MANY / 10).map(|at| (at.to_string(), zeros["items"][at].clone())).collect();
    let compiled = Schema::new(r#"{ "additionalProperties": { "minimum": 1 } }"#).unwrap();
    let members = Value::Object(members);
    let own = allocation_counter::measure(|| written(&members)).bytes_max;
    let (error, bytes) = allocated(|| compiled.check(&members));
    assert_eq!(error.violations().len(), 1);
    assert!(bytes < own + 100_000, "{bytes} bytes, and the value has {own}");
}
