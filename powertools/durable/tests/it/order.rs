//! An order that waits for an hour between its charge and its shipment, in processes that are killed.

use std::collections::BTreeSet;
use std::env;
use std::future::pending;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use lambda_runtime::Error;
use powertools::events::NaturalKey;
use powertools::idempotency::{DynamoDbStore, Idempotency, LeanClient};
use powertools::testing::{FakeRuntime, FunctionProcess};
use powertools::{Invocation, Powertools};
use powertools_durable::{DurableContext, service};
use serde_json::{Value, json};

use crate::lambda::{Service, unless_lost};
use crate::table::Table;

/// The test. In a process with the variables below, it is the function.
const TEST: &str = "order::an_order_that_dies_three_times_and_comes_three_times_is_charged_once";
/// The table of its records.
const TABLE: &str = "ORDER_TABLE";
/// Where the process waits for its death.
const DIES: &str = "ORDER_DIES";

const PLACES: [&str; 3] =
    ["before the first checkpoint", "after the charge, before its checkpoint", "after the wait"];
/// The place of a process that is not to die.
const NOWHERE: &str = "nowhere";

async fn function() -> Result<(), Error> {
    let store = DynamoDbStore::lean(LeanClient::builder().build()?, env::var(TABLE)?);
    let lease = Duration::from_secs(7 * 24 * 3600);
    let idempotency = Idempotency::builder(store).lease(lease).build()?;
    let handler = move |order, durable| place(idempotency.clone(), order, durable);
    Powertools::service(service(handler)).run().await
}

async fn place(
    idempotency: Idempotency<DynamoDbStore>,
    order: Value,
    durable: DurableContext,
) -> Result<String, Error> {
    let key = order["id"].as_str().unwrap_or_default().to_owned();
    let work = async move {
        passes(PLACES[0]).await?;
        let charged = durable.step(|_| async {
            let invocation = Invocation::current().expect("a step is inside the invocation");
            let execution = invocation.execution().expect("it is durable");
            assert!(!execution.is_replaying());
            write("charges", &format!("{:?}", NaturalKey::of_step(execution, "charge")))?;
            passes(PLACES[1]).await?;
            Ok(())
        });
        charged.name("charge").await?;
        durable.wait(Duration::from_secs(3600)).name("can be cancelled").await?;
        passes(PLACES[2]).await?;
        let shipped = durable.step(|_| async {
            let parcel = format!("a parcel of process {}", std::process::id());
            write("ships", &parcel)?;
            Ok(parcel)
        });
        Ok::<_, Error>(shipped.name("ship").await?)
    };
    idempotency.run("place", &key, work).await
}

/// Waits to be killed, if the process is to die here.
async fn passes(place: &str) -> std::io::Result<()> {
    if env::var(DIES).is_ok_and(|dies| dies == place) {
        write("waits for its death", place)?;
        pending::<()>().await;
    }
    Ok(())
}

/// Writes what the process does to the world, since its memory is lost.
fn write(event: &str, value: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{event}: {value}")
}

/// Returns the values of such lines.
fn values<'a>(lines: &'a [String], event: &str) -> Vec<&'a str> {
    let value = |line: &'a String| line.strip_prefix(event)?.strip_prefix(": ");
    lines.iter().filter_map(value).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_dies_three_times_and_comes_three_times_is_charged_once() {
    if env::var_os(TABLE).is_some() {
        function().await.unwrap();
    } else {
        unless_lost(scenario).await;
    }
}

async fn scenario() -> Option<()> {
    let service = Service::get();
    let table = Table::create().await;
    let lambda = FakeRuntime::new();
    let start = |dies: &str| {
        let mut command = service.process_of(TEST);
        command.envs([
            ("AWS_ENDPOINT_URL_DYNAMODB", table.endpoint()),
            (TABLE, table.name()),
            (DIES, dies),
        ]);
        lambda.spawn(command).expect("a process can be started")
    };
    let record = async || {
        let [record] = <[Value; 1]>::try_from(table.items().await).expect("there is one record");
        record
    };

    let order = json!({ "id": "order-7" });
    let first = service.execute(&lambda, &order).await;
    let mut lines = Vec::new();
    let mut leases = BTreeSet::new();
    for place in PLACES {
        let function = start(place);
        tokio::select! {
            line = function.stdout_line(place) => assert!(line.is_some(), "{function:?}"),
            end = service.end(&first) => panic!("{place}: {}\n{function:?}", end?),
        }
        if place == PLACES[0] {
            // Another environment refuses it while the first execution is in progress.
            let other = start(NOWHERE);
            let duplicate = service.execute(&lambda, &order).await;
            let end = service.end(&duplicate).await.expect("it does not wait");
            assert_eq!(end["Status"], "FAILED", "{end}");
            assert_eq!(end["Error"]["ErrorType"], "Powertools.IdempotencyInProgress");
            lines.extend(kill(other).await);
        }
        lines.extend(kill(function).await);
        let left = record().await;
        assert_eq!(left["status"]["S"], "INPROGRESS", "{place}: {left}");
        leases.insert(left["in_progress_expiration"]["N"].to_string());
    }
    // No death and no wait has ended the first claim.
    assert_eq!(leases.len(), 1, "{leases:?}");
    let function = start(NOWHERE);
    let end = service.end(&first).await?;
    assert_eq!(end["Status"], "SUCCEEDED", "{end}");
    lines.extend(kill(function).await);
    assert_eq!(record().await["status"]["S"], "COMPLETED");

    // It receives the result of a process that is gone.
    let function = start(NOWHERE);
    let duplicate = service.execute(&lambda, &order).await;
    let end_of_duplicate = service.end(&duplicate).await.expect("it does not wait");
    assert_eq!(end_of_duplicate["Status"], "SUCCEEDED", "{end_of_duplicate}");
    assert_eq!(end_of_duplicate["Result"], end["Result"]);
    lines.extend(kill(function).await);

    // The provider was asked again after the death before the checkpoint, with the same key.
    let charges = values(&lines, "charges");
    assert_eq!(charges.len(), 2, "{lines:?}");
    assert_eq!(charges.iter().collect::<BTreeSet<_>>().len(), 1, "{lines:?}");
    let parcel: String = serde_json::from_str(end["Result"].as_str().unwrap()).unwrap();
    assert_eq!(values(&lines, "ships"), [parcel], "{lines:?}");
    Some(())
}

/// Kills a process that still runs, and returns what it has written.
async fn kill(function: FunctionProcess) -> Vec<String> {
    const SIGKILL: i32 = 9;

    assert_eq!(function.kill().await.signal(), Some(SIGKILL), "{function:?}");
    function.stdout()
}
