//! Errors that are hard to write, and more than one of them.

use std::error::Error as StdError;
use std::fmt;

use lambda_runtime::Error;
use powertools::logging::{self as logs, observe};
use serde_json::json;

use super::{logged, logged_in_invocation, logging, start};

/// Its `Display` and `Debug` fail half way.
struct Unwritable;

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half \"of")?;
        Err(fmt::Error)
    }
}

impl fmt::Debug for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Unwritable {}

#[derive(Debug)]
struct ItsOwnCause;

impl fmt::Display for ItsOwnCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("self")
    }
}

impl StdError for ItsOwnCause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Plain(&'static str);

#[derive(Debug, thiserror::Error)]
#[error("outer")]
struct Outer<E: StdError + 'static>(#[source] E);

fn dyn_error(error: &(impl StdError + 'static)) -> &(dyn StdError + 'static) {
    error
}

#[test]
fn an_error_whose_display_fails_is_written_up_to_there() {
    let line = logged(logging(), || {
        tracing::error!(error = dyn_error(&Outer(Unwritable)), other = dyn_error(&Unwritable), "x");
    })
    .one();
    assert_eq!(line["exception"], "outer");
    assert_eq!(line["exception_chain"], json!(["half \"of"]));
    assert_eq!(line["other"], "half \"of");

    let line = logged(logging(), || {
        tracing::error!(message = dyn_error(&Unwritable), error = dyn_error(&Unwritable));
    })
    .one();
    assert_eq!((&line["message"], &line["exception"]), (&"half \"of".into(), &"half \"of".into()));
}

#[tokio::test]
async fn a_handlers_error_whose_display_fails_is_logged() {
    let (lines, _guard) = start(logging());
    let boxed: Error = Box::new(Outer(Unwritable));
    super::invocation().build().scope(observe(async { Err::<(), _>(boxed) })).await.unwrap_err();
    let line = lines.one();
    assert_eq!(line["exception"], "outer");
    assert_eq!(line["exception_chain"], json!(["half \"of"]));

    super::invocation()
        .build()
        .scope(async { assert!(observe(async { Err::<(), _>(Unwritable) }).await.is_err()) })
        .await;
    assert_eq!(lines.one()["exception"], "half \"of");
}

#[test]
fn an_error_that_is_its_own_cause_ends() {
    let line = logged(logging(), || {
        tracing::error!(error = dyn_error(&ItsOwnCause), other = dyn_error(&ItsOwnCause), "x");
    })
    .one();
    assert_eq!(line["exception_chain"].as_array().unwrap().len(), 100);
    assert!(line["other"].as_str().unwrap().starts_with("self: self"));
}

#[test]
fn the_fields_of_an_error_belong_to_one_error() {
    let lines = logged(logging(), || {
        let outer = Outer("x".parse::<i32>().unwrap_err());
        let _span = tracing::info_span!("retry", error = dyn_error(&outer)).entered();
        tracing::error!("of the span");
        tracing::error!(error = dyn_error(&Plain("mine")), "of the event");
        tracing::error!(exception_name = "Mine", "in part");
        let inner = tracing::info_span!("inner", error = tracing::field::Empty).entered();
        inner.record("error", dyn_error(&Plain("inner")));
        tracing::error!("of the inner span");
    });
    let all: Vec<_> = lines
        .json()
        .iter()
        .map(|line| {
            let names = ["exception", "exception_name", "exception_chain"];
            json!(names.map(|name| line.get(name)))
        })
        .collect();
    let expected = json!([
        ["outer", null, ["invalid digit found in string"]],
        ["mine", null, null],
        [null, "Mine", null],
        ["inner", null, null],
    ]);
    assert_eq!(json!(all), expected);
}

#[test]
fn a_later_error_takes_the_place_of_one_in_its_span_whole() {
    let lines = logged(logging(), || {
        let outer = Outer("x".parse::<i32>().unwrap_err());
        let span = tracing::info_span!("retry", error = dyn_error(&outer)).entered();
        span.record("error", dyn_error(&Plain("second")));
        tracing::error!("x");
    });
    let line = lines.one();
    assert_eq!((&line["exception"], line.get("exception_chain")), (&"second".into(), None));
}

#[test]
fn fields_named_as_an_errors_do_not_replace_it() {
    let line = logged(logging(), || {
        let error = "x".parse::<i32>().unwrap_err();
        tracing::error!(
            error = dyn_error(&error),
            exception = "mine",
            exception_name = "Mine",
            "x"
        );
    })
    .one();
    assert_eq!(line["exception"], "invalid digit found in string");
    assert_eq!(line["exception_name"], "ParseIntError");
    assert_eq!((&line["exception_"], &line["exception_name_"]), (&"mine".into(), &"Mine".into()));

    // The first one has the place.
    let line = logged(logging(), || {
        let error = "x".parse::<i32>().unwrap_err();
        tracing::error!(exception_name = "Mine", error = dyn_error(&error), "x");
    })
    .one();
    assert_eq!((line.get("exception"), &line["exception_name"]), (None, &"Mine".into()));
    assert_eq!(line["error"], "invalid digit found in string");
}

#[test]
fn an_appended_key_does_not_complete_an_error() {
    let lines = logged_in_invocation(logging().key("exception_chain", ["process"]), || {
        logs::append("exception_name", "Appended");
        tracing::error!("x");
        tracing::error!(error = dyn_error(&Plain("mine")), "x");
    });
    let lines = lines.json();
    assert_eq!(lines[0]["exception_name"], "Appended");
    assert_eq!(lines[0].get("exception_chain"), None);
    assert_eq!(lines[1]["exception"], "mine");
    assert_eq!((lines[1].get("exception_name"), lines[1].get("exception_chain")), (None, None));
}
