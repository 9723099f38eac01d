//! An order that waits for an hour between its charge and its shipment.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_runtime::Error;
use powertools::events::NaturalKey;
use powertools::idempotency::{Idempotency, MemoryStore, Status};
use powertools::testing::FakeRuntime;
use powertools::{Invocation, Powertools};
use powertools_durable::{DurableContext, service_with};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::lambda::{Service, unless_lost};

/// What the function is connected to, which outlives each of its processes.
#[derive(Default)]
struct World {
    /// Where the function dies next.
    deaths: Mutex<Vec<&'static str>>,
    died: Notify,
    /// The keys of the charges: the provider makes one for each key.
    charges: Mutex<BTreeSet<String>>,
    /// The requests to charge.
    requests: Mutex<u32>,
    shipments: Mutex<u32>,
}

impl World {
    /// Ends the process, if it is to die here.
    async fn passes(&self, place: &'static str) {
        let dies = {
            let mut deaths = self.deaths.lock().unwrap();
            let dies = deaths.first() == Some(&place);
            if dies {
                deaths.remove(0);
            }
            dies
        };
        if dies {
            self.died.notify_one();
            pending::<()>().await;
        }
    }
}

async fn place(
    world: Arc<World>,
    idempotency: Idempotency<MemoryStore>,
    order: Value,
    durable: DurableContext,
) -> Result<String, Error> {
    let key = order["id"].as_str().unwrap_or_default().to_owned();
    let work = async move {
        world.passes("before the first checkpoint").await;
        let charged = durable.step({
            let world = world.clone();
            move |_| async move {
                let invocation = Invocation::current().expect("a step is inside the invocation");
                let execution = invocation.execution().expect("it is durable");
                assert!(!execution.is_replaying());
                let key = format!("{:?}", NaturalKey::of_step(execution, "charge"));
                *world.requests.lock().unwrap() += 1;
                world.charges.lock().unwrap().insert(key);
                world.passes("after the charge, before its checkpoint").await;
                Ok(())
            }
        });
        charged.name("charge").await?;
        durable.wait(Duration::from_secs(3600)).name("can be cancelled").await?;
        world.passes("after the wait").await;
        let shipped = durable.step(move |_| async move {
            *world.shipments.lock().unwrap() += 1;
            Ok("parcel-7".to_owned())
        });
        Ok::<_, Error>(shipped.name("ship").await?)
    };
    idempotency.run("place", &key, work).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_dies_three_times_and_comes_three_times_is_charged_once() {
    unless_lost(scenario).await;
}

async fn scenario() -> Option<()> {
    let service = Service::get();
    let world = Arc::new(World::default());
    let places = [
        "before the first checkpoint",
        "after the charge, before its checkpoint",
        "after the wait",
    ];
    world.deaths.lock().unwrap().extend(places);
    let store = MemoryStore::new();
    let lease = Duration::from_secs(7 * 24 * 3600);
    let idempotency = Idempotency::builder(store.clone()).lease(lease).build().unwrap();

    let lambda = FakeRuntime::new().concurrency(4);
    let start = || {
        let (world, idempotency) = (world.clone(), idempotency.clone());
        let handler =
            move |order, durable| place(world.clone(), idempotency.clone(), order, durable);
        let handler = service_with(handler, service.options());
        lambda.run(async move { Powertools::service(handler).run().await })
    };
    let order = json!({ "id": "order-7" });
    let mut function = start();
    let first = service.execute(&lambda, &order).await;
    let mut duplicates = Vec::new();
    for place in places {
        tokio::time::timeout(Duration::from_secs(30), world.died.notified()).await.ok()?;
        let records = store.snapshot();
        assert_eq!(records.len(), 1, "{place}");
        assert_eq!(records[0].1.status, Status::InProgress, "{place}");
        if duplicates.is_empty() {
            // It is refused while the first one is in progress.
            let duplicate = service.execute(&lambda, &order).await;
            let end = service.end(&duplicate).await?;
            assert_eq!(end["Status"], "FAILED", "{end}");
            assert_eq!(end["Error"]["ErrorType"], "Powertools.IdempotencyInProgress");
            duplicates.push(duplicate);
        }
        function.stop().await;
        function = start();
    }
    let end = service.end(&first).await?;
    assert_eq!(end["Status"], "SUCCEEDED", "{end}");

    let duplicate = service.execute(&lambda, &order).await;
    let end_of_duplicate = service.end(&duplicate).await?;
    assert_eq!(end_of_duplicate["Status"], "SUCCEEDED", "{end_of_duplicate}");
    assert_eq!(end_of_duplicate["Result"], end["Result"]);
    function.stop().await;

    // The provider was asked again after the death before the checkpoint, with the same key.
    assert_eq!(*world.requests.lock().unwrap(), 2);
    assert_eq!(world.charges.lock().unwrap().len(), 1);
    assert_eq!(*world.shipments.lock().unwrap(), 1);
    assert_eq!(store.snapshot()[0].1.status, Status::Completed);
    Some(())
}
