//! Debug lines that are buffered until a failure.

use std::future::pending;
use std::time::Duration;

use lambda_runtime::Error;
use powertools::logging::{Level, observe};
use powertools::{Invocation, testing};

use super::{logged, logged_in_invocation, logging, start};

#[test]
fn an_error_writes_the_buffered_lines_before_it_in_order() {
    let lines = logged_in_invocation(logging().buffer(20 * 1024), || {
        tracing::debug!("one");
        tracing::info!("info");
        tracing::debug!("two");
        tracing::error!("error");
        tracing::debug!("three");
        tracing::error!("error");
    });
    assert_eq!(lines.messages(), ["info", "one", "two", "error", "three", "error"]);
}

#[test]
fn a_buffered_line_has_its_own_time_and_level() {
    let clock = super::clock();
    let lines = logged(logging().buffer(1024), || {
        super::invocation().clock(&clock).build().sync_scope(|| {
            tracing::debug!(a = 1, "kept");
            clock.advance(Duration::from_secs(1));
            tracing::error!("error");
        });
    });
    let lines = lines.json();
    assert_eq!((&lines[0]["level"], &lines[0]["a"]), (&"DEBUG".into(), &1.into()));
    assert_eq!(lines[0]["timestamp"], "2026-11-21T02:32:01.566Z");
    assert_eq!(lines[1]["timestamp"], "2026-11-21T02:32:02.566Z");
}

#[test]
fn without_an_error_nothing_is_written() {
    let lines = logged_in_invocation(logging().buffer(1024), || tracing::debug!("kept"));
    assert_eq!(lines.take(), "");
}

#[test]
fn each_invocation_has_its_own_buffer() {
    let one = testing::invocation().build();
    let lines = logged(logging().buffer(1024), || {
        one.clone().sync_scope(|| tracing::debug!("of one"));
        testing::invocation().build().sync_scope(|| {
            tracing::debug!("of the other");
            tracing::error!("error");
        });
        // Outside of an invocation there is no buffer.
        tracing::debug!("outside");
        tracing::error!("outside");
    });
    assert_eq!(lines.messages(), ["of the other", "error", "outside"]);
}

#[test]
fn lines_that_do_not_fit_are_counted() {
    let lines = logged_in_invocation(logging().buffer(2_000), || {
        for number in 0..10 {
            tracing::debug!("{number}");
        }
        tracing::debug!(long = "x".repeat(3_000), "too long");
        tracing::error!("error");
    });
    let lines = lines.json();
    let [kept @ .., missing, error] = &lines[..] else { panic!("{lines:#?}") };
    assert!(!kept.is_empty() && kept.len() < 10, "{lines:#?}");
    assert_eq!(kept.last().unwrap()["message"], "9");
    let number = 11 - kept.len();
    let expected = format!("{number} lines of this invocation are missing");
    assert!(missing["message"].as_str().unwrap().starts_with(&expected), "{missing}");
    assert_eq!(missing["level"], "WARN");
    assert_eq!(missing["function_request_id"], error["function_request_id"]);
}

#[test]
fn lines_that_do_not_fit_are_counted_at_level_error() {
    let lines = logged_in_invocation(logging().level(Level::Error).buffer(600), || {
        (0..5).for_each(|number| tracing::debug!("{number}"));
        tracing::error!("error");
    });
    let messages = lines.messages();
    assert!(messages.iter().any(|message| message.contains("are missing")), "{messages:?}");
}

#[test]
fn noisy_and_named_targets_are_not_buffered() {
    let lines = logged_in_invocation(logging().buffer(1024).filter("named=info"), || {
        tracing::debug!(target: "rustls::client", "noise");
        tracing::debug!(target: "named", "said");
        tracing::trace!("too low");
        tracing::debug!("kept");
        tracing::error!("error");
    });
    assert_eq!(lines.messages(), ["kept", "error"]);
}

#[test]
fn an_info_line_below_the_level_is_buffered() {
    let lines = logged_in_invocation(logging().level(Level::Error).buffer(1024), || {
        tracing::info!("info");
        tracing::warn!("warn");
        tracing::error!("error");
    });
    assert_eq!(lines.messages(), ["info", "warn", "error"]);
}

#[tokio::test]
async fn the_buffer_is_written_after_a_failure_and_not_after_a_success() {
    let (lines, _guard) = start(logging().buffer(1024));
    let handle = async |fails: bool| {
        let work = observe(async move {
            tracing::debug!("kept");
            if fails { Err::<(), Error>("lost".into()) } else { Ok(()) }
        });
        testing::invocation().build().scope(work).await
    };
    handle(false).await.unwrap();
    assert_eq!(lines.take(), "");
    handle(true).await.unwrap_err();
    assert_eq!(lines.messages(), ["kept", "the handler failed"]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_is_dropped_or_panics_writes_the_buffer() {
    let (lines, _guard) = start(logging().buffer(1024));
    let dropped = observe(async {
        tracing::debug!("kept");
        pending::<Result<(), Error>>().await
    });
    let dropped = testing::invocation().build().scope(dropped);
    tokio::time::timeout(Duration::from_secs(1), dropped).await.unwrap_err();
    assert_eq!(lines.messages(), ["kept"]);

    let panics = observe(async {
        tracing::debug!("kept");
        panic!("on purpose");
        #[expect(unreachable_code, reason = "it names the type")]
        Ok::<(), Error>(())
    });
    tokio::spawn(testing::invocation().build().scope(panics)).await.unwrap_err();
    assert_eq!(lines.messages(), ["kept"]);
}

#[tokio::test]
async fn nothing_is_buffered_after_the_handler() {
    let (lines, _guard) = start(logging().buffer(1024));
    let invocation = testing::invocation().build();
    let work =
        observe(async { Ok::<_, Error>(Invocation::carry(async { tracing::debug!("late") })) });
    let late = invocation.clone().scope(work).await.unwrap();
    late.await;
    invocation.sync_scope(|| tracing::error!("error"));
    assert_eq!(lines.messages(), ["error"]);
}
