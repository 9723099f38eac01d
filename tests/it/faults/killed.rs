//! A function whose process is killed at work.

use std::process::Command;
use std::time::SystemTime;

use powertools::Clock;
use powertools::testing::{Event, FakeRuntime, FunctionProcess, Outcome};
use powertools_tests::emulators::Emulator;
use serde_json::{Value, json};

use super::{MILLI, SECOND, World, number, on_each};

#[tokio::test]
async fn the_claim_of_a_killed_function_holds_until_its_lease_expires() {
    on_each(async |emulator| {
        let world = World::new(emulator).await;
        let lambda = lambda(emulator, &world);

        let first = lambda.spawn(function()).unwrap();
        let cut = lambda.send(order(json!({ "hang": true })).timeout(5 * SECOND));
        first.stdout_line("charging order-1").await.expect("it gets that far");
        assert!(!first.kill().await.success());
        assert!(matches!(cut.outcome().await, Outcome::Exited(_)));

        let record = world.only_record().await;
        assert_eq!(record["status"]["S"], "INPROGRESS");
        let lease_end = number(&record["in_progress_expiration"]);

        let second = lambda.spawn(function()).unwrap();
        take_over(&lambda, &second, lease_end).await;
        assert_eq!(lambda.invoke(order(json!({}))).await.json::<Value>(), json!("charged order-1"));
        assert_eq!(charges(&second), 1, "once more, and no more");
    })
    .await;
}

#[tokio::test]
async fn a_function_that_hangs_releases_its_claim_before_it_would_be_killed() {
    on_each(async |emulator| {
        let world = World::new(emulator).await;
        let lambda = lambda(emulator, &world);
        let function = lambda.spawn(function()).unwrap();

        let outcome = lambda.invoke(order(json!({ "hang": true })).timeout(5 * SECOND)).await;
        assert_eq!(outcome.error_type(), Some("Powertools.IdempotencyOutOfTime"));
        assert_eq!(world.records().await.len(), 0);
        assert_eq!(lambda.invoke(order(json!({}))).await.json::<Value>(), json!("charged order-1"));
        assert_eq!(charges(&function), 2);
    })
    .await;
}

/// Lets this function charge the order again and again. It does so once the lease has ended, and not before.
pub(super) async fn take_over(lambda: &FakeRuntime, function: &FunctionProcess, lease_end: u64) {
    let mut refusals = 0;
    loop {
        let sent = now();
        let outcome = lambda.invoke(order(json!({}))).await;
        if outcome.error_type() == Some("Powertools.IdempotencyInProgress") {
            assert!(sent <= lease_end, "refused after the end of the lease");
            assert_eq!(charges(function), 0, "it runs while the lease holds");
            refusals += 1;
            tokio::time::sleep(50 * MILLI).await;
        } else {
            assert_eq!(outcome.json::<Value>(), json!("charged order-1"));
            assert!(now() > lease_end, "run before the end of the lease");
            break;
        }
    }
    assert_ne!(refusals, 0);
}

fn lambda(emulator: &Emulator, world: &World) -> FakeRuntime {
    on_table(emulator, &world.table)
}

/// An environment for functions with this table.
pub(super) fn on_table(emulator: &Emulator, table: &str) -> FakeRuntime {
    FakeRuntime::new()
        .env("ENDPOINT", emulator.endpoint())
        .env("TABLE", table)
        .env("CLIENT", format!("{:?}", emulator.via()))
}

pub(super) fn order(mut more: Value) -> Event {
    more["id"] = json!("order-1");
    Event::new(more)
}

/// How often the function has charged the order. It writes its log to the same place.
pub(super) fn charges(function: &FunctionProcess) -> usize {
    function.stdout().iter().filter(|line| *line == "charging order-1").count()
}

pub(super) fn now() -> u64 {
    let now = Clock::system().now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    now.as_millis().try_into().unwrap()
}

pub(super) fn function() -> Command {
    Command::new(env!("CARGO_BIN_EXE_charge"))
}
