//! Bodies that are longer than what is stored of them, or than what Lambda takes.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use http::Response;
use http_body_util::BodyExt;
use lambda_runtime::Error;
use powertools::http::{self as web, IdempotencyKeyLayer, Request};
use powertools::idempotency::{Builder, Idempotency, OnError, OnInterrupt, StoreErrorKind};
use powertools::testing::{self, Event, FakeRuntime};
use powertools::{Deadline, Powertools};
use powertools_tests::faulty::{Fault, FaultyStore, Op};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower::{Layer, Service, ServiceBuilder};

use super::idempotency_key::charge;
use super::{events, problem};

type Pieces = BoxStream<'static, Result<Bytes, Error>>;

/// The layer stores ten bytes of a body, and these are more.
const BEGUN: &[u8] = b"twelve bytes";

fn layer(
    store: &FaultyStore,
    options: fn(Builder<FaultyStore>) -> Builder<FaultyStore>,
) -> IdempotencyKeyLayer<FaultyStore> {
    let idempotency = options(Idempotency::builder(store.clone())).build().unwrap();
    IdempotencyKeyLayer::new(idempotency, "payments").max_body_bytes(10)
}

/// A function whose first response continues with `rest`, and later ones end.
struct Shop {
    lambda: FakeRuntime,
    _function: testing::FunctionTask<Result<(), Error>>,
    runs: Arc<AtomicU32>,
    timeout: Duration,
}

impl Shop {
    fn start(
        is_streamed: bool,
        options: fn(Builder<FaultyStore>) -> Builder<FaultyStore>,
        rest: impl Fn() -> Pieces + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::on(FaultyStore::new(), is_streamed, options, rest)
    }

    fn on(
        store: FaultyStore,
        is_streamed: bool,
        options: fn(Builder<FaultyStore>) -> Builder<FaultyStore>,
        rest: impl Fn() -> Pieces + Clone + Send + Sync + 'static,
    ) -> Self {
        let runs = Arc::new(AtomicU32::new(0));
        let handle = {
            let runs = runs.clone();
            move |_: Request| {
                let is_first = runs.fetch_add(1, Ordering::Relaxed) == 0;
                let begun = stream::iter([Ok(Bytes::from_static(BEGUN))]);
                let rest = if is_first { rest() } else { stream::empty().boxed() };
                async move { Ok::<_, Error>(Response::new(Body::from_stream(begun.chain(rest)))) }
            }
        };
        let service =
            ServiceBuilder::new().layer(layer(&store, options)).service(web::handler(handle));
        let function = Powertools::http(service);
        let function = if is_streamed { function.streaming() } else { function };
        let lambda = FakeRuntime::new().concurrency(2);
        let task = lambda.run(function.run());
        Self { lambda, _function: task, runs, timeout: Duration::from_secs(2) }
    }

    /// Leaves the time that the message of a panic takes, with its backtrace.
    fn unhurried(self) -> Self {
        Self { timeout: Duration::from_secs(60), ..self }
    }

    fn event(&self) -> Event {
        Event::new(charge(Some("k-1"), "{}")).timeout(self.timeout)
    }

    /// Returns the status and the body of the answer.
    async fn ask(&self) -> (u64, String) {
        answer(&self.lambda.invoke(self.event()).await)
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::Relaxed)
    }
}

fn answer(outcome: &testing::Outcome) -> (u64, String) {
    let response = outcome.response().unwrap();
    if response.is_streamed() {
        let status = response.prelude().unwrap()["statusCode"].as_u64().unwrap();
        return (status, String::from_utf8(response.content().to_vec()).unwrap());
    }
    let reply: Value = outcome.json();
    (reply["statusCode"].as_u64().unwrap(), reply["body"].as_str().unwrap().to_owned())
}

/// How a body does not end.
const BROKEN: [fn() -> Pieces; 2] = [
    || stream::iter([Err::<Bytes, Error>("secret".into())]).boxed(),
    || stream::poll_fn(|_| panic!("secret")).boxed(),
];

#[tokio::test]
async fn work_whose_long_body_breaks_off_is_not_done_and_runs_again() {
    for is_streamed in [true, false] {
        for rest in BROKEN {
            let shop = Shop::start(is_streamed, |options| options, rest).unhurried();
            let (status, body) = shop.ask().await;
            // What was streamed cannot be taken back.
            assert_eq!(status, if is_streamed { 200 } else { 500 }, "{body}");
            assert_eq!(body.contains("twelve bytes"), is_streamed, "{body}");
            assert!(!body.contains("secret"));
            let (status, body) = shop.ask().await;
            assert_eq!((status, &*body, shop.runs()), (200, "twelve bytes", 2));
            // Now it is done, and too long to be replayed.
            let (status, body) = shop.ask().await;
            assert_eq!((status, shop.runs()), (409, 2));
            assert!(body.contains(r#""response_status":200"#), "{body}");
        }
    }
}

#[tokio::test]
async fn the_claim_of_a_broken_body_is_held_if_errors_are() {
    for is_streamed in [true, false] {
        for rest in BROKEN {
            let shop = Shop::start(is_streamed, |options| options.on_error(OnError::Hold), rest);
            let shop = shop.unhurried();
            shop.ask().await;
            let (status, body) = shop.ask().await;
            assert_eq!((status, shop.runs()), (409, 1), "{body}");
            assert!(body.contains("in progress"), "{body}");
        }
    }
}

#[tokio::test]
async fn a_long_body_that_is_stopped_counts_as_an_interruption() {
    let hangs = || -> Pieces { stream::pending().boxed() };
    for is_streamed in [true, false] {
        let shop = Shop::start(is_streamed, |options| options, hangs);
        let (status, body) = shop.ask().await;
        assert_eq!(status, if is_streamed { 200 } else { 503 }, "{body}");
        assert_eq!(shop.ask().await, (200, "twelve bytes".to_owned()));
        assert_eq!(shop.runs(), 2);

        let hold = |options: Builder<_>| options.on_interrupt(OnInterrupt::Hold);
        let shop = Shop::start(is_streamed, hold, hangs);
        shop.ask().await;
        assert_eq!((shop.ask().await.0, shop.runs()), (409, 1));
    }
}

#[tokio::test]
async fn a_request_whose_body_is_being_streamed_is_in_progress() {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let rest = {
        let (begun, go) = (begun.clone(), go.clone());
        move || {
            let (begun, go) = (begun.clone(), go.clone());
            let rest = stream::once(async move {
                begun.notify_one();
                go.notified().await;
                Ok(Bytes::from_static(b" and more"))
            });
            rest.boxed()
        }
    };
    let shop = Shop::start(true, |options| options, rest);
    let first = shop.lambda.send(shop.event().timeout(Duration::from_secs(30)));
    begun.notified().await;
    let (status, body) = shop.ask().await;
    assert_eq!((status, body.contains("in progress")), (409, true), "{body}");
    go.notify_one();
    assert_eq!(answer(&first.outcome().await), (200, "twelve bytes and more".to_owned()));
    // The record is complete before the body is.
    let (status, body) = shop.ask().await;
    assert_eq!((status, shop.runs()), (409, 1));
    assert!(body.contains(r#""response_status":200"#), "{body}");
}

#[tokio::test]
async fn a_long_body_whose_record_cannot_be_completed_is_sent_as_it_is() {
    // The second is tried again until shortly before the deadline, past the limit of the body.
    for kind in [StoreErrorKind::AccessDenied, StoreErrorKind::Throttled] {
        let store = (0..100)
            .fold(FaultyStore::new(), |store, _| store.fault(Op::Complete, Fault::Fail(kind)));
        let shop = Shop::on(store, true, |options| options, || stream::empty().boxed());
        assert_eq!(shop.ask().await, (200, "twelve bytes".to_owned()), "{kind:?}");
        let (status, body) = shop.ask().await;
        assert_eq!((status, body.contains("in progress"), shop.runs()), (409, true, 1), "{body}");
    }
}

/// A guard around a part of the body: what it stopped may have been done.
#[tokio::test]
async fn what_a_guard_inside_a_long_body_stops_is_an_interruption() {
    // Before the limit of the body.
    const RESERVE: Duration = Duration::from_secs(1);
    let part = || pending::<Result<Bytes, Error>>();
    let fails = move || -> Pieces {
        stream::once(async move { Deadline::current().run(RESERVE, part()).await }).boxed()
    };
    let falls_back = move || -> Pieces {
        let fallback = |_| Ok(Bytes::from_static(b", and no more"));
        stream::once(async move { Deadline::current().run_or(RESERVE, part(), fallback).await })
            .boxed()
    };
    let hold = |options: Builder<_>| options.on_interrupt(OnInterrupt::Hold);
    let shop = Shop::start(true, hold, fails);
    shop.ask().await;
    assert_eq!((shop.ask().await.0, shop.runs()), (409, 1));

    let shop = Shop::start(true, hold, falls_back);
    assert_eq!(shop.ask().await, (200, "twelve bytes, and no more".to_owned()));
    let (status, body) = shop.ask().await;
    assert_eq!((status, body.contains("in progress"), shop.runs()), (409, true, 1), "{body}");

    let shop = Shop::start(true, |options| options, falls_back);
    shop.ask().await;
    assert_eq!((shop.ask().await, shop.runs()), ((200, "twelve bytes".to_owned()), 2));
}

/// The work is done, whatever the destructor of its body does.
#[tokio::test]
async fn a_long_body_that_panics_when_it_is_dropped_is_done() {
    struct Dropped;
    impl Drop for Dropped {
        fn drop(&mut self) {
            panic!("secret");
        }
    }
    let rest = || -> Pieces {
        let dropped = Dropped;
        stream::poll_fn(move |_| {
            let _ = &dropped;
            std::task::Poll::Ready(None)
        })
        .boxed()
    };
    let shop = Shop::start(true, |options| options, rest).unhurried();
    shop.ask().await;
    let (status, body) = shop.ask().await;
    assert_eq!((status, shop.runs()), (409, 1), "{body}");
    assert!(body.contains(r#""response_status":200"#), "{body}");
}

/// The lease is over long before the invocation.
#[tokio::test(start_paused = true)]
async fn a_long_body_ends_with_its_lease_unless_that_is_renewed() {
    const SECOND: Duration = Duration::from_secs(1);
    for renews in [false, true] {
        let options: fn(Builder<FaultyStore>) -> Builder<FaultyStore> = match renews {
            false => |options| options.lease(3 * SECOND).on_interrupt(OnInterrupt::Release),
            true => |options| options.lease(3 * SECOND).renew_lease(),
        };
        let store = FaultyStore::new();
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let clock = testing::ManualClock::new(start);
        let ticking = {
            let clock = clock.clone();
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(SECOND / 100).await;
                    clock.advance(SECOND / 100);
                }
            })
        };
        let handle = |_: Request| async {
            let pieces = stream::unfold(0, |count| async move {
                tokio::time::sleep(SECOND).await;
                (count < 8).then(|| (Ok::<_, Infallible>(Bytes::from_static(BEGUN)), count + 1))
            });
            Ok::<_, Error>(Response::new(Body::from_stream(pieces)))
        };
        let once = layer(&store, options).caller(|_| Some("ada".to_owned()));
        let mut service = once.layer(web::handler(handle));
        let request = || {
            let request = http::Request::post("/charges").header("idempotency-key", "k-1");
            request.body(web::Body::Empty).unwrap()
        };
        let invocation = testing::invocation().clock(clock).remaining(30 * SECOND).build();
        let (begun, again) = invocation
            .scope(async {
                let response = service.call(request()).await.unwrap();
                let begun = response.into_body().into_data_stream();
                let begun: Result<Vec<Bytes>, _> = begun.try_collect().await;
                let again = service.call(request()).await.unwrap();
                (begun, again.status())
            })
            .await;
        ticking.abort();
        if renews {
            assert_eq!(begun.unwrap().len(), 8);
            assert_eq!(again, 409, "it is done");
            assert!(store.calls().contains(&Op::Renew));
        } else {
            let error = begun.unwrap_err().to_string();
            assert!(error.contains("at the end of its lease"), "{error}");
            assert_eq!(again, 200, "it runs again");
        }
    }
}

/// Nobody reads the rest, since the connection of the reader has gone.
#[tokio::test]
async fn a_long_body_that_is_dropped_counts_as_an_interruption() {
    let hold: fn(Builder<FaultyStore>) -> Builder<FaultyStore> =
        |options| options.on_interrupt(OnInterrupt::Hold);
    for (options, again) in
        [(hold, 409), (|options| options.on_interrupt(OnInterrupt::Release), 200)]
    {
        let store = FaultyStore::new();
        let handle = |_: Request| async {
            let begun = stream::iter([Ok::<_, Infallible>(Bytes::from_static(BEGUN))]);
            Ok::<_, Error>(Response::new(Body::from_stream(begun.chain(stream::pending()))))
        };
        let once = layer(&store, options).caller(|_| Some("ada".to_owned()));
        let mut service = once.layer(web::handler(handle));
        let request = || {
            let request = http::Request::post("/charges").header("idempotency-key", "k-1");
            request.body(web::Body::Empty).unwrap()
        };
        let invocation = testing::invocation().remaining(Duration::from_secs(30)).build();
        let status = invocation
            .scope(async {
                let response = service.call(request()).await.unwrap();
                let mut body = response.into_body().into_data_stream();
                assert_eq!(body.next().await.unwrap().unwrap(), BEGUN);
                drop(body);
                // The release is a task of its own.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                service.call(request()).await.unwrap().status()
            })
            .await;
        assert_eq!(status, again);
    }
}

/// The pieces of a body without end, which are counted.
fn endless(pieces: Arc<AtomicU32>) -> impl Fn() -> Body + Clone {
    move || {
        let pieces = pieces.clone();
        Body::from_stream(stream::repeat_with(move || {
            pieces.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 64 * 1024]))
        }))
    }
}

#[tokio::test]
async fn a_body_beyond_what_lambda_takes_is_not_read_to_its_end() {
    let pieces = Arc::new(AtomicU32::new(0));
    let body = endless(pieces.clone());
    let handle = move |_: Request| {
        let response = Response::builder().header("content-type", "text/plain").body(body());
        async move { Ok::<_, Error>(response?) }
    };
    let reply = super::reply(handle.clone(), events::rest("GET", "/")).await;
    assert_eq!(reply["statusCode"], 500);
    assert_eq!(problem(&reply).get("detail"), None);
    // 96 of them are 6 MiB.
    assert_eq!(pieces.swap(0, Ordering::Relaxed), 97);

    let reply = super::reply(handle.clone(), events::load_balancer("GET", "/", true)).await;
    assert_eq!(reply["statusCode"], 500);
    // 16 of them are 1 MiB.
    assert_eq!(pieces.swap(0, Ordering::Relaxed), 17);

    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(handle.clone()).report_errors().run());
    let outcome = lambda.invoke(events::rest("GET", "/")).await;
    assert_eq!(outcome.error_type(), Some("Powertools.ResponseTooLarge"));
    assert_eq!(pieces.swap(0, Ordering::Relaxed), 97);

    // The work is done, and is not repeated.
    let store = FaultyStore::new();
    let once = layer(&store, |options| options);
    let service = ServiceBuilder::new().layer(once).service(web::handler(handle.clone()));
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(service).run());
    let first: Value = lambda.invoke(charge(Some("k-1"), "{}")).await.json();
    let second: Value = lambda.invoke(charge(Some("k-1"), "{}")).await.json();
    assert_eq!((&first["statusCode"], &second["statusCode"]), (&json!(500), &json!(409)));
    assert_eq!(problem(&second)["response_status"], 200);
    assert_eq!(pieces.swap(0, Ordering::Relaxed), 97);

    let mut event = events::load_balancer("POST", "/charges", true);
    event["multiValueHeaders"]["idempotency-key"] = json!(["k-2"]);
    let once = layer(&FaultyStore::new(), |options| options).caller(|_| Some("ada".to_owned()));
    let service = ServiceBuilder::new().layer(once).service(web::handler(handle));
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(service).run());
    let first: Value = lambda.invoke(event).await.json();
    assert_eq!(first["statusCode"], 500);
    assert_eq!(pieces.load(Ordering::Relaxed), 17);
}

#[tokio::test]
async fn an_answer_to_a_failure_fits_into_a_reply() {
    let large = || "x".repeat(7 * 1024 * 1024);
    let lambda = FakeRuntime::new();
    let handle = move |_: Request| async move {
        Err::<(), _>(web::Problem::new(web::StatusCode::CONFLICT).detail(large()))
    };
    let _function = lambda.run(Powertools::http(handle).run());
    let reply: Value = lambda.invoke(events::rest("GET", "/")).await.json();
    assert_eq!(reply["statusCode"], 409);
    let told = problem(&reply);
    assert_eq!((&told["title"], told.get("detail")), (&json!("Conflict"), None));

    let lambda = FakeRuntime::new();
    let hang = |_: Request| std::future::pending::<Result<(), Error>>();
    let _function = lambda.run(Powertools::http(hang).when_out_of_time(large).run());
    let event = Event::new(events::rest("GET", "/")).timeout(Duration::from_millis(900));
    let reply: Value = lambda.invoke(event).await.json();
    assert_eq!(reply["statusCode"], 503);
    problem(&reply);
}
