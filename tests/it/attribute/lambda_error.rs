//! The names and classes of users' errors, wherever they are boxed.

use std::sync::Arc;

use lambda_runtime::{Diagnostic, Error as BoxError, LambdaEvent};
use powertools::batch::{Outcome, RecordError};
use powertools::events::{SqsEvent, SqsRecord};
use powertools::testing::{FakeRuntime, events};
use powertools::{LambdaError, Powertools, batch, error, idempotency};
use serde_json::{Value, json};

#[derive(Debug, thiserror::Error, LambdaError)]
enum OrderError {
    #[error("the card was declined")]
    #[error_type = "CardDeclined"]
    #[permanent]
    Declined,
    #[error("the warehouse does not answer")]
    Warehouse(#[source] std::io::Error),
    #[error(transparent)]
    Idempotency(#[from] idempotency::Error),
    #[error(transparent)]
    Boxed(#[from] BoxError),
    #[error("the part of an order failed")]
    #[error_type = "PartFailed"]
    Part(#[source] Box<OrderError>),
}

/// An error without the derive, around one that has it.
#[derive(Debug, thiserror::Error)]
#[error("outer")]
struct Outer<E: std::error::Error + 'static>(#[source] E);

/// Many types, which no list can have.
#[derive(Debug, thiserror::Error, LambdaError)]
#[error("generic")]
#[error_type = "Generic"]
struct Generic<T: std::fmt::Debug + 'static>(T);

fn warehouse() -> OrderError {
    OrderError::Warehouse(std::io::Error::other("connection refused"))
}

fn in_progress() -> idempotency::Error {
    idempotency::Error::KeyMissing { operation: "charge".to_owned() }
}

#[test]
fn a_variant_has_its_attribute_or_identifier_as_name() {
    assert_eq!(OrderError::Declined.error_type(), "CardDeclined");
    assert_eq!(warehouse().error_type(), "OrderError.Warehouse");
}

#[test]
fn the_conversion_brings_the_name_and_the_causes() {
    let told = Diagnostic::from(warehouse());
    assert_eq!(told.error_type, "OrderError.Warehouse");
    assert_eq!(told.error_message, "the warehouse does not answer: connection refused");
}

#[test]
fn a_transparent_variant_is_the_error_in_it() {
    let name = |error: OrderError| (error.error_type(), error.is_permanent());
    assert_eq!(name(in_progress().into()), ("Powertools.IdempotencyKeyMissing", false));
    let boxed: BoxError = OrderError::Declined.into();
    assert_eq!(name(boxed.into()), ("CardDeclined", true));
    let chain: BoxError = anyhow::Error::from(OrderError::Declined).context("no order").into();
    assert_eq!(name(chain.into()), ("CardDeclined", true));
    let unknown: BoxError = "anything".into();
    assert_eq!(name(unknown.into()), ("OrderError.Boxed", false));
}

#[test]
fn the_outermost_name_counts() {
    let error = OrderError::Part(Box::new(OrderError::Declined));
    assert_eq!((error.error_type(), error.is_permanent()), ("PartFailed", false));
}

/// The name that is found in a box.
fn found(error: impl Into<BoxError>) -> Option<&'static str> {
    error::find(&*error.into()).map(|found| found.error_type)
}

#[test]
fn a_name_is_found_in_boxes_and_among_causes() {
    assert_eq!(found(OrderError::Declined), Some("CardDeclined"));
    assert_eq!(found(Box::new(OrderError::Declined)), Some("CardDeclined"));
    assert_eq!(found(Arc::new(OrderError::Declined)), Some("CardDeclined"));
    assert_eq!(found(Outer(OrderError::Declined)), Some("CardDeclined"));
    assert_eq!(found(Outer(Outer(Arc::new(warehouse())))), Some("OrderError.Warehouse"));
    assert_eq!(found(anyhow::Error::from(warehouse()).context("a")), Some("OrderError.Warehouse"));
    assert_eq!(found(Outer(in_progress())), Some("Powertools.IdempotencyKeyMissing"));
    assert_eq!(found("anything"), None);
}

/// The documented limit.
#[test]
fn a_generic_error_has_its_name_only_by_itself() {
    assert_eq!(Diagnostic::from(Generic(7)).error_type, "Generic");
    assert_eq!(found(Generic(7)), None);
}

/// Returns what Lambda receives from a handler that fails with this error.
async fn told<E>(fail: fn() -> E) -> (String, String)
where
    E: Into<Diagnostic> + std::fmt::Debug + Send + 'static,
{
    let lambda = FakeRuntime::new();
    let handler = move |_: LambdaEvent<Value>| async move { Err::<Value, E>(fail()) };
    let _function = lambda.run(Powertools::new(handler).run());
    let outcome = lambda.invoke(json!({})).await;
    let Diagnostic { error_type, error_message } = outcome.diagnostic().unwrap().clone();
    (error_type, error_message)
}

#[tokio::test]
async fn lambda_receives_the_name_however_the_error_is_returned() {
    let declined = ("CardDeclined".to_owned(), "the card was declined".to_owned());
    assert_eq!(told(|| OrderError::Declined).await, declined);
    assert_eq!(told(|| BoxError::from(OrderError::Declined)).await, declined);
    assert_eq!(told(|| anyhow::Error::from(OrderError::Declined)).await, declined);

    let (name, message) = told(|| anyhow::Error::from(warehouse()).context("no order")).await;
    assert_eq!(name, "OrderError.Warehouse");
    assert_eq!(message, "no order: the warehouse does not answer: connection refused");
}

/// By the plain runtime the name is that of the type itself.
#[tokio::test]
async fn the_plain_runtime_reports_the_name_of_an_error_type() {
    let lambda = FakeRuntime::new();
    let handler = |_: LambdaEvent<Value>| async { Err::<Value, _>(OrderError::Declined) };
    let _function = lambda.run(lambda_runtime::run(lambda_runtime::service_fn(handler)));
    assert_eq!(lambda.invoke(json!({})).await.error_type(), Some("CardDeclined"));
}

/// How a record ends whose handler fails like this.
async fn outcome<E: Into<RecordError>>(fail: fn() -> E) -> Outcome {
    let event = events::sqs("orders").message(json!(7)).build();
    let event: SqsEvent = serde_json::from_value(event).unwrap();
    let report = batch::sqs(event)
        .permanent_sink(|_, _| async { Ok::<_, BoxError>(()) })
        .run(|_: SqsRecord| async move { Err::<(), E>(fail()) })
        .await;
    report.records().next().unwrap().1.clone()
}

#[tokio::test]
async fn a_batch_takes_the_class_of_the_error() {
    assert!(matches!(outcome(|| OrderError::Declined).await, Outcome::Permanent(_)));
    let boxed = outcome(|| BoxError::from(OrderError::Declined)).await;
    assert!(matches!(boxed, Outcome::Permanent(_)));
    let chain = outcome(|| anyhow::Error::from(OrderError::Declined).context("no order")).await;
    assert!(matches!(chain, Outcome::Permanent(_)));

    assert!(matches!(outcome(warehouse).await, Outcome::Failed(_)));
    let told_otherwise = outcome(|| RecordError::retry(OrderError::Declined)).await;
    assert!(matches!(told_otherwise, Outcome::Failed(_)));
    // Whatever is said around it: an error of the toolkit is tried again.
    #[derive(Debug, thiserror::Error, LambdaError)]
    #[error("no record")]
    #[permanent]
    struct Around(#[source] idempotency::Error);
    assert!(matches!(outcome(|| Around(in_progress())).await, Outcome::Failed(_)));
    assert!(matches!(outcome(|| OrderError::from(in_progress())).await, Outcome::Failed(_)));
}
