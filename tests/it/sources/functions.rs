//! The functions that a source delivers to, and what its history has about them.

use std::cell::Cell;
use std::convert::Infallible;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use powertools::testing::events::{self, SqsMessage, SqsMessages};
use powertools::testing::{EventSource, FakeRuntime, Happening};
use powertools::{Invocation, Powertools};
use serde_json::Value;

use super::{Event, failed, ids};

#[tokio::test]
async fn a_handler_with_its_own_types_is_accepted() {
    async fn handle(event: LambdaEvent<SqsEvent>) -> Result<SqsBatchResponse, Error> {
        let mut response = SqsBatchResponse::default();
        for message in event.payload.records {
            if message.body.as_deref() == Some("poison") {
                response.add_failure(message.message_id.unwrap_or_default());
            }
        }
        Ok(response)
    }
    let history = EventSource::sqs(queue()).max_receive_count(2).run(handle).await;
    assert_eq!(history.done(), ["good"]);
    assert_eq!(history.dead_lettered(), ["poison"]);
}

#[tokio::test]
async fn an_event_that_the_function_cannot_read_is_its_error() {
    let history = EventSource::sqs(queue())
        .max_receive_count(1)
        .run(async |_: LambdaEvent<Vec<u8>>| Ok::<_, Infallible>(()))
        .await;
    assert_eq!(history.dead_lettered(), ["good", "poison"]);
}

#[tokio::test]
async fn a_function_on_the_real_runtime_loop_is_delivered_to() {
    async fn handle(event: Event) -> Result<Value, Error> {
        Ok(failed(ids(&event).into_iter().filter(|id| *id == "poison")))
    }
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::new(handle).run());
    let history = EventSource::sqs(queue()).max_receive_count(2).run_on(&lambda).await;
    assert_eq!(history.done(), ["good"]);
    assert_eq!(history.dead_lettered(), ["poison"]);
}

#[tokio::test]
async fn an_error_from_the_real_runtime_loop_is_the_functions_error() {
    async fn handle(_: Event) -> Result<Value, Error> {
        Err("no database".into())
    }
    let lambda = FakeRuntime::new();
    let _function = lambda.run(lambda_runtime::run(service_fn(handle)));
    let history = EventSource::sqs(queue()).max_receive_count(1).run_on(&lambda).await;
    assert!(format!("{:?}", history.end(1)).contains("no database"), "{history}");
    assert_eq!(history.dead_lettered(), ["good", "poison"]);
}

#[tokio::test]
async fn effects_name_their_invocation_also_from_a_task_that_carries_it() {
    let source = EventSource::sqs(queue()).batch_size(1);
    let effects = source.effects();
    let history = source
        .run(async |event: Event| {
            let effects = effects.clone();
            let id = ids(&event)[0].to_owned();
            effects.record(format!("{id} begins"));
            tokio::spawn(Invocation::carry(async move { effects.record(id) })).await.unwrap();
            Ok::<_, Infallible>(())
        })
        .await;
    let mut named: Vec<_> = history
        .steps()
        .iter()
        .filter_map(|step| match &step.what {
            Happening::Effect { invocation, name, .. } => {
                Some((invocation.unwrap(), name.as_str()))
            }
            _ => None,
        })
        .collect();
    named.sort_unstable();
    assert_eq!(named, [(1, "good"), (1, "good begins"), (2, "poison"), (2, "poison begins")]);
}

#[tokio::test]
async fn first_effects_are_named_once_in_their_order() {
    let source = EventSource::sqs(queue()).batch_size(1).maximum_concurrency(1);
    let effects = source.effects();
    let first = Cell::new(true);
    let history = source
        .run(async |event: Event| {
            effects.record(ids(&event)[0]);
            if first.take() { Err("again") } else { Ok(()) }
        })
        .await;
    assert_eq!(history.effects(), ["good", "poison", "good"]);
    assert_eq!(history.first_effects(), ["good", "poison"]);
}

#[tokio::test]
async fn messages_without_ids_are_named_by_their_place() {
    let run = || {
        let queue = events::sqs("orders.fifo").message("a").message("b");
        EventSource::sqs(queue).run(async |_: Event| Ok::<_, Infallible>(()))
    };
    let (one, again) = (run().await, run().await);
    assert_eq!(one, again);
    assert_eq!(one.done()[1], "00000000-0000-4000-8000-000000000002");
}

#[tokio::test]
async fn a_history_shows_its_seed_and_every_step() {
    let history = EventSource::sqs(queue())
        .seed(42)
        .max_invocations(2)
        .run(async |_: Event| Ok::<_, Infallible>(failed(["poison"])))
        .await;
    let text = history.to_string();
    for part in [
        "history of seed 42",
        "0.000 s  invocation 1 gets good (attempt 1) poison (attempt 1)",
        r#"invocation 1 ends: Replied(["poison"])"#,
        "good: Done",
        "30.000 s  invocation 2 gets poison (attempt 2)",
        "not settled: poison",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

/// A good message and a bad one.
fn queue() -> SqsMessages {
    events::sqs("orders")
        .message(SqsMessage::from("good").id("good"))
        .message(SqsMessage::from("poison").id("poison"))
}
