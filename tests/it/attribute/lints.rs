//! The attributes use no argument that is marked as unused. Clippy is the test: it runs on this file
//! with `-D warnings`.

#![warn(clippy::used_underscore_binding)]

use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::Message;
use powertools::events::SqsEvent;
use powertools::{batch, deadline, idempotent, logged};

use super::{ORDER, Records, event, records};

#[logged(event)]
#[idempotent(key = ORDER, with = records, name = "unused")]
#[deadline]
async fn unused(
    records: &Records,
    mut _seen: u64,
    _event: LambdaEvent<u64>,
) -> Result<Option<String>, Error> {
    Ok(super::request_id())
}

#[batch(sqs)]
async fn unused_in_records(
    _state: u64,
    mut _count: u64,
    _message: Message<u64>,
) -> Result<(), Error> {
    Ok(())
}

#[tokio::test]
async fn an_argument_marked_as_unused_is_searched_for_the_context() {
    let seen = unused(&records(), 0, event(1, "a")).await.unwrap();
    assert_eq!(seen.as_deref(), Some("a"));
    let none = serde_json::from_str::<SqsEvent>(r#"{"Records":[]}"#).unwrap();
    let _ = unused_in_records(0, 0, event(none, "b")).await.unwrap();
}
