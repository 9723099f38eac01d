//! Calls that are nested, concurrent or alike: nothing crosses over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use powertools::idempotency::{
    Builder, Claimed, DynamoDbStore, EpochMillis, Error, Idempotency, WhileInProgress,
};
use powertools::macro_support::default_name;
use powertools::testing::invocation;
use powertools_tests::proxy::Fault;
use serde_json::Value;
use tokio::sync::Notify;

use super::{MILLI, SECOND, World, number, on_each};

#[tokio::test]
async fn nested_calls_have_their_own_keys() {
    on_each(async |emulator| {
        let world = World::new(emulator).await;
        let inner = world.other(|options| options.lease(19 * SECOND).expires_after(60 * SECOND));
        let (outer_runs, inner_runs) = (AtomicU32::new(0), AtomicU32::new(0));
        let deliver = async |succeeds| {
            let work = async {
                let outer_run = outer_runs.fetch_add(1, Ordering::SeqCst) + 1;
                let charge = async {
                    let (order, charge) =
                        (record(&world, "order").await, record(&world, "charge").await);
                    let apart = lease_end(&order) - lease_end(&charge);
                    assert!(
                        (10_000..=25_000).contains(&apart),
                        "31 seconds and 20, each with the grace: {apart}"
                    );
                    let run = inner_runs.fetch_add(1, Ordering::SeqCst) + 1;
                    Ok::<_, Error>(format!("charge {run}"))
                };
                let charged = inner.run("charge", "order-1", charge).await?;
                if succeeds {
                    Ok(format!("order {outer_run}, {charged}"))
                } else {
                    Err(anyhow::anyhow!("later"))
                }
            };
            let invocation = invocation().remaining(30 * SECOND).build();
            invocation.scope(world.idempotency.run("order", "order-1", work)).await
        };

        assert_eq!(deliver(false).await.unwrap_err().to_string(), "later");
        // The claim of the order was released. Its charge was made and stays.
        assert_eq!(status_of(&world, "charge").await, Some("COMPLETED".to_owned()));
        assert_eq!(status_of(&world, "order").await, None);

        for _ in 0..2 {
            assert_eq!(deliver(true).await.unwrap(), "order 2, charge 1");
        }
        assert_eq!((outer_runs.load(Ordering::SeqCst), inner_runs.load(Ordering::SeqCst)), (2, 1));

        let (order, charge) = (record(&world, "order").await, record(&world, "charge").await);
        let apart = number(&order["expiration"]) - number(&charge["expiration"]);
        assert!((3530..=3600).contains(&apart), "an hour and a minute: {apart}");
    })
    .await;
}

#[tokio::test]
async fn work_nested_in_itself_is_rejected() {
    on_each(async |emulator| {
        let wait = WhileInProgress::Wait(100 * MILLI);
        for policy in [WhileInProgress::Fail, wait] {
            let world = World::with(emulator, |options| options.while_in_progress(policy)).await;
            let work = async {
                let inner = world.charge().await;
                assert!(matches!(inner, Err(Error::InProgress { .. })), "{inner:?}");
                Ok::<_, Error>("outer".to_owned())
            };
            assert_eq!(world.run(30 * SECOND, work).await.unwrap(), "outer");
            assert_eq!(world.runs(), 0);
        }
    })
    .await;
}

#[tokio::test]
async fn parallel_calls_on_one_store_keep_their_options() {
    on_each(async |emulator| {
        let world = World::new(emulator).await;
        let minutes = 1..=8_u32;
        let deliver = async |count: u32| {
            let time = 60 * SECOND * count;
            let options = |options: Builder<DynamoDbStore>| {
                options
                    .lease(time)
                    .grace(Duration::ZERO)
                    .expires_after(2 * time)
                    .key_prefix(format!("stage-{count}"))
            };
            let idempotency = Idempotency::<DynamoDbStore>::clone(&world.other(options));
            let mut lease_end = 0;
            let work = async {
                let record = record(&world, &format!("stage-{count}.charge")).await;
                lease_end = self::lease_end(&record);
                Ok::<_, Error>(count)
            };
            // Each has the same name and key, and an invocation of its own.
            let invocation = invocation().remaining(15 * SECOND * count).build();
            let charged = idempotency.run("charge", "order-1", work);
            (invocation.scope(charged).await.unwrap(), lease_end)
        };
        let results = futures_util::future::join_all(minutes.clone().map(deliver)).await;

        assert_eq!(world.records().await.len(), 8);
        for (count, (result, lease_end)) in minutes.zip(results) {
            let record = record(&world, &format!("stage-{count}.charge")).await;
            assert_eq!((result, &record["data"]["S"]), (count, &count.to_string().into()));
            let kept = 1000 * number(&record["expiration"]) - lease_end;
            // The work took no time, so the record ends one lease after its lease.
            let lease = u64::from(60_000 * count);
            assert!((lease..lease + 20_000).contains(&kept), "{count} minutes: {kept}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_same_operation_in_two_functions_has_two_keys() {
    on_each(async |emulator| {
        let world = World::new(emulator).await;
        let deliver = async |function: &str, seconds: u32| {
            let mut end = None;
            let work = async {
                let record = record(&world, &format!("{function}.payments::charge")).await;
                end = Some(lease_end(&record));
                Ok::<_, Error>(function.to_owned())
            };
            let invocation =
                invocation().function_name(function).remaining(seconds * SECOND).build();
            let call = async {
                let name = default_name("payments::charge").unwrap();
                world.idempotency.run(&name, "order-1", work).await
            };
            (invocation.scope(call).await.unwrap(), end)
        };
        let mut ends = Vec::new();
        for _ in 0..2 {
            let (orders, refunds) = tokio::join!(deliver("orders", 10), deliver("refunds", 300));
            assert_eq!((&*orders.0, &*refunds.0), ("orders", "refunds"));
            ends.push((orders.1, refunds.1));
        }
        let (Some(orders), Some(refunds)) = ends[0] else { panic!("{ends:?}") };
        assert_eq!(ends[1], (None, None));
        let apart = refunds - orders;
        assert!((270_000..=310_000).contains(&apart), "each has its own deadline: {apart}");
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_arrives_late_has_the_lease_of_its_record() {
    on_each(async |emulator| {
        let wait = WhileInProgress::Wait(20 * SECOND);
        let options = |options: Builder<DynamoDbStore>| options.lease(30 * SECOND);
        let world = World::with(emulator, |it| options(it).while_in_progress(wait)).await;
        let other = world.other(options);
        let Claimed::Lease(holder) = claim(&other).await else { panic!("it is free") };

        // The first request is late. The second one, with the same claim, is refused.
        world.proxy.next("PutItem", Fault::Late);
        let crossing = async {
            requests(&world, "GetItem", 1).await;
            let opened = Arc::new(Notify::new());
            world.proxy.next("PutItem", Fault::Hold(opened.clone()));
            holder.release().await;
            requests(&world, "PutItem", 3).await;
            world.proxy.deliver_late().await;
            opened.notify_one();
        };
        let (claimed, ()) = tokio::join!(claim(&world.idempotency), crossing);
        let Claimed::Lease(lease) = claimed else { panic!("nobody has done the work") };
        let lease_end = number(&world.only_record().await["in_progress_expiration"]);
        let limit = EpochMillis::from(lease.limit().unwrap() + SECOND);
        assert_eq!(limit, EpochMillis(lease_end), "and the grace");
    })
    .await;
}

async fn claim(idempotency: &Idempotency<DynamoDbStore>) -> Claimed<DynamoDbStore, String> {
    idempotency.operation("charge").key("order-1").unwrap().claim().await.unwrap()
}

/// Waits until this many requests for `operation` have arrived.
async fn requests(world: &World, operation: &str, count: usize) {
    let arrived = || world.proxy.operations().iter().filter(|it| *it == operation).count();
    while arrived() < count {
        tokio::time::sleep(MILLI).await;
    }
}

/// The record of the operation with this name.
async fn record(world: &World, name: &str) -> Value {
    find(world, name).await.unwrap_or_else(|| panic!("there is no record of {name}"))
}

/// When the lease of a record in progress ends.
fn lease_end(record: &Value) -> u64 {
    number(&record["in_progress_expiration"])
}

async fn status_of(world: &World, name: &str) -> Option<String> {
    find(world, name).await.map(|record| record["status"]["S"].as_str().unwrap().to_owned())
}

async fn find(world: &World, name: &str) -> Option<Value> {
    let prefix = format!("{name}#");
    let is_it = |record: &Value| record["id"]["S"].as_str().unwrap().starts_with(&prefix);
    // Boxed: it is a part of the work, whose future would be too large for the stack.
    Box::pin(world.records()).await.into_iter().find(is_it)
}
