//! What is read: existing records, keys that are absent, keys that change.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::SystemTime;

use powertools::idempotency::{Data, Error, Idempotency, LocalCache, OnMissingKey, Record, Status};
use powertools::testing::ManualClock;
use powertools_tests::faulty::FaultyStore;
use serde::Serialize;

use super::world::*;

// I4: one reading of existing records on every path.

#[tokio::test(start_paused = true)]
async fn i4_a_changed_payload_is_refused_on_every_path() {
    let cache = || LocalCache::new(NonZeroUsize::MIN, 4096);
    let worlds = [
        ("returned by the claim", World::new(FaultyStore::new())),
        ("read", World::new(FaultyStore::without_old_items())),
        ("cached", World::with(FaultyStore::new(), |options| options.local_cache(cache()))),
    ];
    for (path, world) in worlds {
        assert_eq!(world.pay(10).await.unwrap(), "paid 10");
        assert_eq!(world.pay(10).await.unwrap(), "paid 10", "{path}");
        let error = world.pay(20).await.unwrap_err();
        assert!(matches!(error.idempotency(), Error::PayloadChanged { .. }), "{path}: {error:?}");
        assert_eq!(world.runs(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn i4_a_changed_payload_is_refused_while_the_work_is_in_progress() {
    let world = World::new(FaultyStore::new());
    let nested = async {
        let error = world.pay(20).await.unwrap_err();
        assert!(matches!(error.idempotency(), Error::PayloadChanged { .. }), "{error:?}");
        Ok::<_, Failure>(())
    };
    let call = world.idempotency.operation("pay").key(KEY).unwrap().payload(&10).unwrap();
    call.run(nested).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn i4_a_record_without_a_hash_does_not_match_a_payload() {
    let world = World::new(FaultyStore::new());
    let key = world.idempotency.operation("pay").key(KEY).unwrap().derived_key().unwrap().clone();
    let mut record = Record::new(Status::Completed);
    record.expiration = Some(world.millis_at(3600 * SECOND).ceil());
    record.data = Some(Data::Text(r#""paid""#.to_owned()));
    world.store.records().insert(key.as_str(), record);

    let error = world.pay(10).await.unwrap_err();
    assert!(matches!(error.idempotency(), Error::PayloadChanged { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn i4_a_record_that_is_free_at_every_attempt_is_contended() {
    let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
    let store = Elusive::default();
    let idempotency = Idempotency::builder(store.clone()).clock(clock.clock()).build().unwrap();
    let error = idempotency.run("charge", KEY, async { Ok::<_, Error>(()) }).await.unwrap_err();
    assert!(matches!(error, Error::Contended { .. }), "{error:?}");
    assert!(error.is_retryable());

    // Each claim is judged by the time at which it is made.
    let times = store.0.lock().unwrap().clone();
    assert_eq!(times.len(), 3);
    assert!(times[0] < times[1] && times[1] < times[2], "{times:?}");
}

// I5: a key that is absent is never hashed.

#[tokio::test(start_paused = true)]
async fn i5_an_absent_key_is_an_error_and_nothing_runs() {
    #[derive(Serialize)]
    struct Parts {
        customer: Option<u32>,
        order: Option<u32>,
    }

    let world = World::new(FaultyStore::new());
    let none: [Option<u8>; 2] = [None, None];
    let absent: [serde_json::Value; 6] = [
        serde_json::json!(null),
        serde_json::json!(""),
        serde_json::json!([]),
        serde_json::json!({}),
        serde_json::to_value(none).unwrap(),
        serde_json::to_value(Parts { customer: None, order: None }).unwrap(),
    ];
    for key in absent {
        let error = world.idempotency.run("charge", &key, world.count(succeed())).await;
        let error = error.unwrap_err();
        assert!(matches!(error.idempotency(), Error::KeyMissing { .. }), "{key}: {error:?}");
    }
    assert_eq!(world.runs(), 0);
    assert_eq!(world.store.calls(), []);

    for present in [serde_json::json!(0), serde_json::json!(false), serde_json::json!([1, [null]])]
    {
        world.idempotency.run("charge", &present, world.count(succeed())).await.unwrap();
    }
    assert_eq!(world.runs(), 3);
}

#[tokio::test(start_paused = true)]
async fn i5_an_absent_key_bypasses_the_store_with_the_option() {
    let world =
        World::with(FaultyStore::new(), |options| options.on_missing_key(OnMissingKey::Bypass));
    for run in ["run 1", "run 2"] {
        let result = world.idempotency.run("charge", "", world.count(succeed())).await;
        assert_eq!(result.unwrap(), run);
    }
    assert_eq!(world.store.calls(), []);
}

// I6: the key is derived once, before the handler runs, and travels in the lease.

#[tokio::test(start_paused = true)]
async fn i6_work_that_changes_its_event_completes_the_record_that_it_claimed() {
    let world = World::new(FaultyStore::new());
    let mut order = BTreeMap::from([("id", 1)]);
    let call = world.idempotency.operation("charge").key(&order).unwrap();
    let key = call.derived_key().unwrap().clone();
    let result = call.run(async {
        order.insert("changed", 1);
        // Another operation inside this one, on the same store.
        world.idempotency.run("ship", &order, async { Ok::<_, Failure>(1) }).await
    });
    assert_eq!(result.await.unwrap(), 1);

    let records = world.store.records().snapshot();
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|(_, record)| record.status == Status::Completed));
    assert!(records.iter().any(|(stored, _)| *stored == key.as_str()));
}
