//! AppConfig's data plane, by a server that speaks as its API has it: moto has none.

use std::time::{Duration, SystemTime};

use hyper::StatusCode;
use powertools::parameters::{AppConfig, Configuration, Parameters, Value};
use powertools::testing::ManualClock;
use serde::Deserialize;

use super::aws::config;
use super::server::{Reply, Server};
use super::{SECOND, name};

const STARTED: Reply = (StatusCode::CREATED, &[], r#"{"InitialConfigurationToken":"t0"}"#);
const FIRST: Reply = (
    StatusCode::OK,
    &[
        ("Next-Poll-Configuration-Token", "t1"),
        ("Next-Poll-Interval-In-Seconds", "60"),
        ("Version-Label", "v1"),
    ],
    r#"{"limit":10}"#,
);
const UNCHANGED: Reply = (
    StatusCode::OK,
    &[("Next-Poll-Configuration-Token", "t2"), ("Next-Poll-Interval-In-Seconds", "60")],
    "",
);
const CHANGED: Reply = (
    StatusCode::OK,
    &[("Next-Poll-Configuration-Token", "t3"), ("Next-Poll-Interval-In-Seconds", "60")],
    r#"{"limit":20}"#,
);
const EXPIRED: Reply = (
    StatusCode::BAD_REQUEST,
    &[("x-amzn-errortype", "BadRequestException")],
    r#"{"Message":"Token is expired"}"#,
);

const THROTTLED: Reply = (
    StatusCode::TOO_MANY_REQUESTS,
    &[("x-amzn-errortype", "ThrottlingException")],
    r#"{"Message":"Rate exceeded"}"#,
);

#[derive(Deserialize)]
struct Limits {
    limit: u32,
}

static LIMITS: Configuration<Limits> = Configuration::json("shop/prod/limits");

/// Runs `work` against a server with these replies, and returns the targets of the requests.
async fn serving<F: Future>(
    replies: impl IntoIterator<Item = Reply>,
    work: impl FnOnce(ManualClock) -> F,
) -> Vec<String> {
    let server = Server::replying(replies).await;
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH + SECOND);
    let client =
        aws_sdk_appconfigdata::Client::new(&config(&format!("http://127.0.0.1:{}", server.port())));
    let source = AppConfig::new(client).clock(&clock);
    let parameters = Parameters::new().source(source).clock(&clock).max_age(45 * SECOND);
    parameters.scope(work(clock)).await;
    server.requests().into_iter().map(|request| request.target).collect()
}

#[tokio::test]
async fn a_session_polls_with_each_token_once_and_no_change_is_no_value() {
    let targets = serving([STARTED, FIRST, UNCHANGED, CHANGED], async |clock| {
        let first = LIMITS.get().await.unwrap();
        assert_eq!((first.limit, Value::version(&first)), (10, Some("v1")));
        // The service must not be asked again for a minute, though `max_age` is less.
        clock.advance(50 * SECOND);
        assert_eq!(LIMITS.get().await.unwrap().limit, 10);
        for expected in [10, 20] {
            clock.advance(61 * SECOND);
            // An error would show here, where `get` returns the old value.
            assert_eq!(LIMITS.get_fresh().await.unwrap().limit, expected);
        }
    });
    assert_eq!(
        targets.await,
        [
            "/configurationsessions",
            "/configuration?configuration_token=t0",
            "/configuration?configuration_token=t1",
            "/configuration?configuration_token=t2",
        ]
    );
}

#[tokio::test]
async fn the_service_is_not_asked_within_its_interval_by_anyone() {
    static AS_TEXT: Configuration<String> = Configuration::plain("shop/prod/limits");

    let targets = serving([STARTED, FIRST, CHANGED], async |clock| {
        LIMITS.get().await.unwrap();
        clock.advance(59 * SECOND);
        let text = AS_TEXT.get().await.unwrap();
        assert_eq!((&**text, Value::version(&text)), (r#"{"limit":10}"#, Some("v1")));
        assert_eq!(LIMITS.get_fresh().await.unwrap().limit, 10);
        assert_eq!(LIMITS.refresh_if(|_| true).await.unwrap().limit, 10);
        LIMITS.invalidate().unwrap();
        assert_eq!(LIMITS.get().await.unwrap().limit, 10);
        // Each of them is as old as the one request, and the next one is for all.
        clock.advance(SECOND);
        assert_eq!(*AS_TEXT.get().await.unwrap(), r#"{"limit":20}"#);
        assert_eq!(LIMITS.get().await.unwrap().limit, 20);
    });
    let expected = [
        "/configurationsessions",
        "/configuration?configuration_token=t0",
        "/configuration?configuration_token=t1",
    ];
    assert_eq!(targets.await, expected);
}

#[tokio::test]
async fn an_expired_token_begins_another_session() {
    let replies = [STARTED, FIRST, EXPIRED, STARTED, CHANGED];
    let targets = serving(replies, async |clock| {
        LIMITS.get().await.unwrap();
        clock.advance(61 * SECOND);
        assert_eq!(LIMITS.get().await.unwrap().limit, 20);
    });
    assert_eq!(targets.await.len(), 5);
}

#[tokio::test]
async fn a_session_that_is_throttled_keeps_its_token_and_waits() {
    let targets = serving([STARTED, FIRST, THROTTLED, CHANGED], async |clock| {
        LIMITS.get().await.unwrap();
        clock.advance(61 * SECOND);
        assert_eq!(LIMITS.get().await.unwrap().limit, 10);
        // In the time in which the service admits no request, none is sent.
        for _ in 0..5 {
            clock.advance(11 * SECOND);
            assert_eq!(LIMITS.get().await.unwrap().limit, 10);
            assert_eq!(name(LIMITS.get_fresh().await), "Powertools.ParameterThrottled");
        }
        clock.advance(6 * SECOND);
        assert_eq!(LIMITS.get().await.unwrap().limit, 20);
    });
    let tokens: Vec<_> = targets.await;
    assert_eq!(
        tokens[1..],
        [
            "/configuration?configuration_token=t0",
            "/configuration?configuration_token=t1",
            "/configuration?configuration_token=t1",
        ]
    );
}

#[tokio::test]
async fn without_a_value_a_throttled_session_goes_on_at_once() {
    let targets = serving([THROTTLED, STARTED, THROTTLED, FIRST], async |clock| {
        for _ in 0..2 {
            assert_eq!(name(LIMITS.get().await), "Powertools.ParameterThrottled");
            clock.advance(SECOND);
        }
        assert_eq!(LIMITS.get().await.unwrap().limit, 10);
    });
    assert_eq!(
        targets.await,
        [
            "/configurationsessions",
            "/configurationsessions",
            "/configuration?configuration_token=t0",
            "/configuration?configuration_token=t0",
        ]
    );
}

#[tokio::test]
async fn two_configurations_have_a_session_each() {
    static OTHERS: Configuration<Limits> = Configuration::json("shop/prod/others");

    let started: Reply = (StatusCode::CREATED, &[], r#"{"InitialConfigurationToken":"u0"}"#);
    let first: Reply = (
        StatusCode::OK,
        &[("Next-Poll-Configuration-Token", "u1"), ("Next-Poll-Interval-In-Seconds", "60")],
        r#"{"limit":1}"#,
    );
    let replies = [STARTED, FIRST, started, first, UNCHANGED, UNCHANGED, EXPIRED, started, first];
    let targets = serving(replies, async |clock| {
        assert_eq!(LIMITS.get().await.unwrap().limit, 10);
        assert_eq!(OTHERS.get().await.unwrap().limit, 1);
        clock.advance(61 * SECOND);
        // Unchanged is what this configuration had, not what came last.
        assert_eq!(LIMITS.get_fresh().await.unwrap().limit, 10);
        assert_eq!(OTHERS.get_fresh().await.unwrap().limit, 1);
        clock.advance(61 * SECOND);
        assert_eq!(OTHERS.get_fresh().await.unwrap().limit, 1);
    });
    let tokens: Vec<_> = targets
        .await
        .iter()
        .map(|target| target.split('=').nth(1).unwrap_or("a session").to_owned())
        .collect();
    // The expired token of one ends the session of that one alone.
    let expected = ["a session", "t0", "a session", "u0", "t1", "u1", "t2", "a session", "u0"];
    assert_eq!(tokens, expected);
}

#[tokio::test]
async fn a_session_is_renewed_before_its_token_expires() {
    let targets = serving([STARTED, FIRST, STARTED, CHANGED], async |clock| {
        LIMITS.get().await.unwrap();
        clock.advance(Duration::from_secs(23 * 3600 + 1));
        assert_eq!(LIMITS.get_fresh().await.unwrap().limit, 20);
    });
    let targets = targets.await;
    assert_eq!(targets[2..], ["/configurationsessions", "/configuration?configuration_token=t0"]);
}

#[tokio::test]
async fn a_profile_that_does_not_exist_is_not_found() {
    let missing: Reply = (
        StatusCode::NOT_FOUND,
        &[("x-amzn-errortype", "ResourceNotFoundException")],
        r#"{"Message":"no such profile"}"#,
    );
    serving([missing], async |_| {
        assert_eq!(name(LIMITS.get().await), "Powertools.ParameterNotFound");
    })
    .await;
}
