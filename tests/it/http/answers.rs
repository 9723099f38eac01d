//! What clients receive when something fails.

use std::time::Duration;

use lambda_runtime::Error;
use powertools::http::{Json, JsonError, Problem, Request, StatusCode};
use powertools::idempotency::{self, StoreError, StoreErrorKind};
use powertools::testing::{Event, FakeRuntime, Outcome};
use powertools::{LambdaError, Powertools};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{events, outcome, problem, reply};

#[derive(Debug, thiserror::Error, LambdaError)]
enum OrderError {
    #[error("order {0} has been shipped")]
    #[http(status = 409)]
    Shipped(u64),
    #[error("the warehouse at 10.0.0.7 does not answer")]
    #[http(status = 503)]
    Warehouse,
    #[error("table orders-prod is gone")]
    Unnamed,
    #[error(transparent)]
    Idempotency(#[from] idempotency::Error),
}

async fn failed(error: fn() -> Error) -> Value {
    reply(move |_: Request| async move { Err::<(), _>(error()) }, events::http_api("GET", "/", ""))
        .await
}

#[tokio::test]
async fn an_error_with_a_status_is_a_problem_with_its_message() {
    for make in [
        || Error::from(OrderError::Shipped(7)),
        || anyhow::Error::from(OrderError::Shipped(7)).context("at the counter").into(),
    ] as [fn() -> Error; 2]
    {
        let reply = failed(make).await;
        assert_eq!(reply["statusCode"], 409);
        let problem = problem(&reply);
        assert_eq!(problem["detail"], "order 7 has been shipped");
        assert_eq!(
            (&problem["type"], &problem["title"]),
            (&json!("about:blank"), &json!("Conflict"))
        );
        assert_eq!(problem["status"], 409);
    }
}

#[tokio::test]
async fn the_message_of_a_failure_is_for_the_logs_alone() {
    let reply = failed(|| OrderError::Warehouse.into()).await;
    assert_eq!(reply["statusCode"], 503);
    assert_eq!(problem(&reply).get("detail"), None);
    for make in [|| OrderError::Unnamed.into(), || "secret".into()] as [fn() -> Error; 2] {
        let reply = failed(make).await;
        assert_eq!(reply["statusCode"], 500);
        let problem = problem(&reply);
        assert_eq!(
            (problem.get("detail"), &problem["title"]),
            (None, &json!("Internal Server Error"))
        );
    }
}

#[tokio::test]
async fn a_problem_has_the_id_of_its_request() {
    let lambda = FakeRuntime::new();
    let _function =
        lambda.run(Powertools::http(|_: Request| async { Err::<(), Error>("no".into()) }).run());
    let event = Event::new(events::rest("GET", "/")).request_id("r-7");
    let reply: Value = lambda.invoke(event).await.json();
    assert_eq!(problem(&reply)["request_id"], "r-7");
}

#[tokio::test]
async fn an_error_of_the_toolkit_names_neither_keys_nor_operations() {
    let key_missing = || idempotency::Error::KeyMissing { operation: "charge-card".to_owned() };
    let store = || StoreError::new(StoreErrorKind::Throttled, "table orders-prod");
    let cases: [(Error, u16); 3] = [
        (key_missing().into(), 400),
        (OrderError::Idempotency(key_missing()).into(), 400),
        (idempotency::Error::from(store()).into(), 503),
    ];
    for (error, status) in cases {
        let problem = Problem::of(&*error);
        assert_eq!(problem.status(), status);
        let json = problem.to_json();
        assert!(
            json.contains("detail") && !json.contains("charge-card") && !json.contains("orders")
        );
    }
}

#[tokio::test]
async fn a_problem_as_an_error_is_answered_as_it_is() {
    fn gone() -> Problem {
        Problem::new(StatusCode::GONE)
            .kind("https://errors.example/gone")
            .title("It is gone")
            .detail("since Monday")
            .instance("/orders/7")
            .member("order", 7)
            .member("status", 200)
            .retry_after(Duration::from_millis(1500))
    }
    for make in [|| gone().into(), || Transparent::Problem(gone()).into()] as [fn() -> Error; 2] {
        let reply = failed(make).await;
        assert_eq!(
            (&reply["statusCode"], &reply["headers"]["retry-after"]),
            (&json!(410), &json!("2"))
        );
        let mut problem = problem(&reply);
        assert!(problem["request_id"].take().is_string());
        let expected = json!({
            "type": "https://errors.example/gone", "title": "It is gone", "status": 410,
            "detail": "since Monday", "instance": "/orders/7", "order": 7, "request_id": null,
        });
        assert_eq!(problem, expected);
    }
}

#[derive(Debug, thiserror::Error, LambdaError)]
enum Transparent {
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    #[http(status = 422)]
    Refused(Problem),
    #[error(transparent)]
    #[http(status = 502)]
    Upstream(Problem),
    #[error(transparent)]
    #[http(status = 422)]
    Unanswered(std::io::Error),
}

#[tokio::test]
async fn a_transparent_error_has_the_details_of_the_error_in_it_below_500() {
    fn inner() -> Problem {
        let problem = Problem::new(StatusCode::NOT_FOUND).detail("no table orders-prod");
        let problem = problem.kind("https://errors.example/inner").title("inner").instance("/7");
        problem.member("table", "orders-prod").retry_after(Duration::from_secs(3))
    }
    let reply = failed(|| Transparent::Refused(inner()).into()).await;
    assert_eq!(reply["statusCode"], 422);
    let told = problem(&reply);
    assert_eq!(
        (&told["detail"], &told["table"], &told["status"]),
        (&json!("no table orders-prod"), &json!("orders-prod"), &json!(422))
    );

    let reply = failed(|| Transparent::Upstream(inner()).into()).await;
    assert_eq!(
        (&reply["statusCode"], &reply["headers"]["retry-after"]),
        (&json!(502), &json!("3"))
    );
    let mut told = problem(&reply);
    told["request_id"].take();
    let expected = json!({
        "type": "about:blank", "title": "Bad Gateway", "status": 502, "request_id": null,
    });
    assert_eq!(told, expected);

    let reply = failed(|| Transparent::Unanswered(std::io::Error::other("secret")).into()).await;
    assert_eq!((&reply["statusCode"], problem(&reply).get("detail")), (&json!(422), None));
}

#[tokio::test]
async fn a_problem_is_found_among_causes_and_keeps_a_request_id_of_its_own() {
    let make = || {
        let kind = "https://errors.example/gone";
        let problem = Problem::new(StatusCode::GONE).kind(kind).member("request_id", "mine");
        Error::from(anyhow::Error::from(problem).context("at the counter"))
    };
    let reply = failed(make).await;
    assert_eq!(reply["statusCode"], 410);
    let body = reply["body"].as_str().unwrap();
    assert_eq!(body.matches("request_id").count(), 1, "{body}");
    let problem = problem(&reply);
    assert_eq!(problem["request_id"], "mine");
    assert_eq!(problem["type"], "https://errors.example/gone");
}

#[derive(Debug, thiserror::Error)]
#[error("busy until a moment ago")]
struct Busy;

impl LambdaError for Busy {
    fn error_type(&self) -> &'static str {
        "Busy"
    }

    fn http(&self) -> Option<powertools::error::Http> {
        let mut told = powertools::error::Http::new(503);
        told.retry_at = Some(std::time::SystemTime::UNIX_EPOCH);
        Some(told)
    }
}

powertools::register_lambda_error!(Busy);

#[tokio::test]
async fn a_time_that_has_passed_is_a_second_from_now() {
    let reply = failed(|| Busy.into()).await;
    assert_eq!(
        (&reply["statusCode"], &reply["headers"]["retry-after"]),
        (&json!(503), &json!("1"))
    );
}

#[tokio::test]
async fn panics_are_answered_in_the_form_of_every_front_end() {
    async fn handle(_: Request) -> Result<(), Error> {
        panic!("secret")
    }
    for (front_end, event) in events::all("POST", "/") {
        let reply = reply(handle, event).await;
        assert_eq!(reply["statusCode"], 500, "{front_end}");
        assert!(!problem(&reply).to_string().contains("secret"));
    }
    // A handler can also panic before it returns its future.
    let early = |_: Request| -> std::future::Ready<Result<(), Error>> { panic!("secret") };
    assert_eq!(reply(early, events::rest("GET", "/")).await["statusCode"], 500);
}

async fn hang(_: Request) -> Result<StatusCode, Error> {
    std::future::pending().await
}

fn short(event: Value) -> Event {
    Event::new(event).timeout(Duration::from_millis(900))
}

#[tokio::test]
async fn a_request_whose_time_runs_out_is_answered_with_503() {
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(hang).run());
    let reply: Value = lambda.invoke(short(events::http_api("GET", "/", ""))).await.json();
    assert_eq!(
        (&reply["statusCode"], &reply["headers"]["retry-after"]),
        (&json!(503), &json!("1"))
    );
    assert_eq!(problem(&reply)["detail"], "the request was not processed in time");
}

#[tokio::test]
async fn a_function_has_its_own_answer_when_time_runs_out() {
    let lambda = FakeRuntime::new();
    let function = Powertools::http(hang)
        .when_out_of_time(|| (StatusCode::ACCEPTED, json!({ "later": true })));
    let _function = lambda.run(function.run());
    let reply: Value = lambda.invoke(short(events::http_api("GET", "/", ""))).await.json();
    assert_eq!((&reply["statusCode"], &reply["body"]), (&json!(202), &json!(r#"{"later":true}"#)));
}

#[tokio::test]
async fn failures_are_reported_to_lambda_on_request() {
    let invoke = async |handler: fn(Request) -> std::future::Ready<Result<(), Error>>| {
        let lambda = FakeRuntime::new();
        let _function = lambda.run(Powertools::http(handler).report_errors().run());
        lambda.invoke(events::rest("GET", "/")).await
    };
    let failed = invoke(|_| std::future::ready(Err(OrderError::Shipped(7).into()))).await;
    assert_eq!(failed.error_type(), Some("OrderError.Shipped"));
    assert_eq!(invoke(|_| panic!("secret")).await.error_type(), Some("Powertools.Panic"));

    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(hang).report_errors().run());
    let stopped = lambda.invoke(short(events::rest("GET", "/"))).await;
    assert!(matches!(stopped, Outcome::Failed(_)), "{stopped:?}");
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "nothing reads it")]
struct Order {
    items: Vec<u32>,
}

#[tokio::test]
async fn json_that_cannot_be_read_is_answered_with_its_place() {
    async fn handle(request: Request) -> Result<(), Error> {
        Json::<Order>::read_up_to(&request, 40)?;
        Ok(())
    }
    let long = format!(r#"{{"items":[{}1]}}"#, "1,".repeat(20));
    for (content_type, body, status, detail) in [
        (Some("application/json"), r#"{"items":[1]}"#, 204, ""),
        (Some("application/vnd.order+json; charset=utf-8"), r#"{"items":[1]}"#, 204, ""),
        (Some("application/json"), r#"{"items":[1,"x"]}"#, 422, "at `items[1]`: invalid type"),
        (Some("application/json"), "{}", 422, "missing field `items`"),
        (Some("application/json"), r#"{"items":"#, 400, "invalid JSON"),
        (Some("application/json"), "", 400, "invalid JSON"),
        (Some("application/json"), &long, 413, "more than 40 bytes"),
        (Some("text/plain"), r#"{"items":[1]}"#, 415, "content type"),
        (None, r#"{"items":[1]}"#, 415, "content type"),
    ] {
        let mut event = events::http_api("POST", "/", "");
        event["body"] = body.into();
        if let Some(content_type) = content_type {
            event["headers"]["content-type"] = content_type.into();
        }
        let reply = reply(handle, event).await;
        assert_eq!(reply["statusCode"], status, "{body}: {reply}");
        if status != 204 {
            let problem = problem(&reply);
            assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
        }
    }
}

#[tokio::test]
async fn an_unboxed_error_is_answered_too() {
    let handle = |request: Request| async move {
        Json::<Order>::read(&request)?;
        Ok::<_, JsonError>(())
    };
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(handle).run());
    let reply: Value = lambda.invoke(events::rest("POST", "/")).await.json();
    assert_eq!(reply["statusCode"], 415);
}

#[tokio::test]
async fn without_a_request_there_is_nobody_to_answer() {
    let outcome = outcome(super::describe, json!({ "Records": [] })).await;
    assert!(matches!(outcome, Outcome::Failed(_)));
}

#[derive(Debug, thiserror::Error)]
#[error("it has members of its own")]
struct WithMembers;

impl LambdaError for WithMembers {
    fn error_type(&self) -> &'static str {
        "WithMembers"
    }

    fn http(&self) -> Option<powertools::error::Http> {
        let mut told = powertools::error::Http::new(409);
        for name in ["type", "title", "status", "detail", "instance", "order", "request_id"] {
            told.members.insert(name.to_owned(), json!("other"));
        }
        Some(told)
    }
}

powertools::register_lambda_error!(WithMembers);

#[tokio::test]
async fn a_problem_has_each_member_once() {
    let reply = failed(|| WithMembers.into()).await;
    let body = reply["body"].as_str().unwrap();
    for name in ["type", "title", "status", "request_id", "order"] {
        assert_eq!(body.matches(&format!("\"{name}\":")).count(), 1, "{name} in {body}");
    }
    let expected = json!({
        "type": "about:blank", "title": "Conflict", "status": 409, "order": "other",
        "request_id": "other",
    });
    assert_eq!(problem(&reply), expected);
}

#[derive(Debug, thiserror::Error, LambdaError)]
enum Outer {
    #[error("the warehouse does not answer")]
    #[http(status = 503)]
    Warehouse(#[source] Problem),
    #[error("without a status")]
    Other(#[source] Box<Problem>),
}

#[tokio::test]
async fn the_outermost_error_with_an_answer_decides() {
    fn not_found() -> Problem {
        let problem = Problem::new(StatusCode::NOT_FOUND).kind("https://errors.example/inner");
        problem.detail("of another service")
    }
    let reply = failed(|| Outer::Warehouse(not_found()).into()).await;
    assert_eq!((&reply["statusCode"], problem(&reply).get("detail")), (&json!(503), None));
    // In a box it is as good.
    let reply = failed(|| Outer::Other(Box::new(not_found())).into()).await;
    let told = problem(&reply);
    assert_eq!(
        (&reply["statusCode"], &told["detail"]),
        (&json!(404), &json!("of another service"))
    );
    assert_eq!(told["type"], "https://errors.example/inner");

    // A response is no error: it is sent as it is.
    let answered = |_: Request| async { Ok::<_, Error>(not_found()) };
    let lambda = FakeRuntime::new();
    let function = Powertools::http(answered).when_out_of_time(|| StatusCode::ACCEPTED);
    let _function = lambda.run(function.report_errors().run());
    let reply: Value = lambda.invoke(events::rest("GET", "/")).await.json();
    assert_eq!(reply["statusCode"], 404);
}

#[tokio::test]
async fn what_a_client_named_is_truncated_in_the_detail() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        #[expect(dead_code, reason = "nothing reads it")]
        items: std::collections::HashMap<String, u32>,
    }
    async fn handle(request: Request) -> Result<(), Error> {
        Json::<Strict>::read(&request)?;
        Ok(())
    }
    let name = "n".repeat(500_000);
    for body in [
        json!({ "items": { name.clone(): "not a number" } }),
        json!({ "items": {}, name.clone(): 1 }),
    ] {
        let mut event = events::http_api("POST", "/", "");
        event["headers"]["content-type"] = "application/json".into();
        event["body"] = body.to_string().into();
        let reply = reply(handle, event).await;
        assert_eq!(reply["statusCode"], 422);
        let detail = problem(&reply)["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("nnnn") && detail.len() <= 1024, "{} bytes", detail.len());
    }
}

#[tokio::test]
async fn an_error_of_the_toolkit_that_is_worth_a_retry_says_when() {
    let key = || idempotency::Key::from("k".to_owned());
    let store = || StoreError::new(StoreErrorKind::Throttled, "table orders-prod");
    for (error, status, retry_after) in [
        (idempotency::Error::from(store()), 503, Some("1")),
        (idempotency::Error::NoTime { remaining: Duration::ZERO }, 503, Some("1")),
        (idempotency::Error::OutOfTime { key: key() }, 503, Some("1")),
        (idempotency::Error::Contended { key: key() }, 409, Some("1")),
        (idempotency::Error::InProgress { key: key(), until: None }, 409, Some("1")),
        (idempotency::Error::NotSaved { key: key(), source: store() }, 500, None),
        (idempotency::Error::LeaseLost { key: key() }, 500, None),
        (idempotency::Error::RecordGone { key: key() }, 500, None),
        (idempotency::Error::ResultNotStored { key: key(), reason: "x".into() }, 409, None),
        (idempotency::Error::PayloadChanged { key: key() }, 422, None),
    ] {
        let error = Error::from(error);
        let response = powertools::http::IntoResponse::into_response(Problem::of(&*error));
        assert_eq!(response.status(), status, "{error:?}");
        let header = response.headers().get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!(header, retry_after, "{error:?}");
    }
    let late = powertools::deadline::Error::OutOfTime { remaining: Duration::ZERO };
    let response = powertools::http::IntoResponse::into_response(Problem::of(&late));
    assert_eq!(response.headers().get("retry-after").unwrap(), "1");
}
