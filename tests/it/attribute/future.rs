//! What the attribute makes of a function's future.

use std::cell::Cell;

use lambda_runtime::service_fn;
use tokio::task::yield_now;
use tower::{Service, ServiceExt};

use super::*;

#[idempotent(key = id, with = records)]
async fn owned(records: Records, id: String) -> Result<String, Error> {
    yield_now().await;
    Ok(id)
}

#[idempotent(key = id.get(), with = records)]
async fn not_sync(records: Records, id: Cell<u64>) -> Result<u64, Error> {
    id.set(id.get() + 1);
    yield_now().await;
    Ok(id.get())
}

#[tokio::test]
async fn can_be_spawned() {
    let task = tokio::spawn(owned(records(), "order".to_owned()));
    assert_eq!(task.await.unwrap().unwrap(), "order");
    // `Send` without `Sync`.
    assert_eq!(tokio::spawn(not_sync(records(), Cell::new(1))).await.unwrap().unwrap(), 2);
}

#[tokio::test]
async fn makes_a_service_that_runs_concurrently() {
    let records = records();
    let service =
        service_fn(move |event: LambdaEvent<String>| owned(records.clone(), event.payload));
    let mut service = runs_concurrently(service);
    let result = service.ready().await.unwrap().call(event("order".to_owned(), "here")).await;
    assert_eq!(result.unwrap(), "order");
}

/// The bounds that `lambda_runtime::run_concurrent` has on a handler.
fn runs_concurrently<S>(service: S) -> S
where
    S: Service<LambdaEvent<String>, Future: Send> + Clone + Send + 'static,
{
    service
}

async fn large(order: u64) -> Result<u64, Error> {
    let state = [order; 768];
    yield_now().await;
    Ok(state.iter().sum())
}

#[idempotent(key = order, with = records)]
async fn large_and_idempotent(records: &Records, order: u64) -> Result<u64, Error> {
    let state = [order; 768];
    yield_now().await;
    Ok(state.iter().sum())
}

/// A function that takes a future by value doubles it, unless it is pinned first.
#[tokio::test]
async fn is_not_doubled() {
    let records = records();
    let plain = size_of_val(&large(1));
    let idempotent = size_of_val(&large_and_idempotent(&records, 1));
    assert!(plain > 6_000, "{plain}");
    assert!(idempotent < plain + plain / 2, "{idempotent} bytes instead of {plain}");
}
