//! Odd records and odd options.

use std::time::Duration;

use powertools::events::NaturalKey;
use powertools::idempotency::{
    Data, Error, Idempotency, Json, MemoryStore, OnMissingKey, Record, Status, StoreError,
    StoreErrorKind,
};
use powertools::testing::invocation;
use powertools_tests::faulty::FaultyStore;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::world::*;

#[tokio::test(start_paused = true)]
async fn an_invalid_record_is_an_error_and_the_work_does_not_run() {
    let world = World::new(FaultyStore::new());
    let live = Some(world.millis_at(3600 * SECOND).ceil());
    let mut unknown = Record::new(Status::Other("HELD".to_owned()));
    unknown.expiration = live;
    let mut undecodable = Record::new(Status::Completed);
    undecodable.expiration = live;
    undecodable.data = Some(Data::Text("{not json".to_owned()));
    let mut other_type = undecodable.clone();
    other_type.data = Some(Data::Text("[1]".to_owned()));

    let odd =
        [(unknown, "StatusUnknown"), (undecodable, "ResultInvalid"), (other_type, "ResultInvalid")];
    for (record, name) in odd {
        world.store.records().insert(world.key(), record.clone());
        let error = world.run(30 * SECOND, succeed()).await.unwrap_err();
        assert_eq!(error.name(), name);
        assert!(!error.idempotency().is_retryable());
        assert_eq!(only_record(&world), record);
    }
    assert_eq!(world.runs(), 0);
}

#[tokio::test(start_paused = true)]
async fn records_of_other_toolkits_that_lack_fields_are_read() {
    let world = World::new(FaultyStore::new());
    // Written without a context: only the expiration limits the claim.
    let mut record = Record::new(Status::InProgress);
    record.expiration = Some(world.millis_at(60 * SECOND).floor());
    world.store.records().insert(world.key(), record);
    let error = world.run(300 * SECOND, succeed()).await.unwrap_err();
    assert!(matches!(error.idempotency(), Error::InProgress { until: None, .. }), "{error:?}");

    sleep(62 * SECOND).await;
    assert_eq!(world.run(300 * SECOND, succeed()).await.unwrap(), "run 1");
}

#[tokio::test]
async fn options_that_contradict_each_other_are_errors_at_start() {
    let store = FaultyStore::new;
    let wrong = [
        Idempotency::builder(store()).lease(Duration::ZERO),
        Idempotency::builder(store()).lease(Duration::from_nanos(1)),
        Idempotency::builder(store()).lease(Duration::from_millis(999)),
        Idempotency::builder(store()).renew_lease(),
        Idempotency::builder(store()).expires_after(Duration::ZERO),
        Idempotency::builder(store()).lease(Duration::MAX),
        Idempotency::builder(store()).grace(Duration::MAX),
        Idempotency::builder(store())
            .tenant_in_key()
            .codec(powertools::idempotency::KeyCodec::TypeScript),
    ];
    for builder in wrong {
        let error = builder.build().unwrap_err();
        assert!(matches!(error, Error::Config(_)), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_response_hook_sees_replays_only() {
    let world = World::with(FaultyStore::new(), |options| {
        options.response_hook(|value, record| {
            assert_eq!(record.status, Status::Completed);
            format!("{} again", value.as_str().unwrap()).into()
        })
    });
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1 again");
}

#[tokio::test(start_paused = true)]
async fn a_response_hook_that_changes_nothing_keeps_the_digits_of_numbers() {
    let digits = "12345678901234567890123";
    let idempotency = Idempotency::builder(MemoryStore::new()).response_hook(|result, _| result);
    let idempotency = idempotency.build().unwrap();
    let charge = async || {
        let work = async { Ok::<Json, Error>(digits.parse().unwrap()) };
        idempotency.run("charge", "o-1", work).await.unwrap().to_string()
    };
    assert_eq!(charge().await, digits);
    assert_eq!(charge().await, digits);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_cannot_be_replayed_is_detected_when_it_is_saved() {
    let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
    let charge = async || {
        idempotency.run("charge", "o-1", async { Ok::<_, Error>(vec![Some(f64::NAN)]) }).await
    };
    assert!(charge().await.unwrap()[0].unwrap().is_nan(), "the first caller gets its result");
    let error = charge().await.unwrap_err();
    let Error::ResultNotStored { reason, .. } = error else { panic!("{error:?}") };
    assert_eq!(reason, "a number that is infinite or not a number at /0");
}

#[test]
fn an_operation_needs_a_name() {
    let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
    let error = idempotency.operation("").key(KEY).unwrap_err();
    assert!(matches!(error, Error::Config(_)), "{error:?}");
}

#[test]
fn an_incomplete_key_is_an_error_even_where_a_missing_one_is_bypassed() {
    let bypass = || Idempotency::builder(MemoryStore::new()).on_missing_key(OnMissingKey::Bypass);
    let idempotency = bypass().build().unwrap();
    let key = ("ada", None::<u8>);
    let error = idempotency.operation("charge").key(&key).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the idempotency key for charge is incomplete: its member /1 is null"
    );
    assert_eq!((error.http_status(), error.is_retryable()), (400, false));
    assert_eq!(error.error_type(), "Powertools.IdempotencyKeyIncomplete");

    let allowed = bypass().allow_incomplete_keys().build().unwrap();
    assert!(allowed.operation("charge").key(&key).unwrap().derived_key().is_some());
    let absent = ("ada", NaturalKey::absent());
    for idempotency in [idempotency, allowed] {
        let call = idempotency.operation("charge").key(&absent).unwrap();
        assert!(call.derived_key().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn tenants_do_not_share_results_when_they_are_in_the_key() {
    let world = World::with(FaultyStore::new(), |options| options.tenant_in_key());
    for (tenant, run) in [("a", "run 1"), ("b", "run 2"), ("a", "run 1")] {
        let invocation = invocation().clock(world.clock.clock()).tenant_id(tenant).build();
        let work = world.idempotency.run("charge", KEY, world.count(succeed()));
        assert_eq!(invocation.scope(work).await.unwrap(), run);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_with_the_tenant_needs_a_tenant() {
    let world = World::with(FaultyStore::new(), |options| options.tenant_in_key());
    let outside = world.idempotency.run("charge", KEY, world.count(succeed())).await;
    assert_eq!(outside.unwrap_err().name(), "KeyInvalid");
    let error = world.run(30 * SECOND, succeed()).await.unwrap_err();
    assert_eq!(error.name(), "KeyInvalid");
    assert_eq!(world.runs(), 0);
}

#[test]
fn a_save_that_was_denied_is_not_worth_a_retry() {
    let key = powertools::idempotency::Key::from("k".to_owned());
    let not_saved = |kind| Error::NotSaved { key: key.clone(), source: StoreError::new(kind, "x") };
    assert!(!not_saved(StoreErrorKind::AccessDenied).is_retryable());
    assert!(not_saved(StoreErrorKind::Throttled).is_retryable());
}

#[tokio::test(start_paused = true)]
async fn operations_and_prefixes_keep_keys_apart() {
    let world = World::new(FaultyStore::new());
    let prefixed = Idempotency::builder(world.store.clone()).key_prefix("stage").build().unwrap();
    let keys = [
        world.idempotency.operation("charge").key(KEY).unwrap(),
        world.idempotency.operation("ship").key(KEY).unwrap(),
        prefixed.operation("charge").key(KEY).unwrap(),
    ];
    let keys = keys.map(|call| call.derived_key().unwrap().to_string());
    assert!(keys[0].starts_with("charge#n1:"), "{}", keys[0]);
    assert!(keys[2].starts_with("stage.charge#n1:"), "{}", keys[2]);
    let hashes: std::collections::HashSet<_> =
        keys.iter().map(|key| key.split_once('#').unwrap().1).collect();
    assert_eq!(hashes.len(), 3);
}

#[tokio::test]
async fn a_key_that_is_too_long_for_the_store_is_an_error() {
    let world = World::new(FaultyStore::new());
    let name = "n".repeat(2048);
    let error = world.idempotency.operation(name).key(KEY).unwrap_err();
    assert!(matches!(error, Error::KeyInvalid { .. }), "{error:?}");
}

#[test]
fn errors_have_the_status_that_a_client_expects() {
    let key = || powertools::idempotency::Key::from("k".to_owned());
    let store = |kind| Error::Store(StoreError::new(kind, "x"));
    let expected = [
        (Error::KeyMissing { operation: "x".into() }, 400),
        (Error::InProgress { key: key(), until: None }, 409),
        (Error::PayloadChanged { key: key() }, 422),
        (store(StoreErrorKind::Throttled), 503),
        (store(StoreErrorKind::AccessDenied), 503),
        (Error::ResultNotStored { key: key(), reason: "x".into() }, 500),
    ];
    for (error, status) in expected {
        assert_eq!(error.http_status(), status, "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_replay_is_equal_to_the_first_result() {
    let world = World::new(FaultyStore::new());
    let receipt = || Receipt { amount: u64::MAX, note: Some("\u{1}\"é😀".to_owned()) };
    for _ in 0..2 {
        let work = async { Ok::<_, Failure>(receipt()) };
        assert_eq!(world.idempotency.run("charge", KEY, work).await.unwrap(), receipt());
    }
    let unit = async { Ok::<_, Failure>(()) };
    world.idempotency.run("unit", KEY, unit).await.unwrap();
    world
        .idempotency
        .run("unit", KEY, async { Err::<(), _>(Failure::Handler("x")) })
        .await
        .unwrap();
}

/// Results are compared after a round through the store.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Receipt {
    amount: u64,
    note: Option<String>,
}
