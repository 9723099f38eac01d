//! A schema registry of Confluent over HTTP.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::join_all;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use powertools::batch::{self, ConfluentRegistry, KafkaMessage, RecordError};
use powertools::events::{Avro, KafkaEvent, ParseError, SchemaId, SchemaSource, Schemas};
use powertools::testing::events::{self, KafkaRecord};
use powertools::testing::{ManualClock, invocation};
use serde_json::json;
use tokio::net::TcpListener;
use tower::ServiceExt;

use super::{outcomes, parse};

/// The registry: how often each schema was requested, and by whom.
#[derive(Clone, Default)]
struct Registry {
    requests: Arc<Mutex<HashMap<String, usize>>>,
    callers: Arc<Mutex<Vec<Option<String>>>>,
}

impl Registry {
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router =
            Router::new().route("/base/schemas/{kind}/{id}", get(answer)).with_state(self.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let router = router.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    router.clone().oneshot(request.map(axum::body::Body::new))
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        url
    }

    fn requests(&self, id: &str) -> usize {
        self.requests.lock().unwrap().get(id).copied().unwrap_or_default()
    }
}

async fn answer(
    State(registry): State<Registry>,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    *registry.requests.lock().unwrap().entry(id.clone()).or_default() += 1;
    let caller = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    registry.callers.lock().unwrap().push(caller);
    let media = [(header::CONTENT_TYPE, "application/vnd.schemaregistry.v1+json")];
    match (kind.as_str(), id.as_str()) {
        ("ids", "1") => (media, json!({ "schema": r#""string""# }).to_string()).into_response(),
        ("ids", "2") => {
            let body = json!({ "error_code": 40403, "message": "Schema 2 not found" });
            (StatusCode::NOT_FOUND, media, body.to_string()).into_response()
        }
        ("ids", "3") => {
            (StatusCode::FOUND, [(header::LOCATION, "/base/schemas/ids/1")]).into_response()
        }
        ("ids", "4") => "<html>sign in</html>".into_response(),
        ("ids", "5") => (StatusCode::UNAUTHORIZED, media, json!({ "error_code": 401 }).to_string())
            .into_response(),
        ("ids", "6") => {
            let references = json!([{ "name": "a", "subject": "a", "version": 1 }]);
            let body = json!({ "schema": "{}", "references": references });
            (media, body.to_string()).into_response()
        }
        ("ids", "7") => {
            tokio::time::sleep(Duration::from_millis(100)).await;
            (media, json!({ "schema": r#""string""#, "references": [] }).to_string())
                .into_response()
        }
        ("ids", "8") => vec![b' '; 2 << 20].into_response(),
        ("ids", "9") => (StatusCode::NOT_FOUND, "<html>no such page</html>").into_response(),
        ("guids", "0191e5b0-0000-7000-8000-000000000001") => {
            (media, json!({ "schema": r#""string""# }).to_string()).into_response()
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn record(id: u8) -> KafkaRecord {
    KafkaRecord::new([&[0, 0, 0, 0, id], &b"\x04hi"[..]].concat())
}

fn event(ids: &[u8]) -> KafkaEvent {
    parse(ids.iter().fold(events::kafka("t"), |event, id| event.record(record(*id))).build())
}

#[tokio::test]
async fn each_answer_of_a_registry_has_one_outcome() {
    let registry = Registry::default();
    let url = registry.start().await;
    let source = ConfluentRegistry::new(format!("{url}/base/")).unwrap();
    let source = source.basic_auth("key", "s3cret").unwrap();
    assert!(!format!("{source:?}").contains("s3cret"));
    let schemas = Schemas::from_source(source);
    let handler = async |text: KafkaMessage<Avro<String>>| {
        assert_eq!(text.body.as_str(), "hi");
        Ok::<_, RecordError>(())
    };
    // Each is in a partition of its own.
    let event = (0..10)
        .fold(events::kafka("t"), |event, id| event.record(record(id).partition(u32::from(id))));
    let event = parse::<KafkaEvent>(event.build()).with_schemas(&schemas).await;
    let report = batch::kafka(event).partial_response().run(handler).await;
    assert_eq!(outcomes(&report), "fsfffffsff");
    let errors: Vec<_> =
        report.records().filter_map(|(_, outcome)| Some(outcome.error()?.to_string())).collect();
    assert!(errors[1].starts_with("no schema has the id 2"), "{}", errors[1]);
    let problem = |id, what| format!("the schema with the id {id} could not be looked up: {what}");
    assert_eq!(errors[0], problem(0, "the schema registry answered with status 500"));
    let problems = [
        problem(3, "the response is a redirect (status 302), which is not followed"),
        problem(4, "the response is not that of a schema registry"),
        problem(5, "the schema registry answered with status 401"),
        problem(6, "the schema refers to other schemas, which are not resolved"),
        problem(8, "the response is longer than 1048576 bytes"),
        problem(9, "there is no schema registry at this URL (status 404)"),
    ];
    assert_eq!(errors[2..], problems);
    let expected = format!("Basic {}", BASE64_STANDARD.encode("key:s3cret"));
    let callers = registry.callers.lock().unwrap().clone();
    assert!(callers.iter().all(|caller| caller.as_deref() == Some(&expected)));
    assert_eq!(callers.len(), 10, "a redirect is not followed");
}

#[tokio::test]
async fn a_schema_is_requested_once_and_a_failure_again() {
    let registry = Registry::default();
    let url = format!("{}/base", registry.start().await);
    let schemas = Schemas::from_source(ConfluentRegistry::new(url).unwrap());
    let events = (0..20).map(|_| event(&[7, 7, 5]).with_schemas(&schemas));
    let events = join_all(events).await;
    assert_eq!((registry.requests("7"), registry.requests("5")), (1, 1), "at the same time");
    for event in events {
        let handler = async |_: KafkaMessage<Avro<String>>| Ok::<_, RecordError>(());
        let report = batch::kafka(event).partial_response().run(handler).await;
        assert_eq!(outcomes(&report), "ssf");
    }
    let _ = event(&[7, 5]).with_schemas(&schemas).await;
    assert_eq!((registry.requests("7"), registry.requests("5")), (1, 2), "one after another");
    assert_eq!(registry.callers.lock().unwrap()[0], None);
}

/// A batch of records whose id no schema has comes back until the schema is registered.
#[tokio::test]
async fn an_id_that_no_schema_has_is_requested_again_after_2_seconds() {
    let registry = Registry::default();
    let url = format!("{}/base", registry.start().await);
    let schemas = Schemas::from_source(ConfluentRegistry::new(url).unwrap());
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000));
    let run = async || {
        let invocation = invocation().clock(&clock).build();
        let records = async {
            let event = event(&[&[2; 10_000][..], &[5, 9]].concat()).with_schemas(&schemas).await;
            let handler = async |_: KafkaMessage<Avro<String>>| Ok::<_, RecordError>(());
            let batch = batch::kafka(event).partial_response();
            let batch = batch
                .permanent_if(|error| error.is::<ParseError>())
                .permanent_sink(|_, _| async { Ok::<_, Infallible>(()) });
            let report = batch.run(handler).await;
            let outcomes = outcomes(&report);
            assert_eq!(outcomes.len(), 10_002);
            assert!(outcomes.starts_with('f') && !outcomes.contains('p'), "none is given up");
            let error = report.records().next().unwrap().1.error().unwrap().to_string();
            assert!(error.starts_with("no schema has the id 2"), "{error}");
        };
        invocation.scope(records).await;
        ["2", "5", "9"].map(|id| registry.requests(id))
    };
    assert_eq!(run().await, [1, 1, 1], "once for all its records");
    clock.advance(Duration::from_millis(1_999));
    assert_eq!(run().await, [1, 2, 2], "an outage is not kept");
    clock.advance(Duration::from_millis(1));
    assert_eq!(run().await, [2, 3, 3], "a schema may be registered later");
    clock.set(SystemTime::UNIX_EPOCH);
    assert_eq!(run().await, [3, 4, 4], "the clock was set back");
}

#[tokio::test]
async fn a_registry_that_is_gone_is_the_failure_of_the_records_that_need_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let source = ConfluentRegistry::new(url).unwrap();
    let error = source.schema(&1.into()).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot connect");
    let schemas = Schemas::from_source(source).schema(1, r#""string""#);
    let event = event(&[1, 2]).with_schemas(&schemas).await;
    let handler = async |_: KafkaMessage<Avro<String>>| Ok::<_, RecordError>(());
    let report = batch::kafka(event).partial_response().run(handler).await;
    assert_eq!(outcomes(&report), "sf");
    // It is not said to be unknown.
    let error = report.records().find_map(|(_, outcome)| outcome.error()).unwrap();
    assert!(error.to_string().contains("could not be looked up"), "{error}");
}

#[tokio::test]
async fn ids_of_events_lead_nowhere_else() {
    let registry = Registry::default();
    let url = format!("{}/base", registry.start().await);
    let source = ConfluentRegistry::new(url).unwrap();
    let guid = "0191E5B0-0000-7000-8000-000000000001";
    assert_eq!(source.schema(&guid.into()).await.unwrap().as_deref(), Some(r#""string""#));
    for id in ["../ids/1", "1?x", "1/versions", "", "%2e%2e"] {
        let error = source.schema(&SchemaId::from(id)).await;
        assert!(error.is_err(), "{id}: {error:?}");
    }
    assert_eq!(registry.callers.lock().unwrap().len(), 1);
}

#[test]
fn a_wrong_url_is_an_error_at_the_start() {
    for url in [
        "registry:8081",
        "",
        "/schemas",
        "ftp://registry",
        "http://key:s3cret@registry",
        "http://r/?a",
    ] {
        let error = ConfluentRegistry::new(url).unwrap_err();
        assert_eq!(error.to_string(), "cannot create a client of the schema registry", "{url}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

#[test]
fn a_password_is_not_sent_in_clear_text_to_another_host() {
    let with_password = |url| ConfluentRegistry::new(url).unwrap().basic_auth("key", "s3cret");
    for url in ["https://registry", "http://127.0.0.1:8081", "http://[::1]", "http://localhost/a"] {
        assert!(with_password(url).is_ok(), "{url}");
    }
    for url in [
        "http://registry:8081",
        "HTTP://10.0.0.1",
        "http://localhost.example.com",
        "http://0.0.0.0",
    ] {
        let error = with_password(url).unwrap_err();
        let cause = error.source().unwrap().to_string();
        assert_eq!(
            cause, "the URL is neither HTTPS nor local: the password would be sent in clear text",
            "{url}"
        );
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}
