//! The table of draft-ietf-httpapi-idempotency-key-header-06: every state of a key with every request has
//! one answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use http::Response;
use lambda_runtime::{Context, Error, FunctionResponse, LambdaEvent};
use powertools::http::{self as web, Body, Event, HttpService, IdempotencyKeyLayer, Request};
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::testing::{self, ManualClock};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower::{Layer, Service};

use super::{events, problem};

/// What is recorded under the key `k-1` of ada for `POST /charges`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Absent,
    InProgress,
    /// Its process is gone, and its lease is over.
    Abandoned,
    Completed,
    Expired,
    /// Its response was too large.
    NotStored,
    /// It was answered with 503, which is not kept.
    Unavailable,
}

const STATES: [State; 7] = [
    State::Absent,
    State::InProgress,
    State::Abandoned,
    State::Completed,
    State::Expired,
    State::NotStored,
    State::Unavailable,
];

/// The key that a header is; `Err` for one that is invalid.
type Key = Result<Option<&'static str>, ()>;

/// The values of the header, and the key that they are.
fn keys() -> Vec<(Vec<String>, Key)> {
    let one = |value: &str| vec![value.to_owned()];
    vec![
        (vec![], Ok(None)),
        (one("k-1"), Ok(Some("k-1"))),
        (one("\"k-1\""), Ok(Some("k-1"))),
        (one("\"k-1\";v=1"), Ok(Some("k-1"))),
        (one("\"k 2\""), Ok(Some("k 2"))),
        (one(""), Err(())),
        (one("\"\""), Err(())),
        (vec!["k-1".to_owned(), "k-2".to_owned()], Err(())),
        (vec!["k-1".to_owned(), "k-1".to_owned()], Err(())),
        (one("k-1,k-2"), Err(())),
        (one("\"k-1\", \"k-2\""), Err(())),
        (one(&"k".repeat(300)), Err(())),
        (one(&format!("\"{}\"", "k".repeat(300))), Err(())),
        (one("k\t1"), Err(())),
        (one("k\u{7}1"), Err(())),
        (one("\"k\u{0}1\""), Err(())),
        (one("\"k-1"), Err(())),
        (one("k-1\""), Err(())),
        (one("k 1"), Err(())),
        (one("ключ"), Err(())),
    ]
}

const METHODS: [&str; 8] = ["POST", "PATCH", "PUT", "DELETE", "GET", "HEAD", "OPTIONS", "TRACE"];

/// Those to which no key applies.
const SAFE_METHODS: [&str; 4] = ["GET", "HEAD", "OPTIONS", "TRACE"];

/// What differs from the first request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Differs {
    /// `Some(None)`: there is none.
    caller: Option<Option<&'static str>>,
    path: bool,
    query: bool,
    content_type: bool,
    body: bool,
}

impl Differs {
    fn count(self) -> usize {
        let Self { caller, path, query, content_type, body } = self;
        [caller.is_some(), path, query, content_type, body].into_iter().filter(|it| *it).count()
    }
}

fn differences() -> Vec<Differs> {
    let mut all = Vec::new();
    for caller in [None, Some(Some("bob")), Some(None)] {
        for bits in 0..16 {
            let is = |bit: u32| bits >> bit & 1 == 1;
            let (path, query, content_type, body) = (is(0), is(1), is(2), is(3));
            all.push(Differs { caller, path, query, content_type, body });
        }
    }
    all
}

#[derive(Debug, PartialEq)]
enum Answer {
    /// That of the handler, which runs.
    Handler,
    /// That of the first request.
    Replay,
    BadRequest,
    NoCaller,
    InProgress,
    PayloadChanged,
    NotStored,
}

/// The documented answer.
fn expected(state: State, key: Key, method: &str, differs: Differs, is_optional: bool) -> Answer {
    if SAFE_METHODS.contains(&method) {
        return Answer::Handler;
    }
    let key = match key {
        Err(()) => return Answer::BadRequest,
        Ok(None) if matches!(method, "POST" | "PATCH") && !is_optional => {
            return Answer::BadRequest;
        }
        Ok(None) => return Answer::Handler,
        Ok(Some(key)) => key,
    };
    if differs.caller == Some(None) {
        return Answer::NoCaller;
    }
    let is_same = key == "k-1" && method == "POST" && differs.caller.is_none() && !differs.path;
    let has_record = match state {
        State::Absent | State::Abandoned | State::Expired | State::Unavailable => false,
        State::InProgress | State::Completed | State::NotStored => true,
    };
    if !is_same || !has_record {
        return Answer::Handler;
    }
    if differs.query || differs.content_type || differs.body {
        return Answer::PayloadChanged;
    }
    match state {
        State::InProgress => Answer::InProgress,
        State::NotStored => Answer::NotStored,
        _ => Answer::Replay,
    }
}

fn request(values: &[String], method: &str, differs: Differs) -> Value {
    let path = if differs.path { "/refunds" } else { "/charges" };
    let query = if differs.query { "dry_run=1" } else { "" };
    let mut event = events::http_api(method, path, query);
    if let Some(caller) = differs.caller.unwrap_or(Some("ada")) {
        let claims = json!({ "iss": "i", "sub": caller });
        event["requestContext"]["authorizer"]["jwt"]["claims"] = claims;
    }
    let content_type = if differs.content_type { "text/plain" } else { "application/json" };
    event["headers"]["content-type"] = content_type.into();
    event["body"] = if differs.body { "[]" } else { "{}" }.into();
    for (value, name) in values.iter().zip(["idempotency-key", "Idempotency-Key"]) {
        event["headers"][name] = value.as_str().into();
    }
    event
}

/// A function in a state.
struct World {
    clock: ManualClock,
    service: Box<dyn Fn(Value) -> futures_util::future::BoxFuture<'static, Value>>,
    runs: Arc<AtomicU32>,
    go: Arc<Notify>,
    first: Option<tokio::task::JoinHandle<Value>>,
}

impl World {
    async fn new(state: State, is_optional: bool) -> Self {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        let (runs, go) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let handle = {
            let (runs, go) = (runs.clone(), go.clone());
            move |_: Request| {
                let is_first = runs.fetch_add(1, Ordering::Relaxed) == 0;
                let go = go.clone();
                async move {
                    if is_first && matches!(state, State::InProgress | State::Abandoned) {
                        go.notified().await;
                    }
                    let status = if is_first && state == State::Unavailable { 503 } else { 201 };
                    let is_large = is_first && state == State::NotStored;
                    let body = if is_large { "x".repeat(2_000) } else { "charged".to_owned() };
                    Ok::<_, Error>(Response::builder().status(status).body(Body::from(body))?)
                }
            }
        };
        let idempotency = Idempotency::builder(MemoryStore::new()).clock(clock.clock());
        let layer = IdempotencyKeyLayer::new(idempotency.build().unwrap(), "payments");
        let layer = layer.max_body_bytes(1_000);
        let layer = if is_optional { layer.optional() } else { layer };
        let service = HttpService::new(layer.layer(web::handler(handle)));
        let service = {
            let clock = clock.clone();
            move |event: Value| {
                let event: Event = serde_json::from_str(&event.to_string()).unwrap();
                let context = Context::default();
                let invocation = testing::invocation().request_id("r-1").clock(clock.clone());
                let invocation = invocation.remaining(Duration::from_secs(20)).build();
                let answer = service.clone().call(LambdaEvent::new(event, context));
                let answer = invocation.scope(async {
                    match answer.await.unwrap() {
                        FunctionResponse::BufferedResponse(reply) => {
                            serde_json::to_value(reply).unwrap()
                        }
                        FunctionResponse::StreamingResponse(_) => panic!("it is not streamed"),
                    }
                });
                Box::pin(answer) as futures_util::future::BoxFuture<'static, Value>
            }
        };
        let mut world = Self { clock, service: Box::new(service), runs, go, first: None };
        world.bring_to(state).await;
        world
    }

    async fn bring_to(&mut self, state: State) {
        if state == State::Absent {
            self.runs.store(1, Ordering::Relaxed);
            return;
        }
        let first = (self.service)(request(&["k-1".to_owned()], "POST", Differs::default()));
        let first = tokio::spawn(first);
        if matches!(state, State::InProgress | State::Abandoned) {
            while self.runs.load(Ordering::Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
            self.first = Some(first);
        } else {
            let reply = first.await.unwrap();
            let status = if state == State::Unavailable { 503 } else { 201 };
            assert_eq!(reply["statusCode"], status);
        }
        match state {
            State::Abandoned => self.clock.advance(Duration::from_secs(60)),
            State::Expired => self.clock.advance(Duration::from_secs(25 * 60 * 60)),
            _ => {}
        }
    }

    async fn ask(&self, event: Value) -> (Value, bool) {
        let before = self.runs.load(Ordering::Relaxed);
        let reply = (self.service)(event).await;
        (reply, self.runs.load(Ordering::Relaxed) > before)
    }

    async fn end(self) {
        self.go.notify_one();
        if let Some(first) = self.first {
            // The answer of a run that was abandoned is its own business.
            first.await.unwrap();
        }
    }
}

/// Which answer it is. All of its parts have to fit.
fn answer(reply: &Value, has_run: bool) -> Option<Answer> {
    let header = |name: &str| reply["headers"][name].as_str();
    let is_replayed = header("idempotency-replayed").is_some();
    let status = reply["statusCode"].as_u64().unwrap();
    if status == 201 {
        assert_eq!(reply["body"], "charged");
        return match (has_run, is_replayed) {
            (true, false) => Some(Answer::Handler),
            (false, true) => Some(Answer::Replay),
            _ => None,
        };
    }
    let problem = problem(reply);
    assert_eq!(problem["status"], status);
    let text = problem.to_string();
    assert!(!text.contains("k-1") && !text.contains("payments"), "{text}");
    assert_eq!(problem["request_id"], "r-1");
    let retry_after = header("retry-after").and_then(|seconds| seconds.parse::<u64>().ok());
    let response_status = problem["response_status"].as_u64();
    Some(match (status, has_run, is_replayed, retry_after, response_status) {
        (400, false, false, None, None) => Answer::BadRequest,
        (500, false, false, None, None) => Answer::NoCaller,
        (409, false, false, Some(15..=21), None) => Answer::InProgress,
        (422, false, false, None, None) => Answer::PayloadChanged,
        (409, false, true, None, Some(201)) => Answer::NotStored,
        _ => return None,
    })
}

#[tokio::test]
async fn every_state_with_every_request_has_its_documented_answer() {
    let mut seen = [0; 7];
    for (state, (values, key), method, differs, is_optional) in cases() {
        let world = World::new(state, is_optional).await;
        let (reply, has_run) = world.ask(request(&values, method, differs)).await;
        let expected = expected(state, key, method, differs, is_optional);
        let case = format!("{state:?} {values:?} {method} {differs:?}, optional: {is_optional}");
        // These are in no header of HTTP, whatever the method is: the event is answered with 400.
        let is_invalid = values.iter().any(|value| value.contains(['\u{0}', '\u{7}']));
        let expected = if is_invalid { Answer::BadRequest } else { expected };
        assert_eq!(answer(&reply, has_run), Some(expected), "{case}: {reply}");
        seen[answer_index(&reply, has_run)] += 1;
        world.end().await;
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

type Case = (State, (Vec<String>, Key), &'static str, Differs, bool);

/// Every key with every method, and every difference from a first POST, each in every state. At full length
/// also every difference where it can decide, and each by itself elsewhere.
fn cases() -> Vec<Case> {
    let is_full = powertools_tests::scale(0, 1) == 1;
    let mut cases = Vec::new();
    for state in STATES {
        for (number, key) in keys().into_iter().enumerate() {
            for method in METHODS {
                let decides = key.1.is_ok() && !SAFE_METHODS.contains(&method);
                for differs in differences() {
                    for is_optional in [false, true] {
                        let is_same = differs == Differs::default();
                        let is_first = number == 1 && method == "POST" && !is_optional;
                        let is_in_full = decides || differs.count() <= 1;
                        if is_same || is_first || is_full && is_in_full {
                            cases.push((state, key.clone(), method, differs, is_optional));
                        }
                    }
                }
            }
        }
    }
    cases
}

fn answer_index(reply: &Value, has_run: bool) -> usize {
    match answer(reply, has_run) {
        Some(Answer::Handler) | None => 0,
        Some(Answer::Replay) => 1,
        Some(Answer::BadRequest) => 2,
        Some(Answer::NoCaller) => 3,
        Some(Answer::InProgress) => 4,
        Some(Answer::PayloadChanged) => 5,
        Some(Answer::NotStored) => 6,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever the header is: two requests with it are both rejected, or the second is a replay.
    #[test]
    fn a_header_is_a_key_or_is_rejected(value in "\\PC{0,40}|[ -~\t]{0,300}|\"[ -~]{0,300}\"?") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let world = World::new(State::Absent, true).await;
            let event = request(std::slice::from_ref(&value), "POST", Differs::default());
            let (first, has_run) = world.ask(event.clone()).await;
            let (second, has_run_again) = world.ask(event).await;
            let answers = (answer(&first, has_run), answer(&second, has_run_again));
            match answers {
                (Some(Answer::BadRequest), Some(Answer::BadRequest)) => {}
                (Some(Answer::Handler), Some(Answer::Replay)) => {
                    assert!(value.trim().len() <= 2 * 255 + 2 && !value.trim().is_empty());
                }
                answers => panic!("{value:?}: {answers:?}"),
            }
        });
    }
}
