//! Without a layer, the invocation comes from the function's arguments.

use std::time::{Duration, SystemTime};

use powertools::Clock;

use super::*;

type Event = LambdaEvent<u64>;

#[idempotent(key = event.payload, with = records)]
async fn whole(records: &Records, event: LambdaEvent<u64>) -> Result<Option<String>, Error> {
    Ok(request_id())
}

#[idempotent(key = event.payload, with = records)]
async fn alias(records: &Records, event: Event) -> Result<Option<String>, Error> {
    Ok(request_id())
}

#[idempotent(key = event.payload, with = records)]
async fn borrowed(records: &Records, event: &Event) -> Result<Option<String>, Error> {
    Ok(request_id())
}

#[idempotent(key = payload, with = records)]
async fn taken_apart(
    records: &Records,
    LambdaEvent { payload, .. }: Event,
) -> Result<Option<String>, Error> {
    Ok(request_id())
}

#[idempotent(key = ORDER, with = records)]
async fn ignored(records: &Records, _: Event) -> Result<Option<String>, Error> {
    Ok(request_id())
}

#[idempotent(key = order, with = records)]
async fn in_parts(records: &Records, order: u64, _: Context) -> Result<Option<String>, Error> {
    Ok(request_id())
}

#[idempotent(key = order, with = records)]
async fn borrowed_context(
    records: &Records,
    order: u64,
    context: &Context,
) -> Result<Option<String>, Error> {
    let _ = context;
    Ok(request_id())
}

#[idempotent(key = order, with = records)]
async fn without_one(records: &Records, order: u64) -> Result<Option<String>, Error> {
    Ok(request_id())
}

trait HasContext {
    fn lambda_context(&self) -> &Context;
}

impl<T> HasContext for LambdaEvent<T> {
    fn lambda_context(&self) -> &Context {
        &self.context
    }
}

#[idempotent(key = ORDER, with = records, name = "generic")]
async fn generic<T>(records: &Records, _: T) -> Result<Option<String>, Error> {
    Ok(request_id())
}

#[idempotent(key = ORDER, with = records, context = event.lambda_context(), name = "told")]
async fn told<T: HasContext>(records: &Records, event: T) -> Result<Option<String>, Error> {
    Ok(request_id())
}

#[idempotent(key = payload, with = records, context = &context)]
async fn told_a_part(
    records: &Records,
    LambdaEvent { payload, context }: Event,
) -> Result<Option<String>, Error> {
    Ok(request_id())
}

#[tokio::test]
async fn is_found_in_the_arguments() {
    for found in [
        whole(&records(), event(1, "here")).await,
        alias(&records(), event(1, "here")).await,
        borrowed(&records(), &event(1, "here")).await,
        taken_apart(&records(), event(1, "here")).await,
        ignored(&records(), event(1, "here")).await,
        in_parts(&records(), 1, context("here")).await,
        borrowed_context(&records(), 1, &context("here")).await,
        told(&records(), event(1, "here")).await,
        told_a_part(&records(), event(1, "here")).await,
    ] {
        assert_eq!(found.unwrap().as_deref(), Some("here"));
    }
}

#[tokio::test]
async fn is_absent_without_an_event_that_has_a_context() {
    assert_eq!(without_one(&records(), 1).await.unwrap(), None);
    // A type parameter could be anything: `context = …` is for that.
    assert_eq!(generic(&records(), event(1, "here")).await.unwrap(), None);
}

#[tokio::test]
async fn is_the_one_that_a_layer_has_set() {
    let outer = Invocation::new(&context("outer"));
    for found in [
        outer.clone().scope(whole(&records(), event(1, "here"))).await,
        outer.clone().scope(told(&records(), event(1, "here"))).await,
        outer.clone().scope(without_one(&records(), 1)).await,
    ] {
        assert_eq!(found.unwrap().as_deref(), Some("outer"));
    }
}

#[idempotent(key = event.payload, with = records)]
async fn lease(records: &Records, event: Event) -> Result<Option<u64>, Error> {
    let (_, record) = records.store().snapshot().pop().expect("its own record");
    Ok(record.in_progress_expiration.map(|end| end.0))
}

#[tokio::test]
async fn brings_its_deadline_to_the_lease() {
    let deadline = Clock::system().now() + Duration::from_secs(30);
    let mut event = event(1, "here");
    event.context.deadline = millis(deadline);
    let grace = Duration::from_secs(1);
    assert_eq!(lease(&records(), event).await.unwrap(), Some(millis(deadline + grace)));
}

fn millis(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

#[tokio::test]
async fn ends_with_the_call() {
    whole(&records(), event(1, "here")).await.unwrap();
    assert_eq!(request_id(), None);
}
