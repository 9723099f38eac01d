//! Leases that are renewed while the work runs, in real stores.

use std::time::Duration;

use powertools::idempotency::{
    Builder, Claimed, Error, Idempotency, Lease, MemoryStore, Record, RedisStore, Store,
};
use powertools::testing::{FakeRuntime, Outcome, invocation, store_suite};
use powertools_tests::emulators::{Emulator, RedisKind};
use powertools_tests::proxy::{Fault, Proxy};
use powertools_tests::wire::{Loss, Wire};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::killed::{charges, function, now, on_table, order, take_over};
use super::{MILLI, SECOND, at_once};

const LEASE_MILLIS: u64 = 3_000;
const LEASE: Duration = Duration::from_millis(LEASE_MILLIS);

#[tokio::test]
async fn renewals_exclude_others_for_longer_than_the_first_lease() {
    at_once(&Emulator::all(), Emulator::name, async |emulator| {
        let table = emulator.create_table(&["id"]).await;
        outlive_the_first_lease(|| emulator.store(&table)).await;
    })
    .await;
    on_redis(async |kind| {
        let server = kind.start(&[]);
        outlive_the_first_lease(|| RedisStore::new(&server.url()).unwrap()).await;
    })
    .await;
}

async fn outlive_the_first_lease<S: Store>(store: impl Fn() -> S) {
    let renewing = |store| with(store, |options| options.lease(LEASE).renew_lease());
    let (own, other, records) = (renewing(store()), renewing(store()), store());
    let other = async || {
        let work = async { Ok::<_, Error>("the other's".to_owned()) };
        other.run("charge", "order-1", work).await
    };
    let work = async {
        let first_end = lease_end(&records).await;
        loop {
            let sent = now();
            let refused = other().await;
            assert!(matches!(refused, Err(Error::InProgress { .. })), "{refused:?}");
            if sent > first_end {
                return Ok::<_, Error>("own".to_owned());
            }
            sleep(50 * MILLI).await;
        }
    };
    let invocation = invocation().remaining(60 * SECOND).build();
    let result = invocation.scope(own.run("charge", "order-1", work)).await;
    assert_eq!(result.unwrap(), "own");
    assert_eq!(other().await.unwrap(), "own");
}

#[tokio::test]
async fn the_renewed_claim_of_a_killed_function_is_taken_over_after_one_lease() {
    at_once(&Emulator::all(), Emulator::name, async |emulator| {
        let table = emulator.create_table(&["id"]).await;
        take_over_after_one_lease(on_table(emulator, &table), emulator.store(&table)).await;
    })
    .await;
    on_redis(async |kind| {
        let server = kind.start(&[]);
        let lambda = FakeRuntime::new().env("REDIS", server.url());
        take_over_after_one_lease(lambda, RedisStore::new(&server.url()).unwrap()).await;
    })
    .await;
}

async fn take_over_after_one_lease(lambda: FakeRuntime, records: impl Store) {
    // The claim would hold for a minute without the lease, and end while it works without its renewals.
    let lambda = lambda.env("LEASE", LEASE.as_secs().to_string()).timeout(60 * SECOND);
    let first = lambda.spawn(function()).unwrap();
    let cut = lambda.send(order(json!({ "hang": true })));
    first.stdout_line("charging order-1").await.expect("it gets that far");
    let first_end = lease_end(&records).await;
    while lease_end(&records).await == first_end {
        assert!(now() <= first_end, "it is not renewed");
        sleep(20 * MILLI).await;
    }
    let second = lambda.spawn(function()).unwrap();
    assert!(!first.kill().await.success());
    let killed = now();
    assert!(matches!(cut.outcome().await, Outcome::Exited(_)));

    let lease_end = lease_end(&records).await;
    // With the grace of a second.
    assert!(lease_end <= killed + LEASE_MILLIS + 1_000, "{lease_end}, killed at {killed}");
    take_over(&lambda, &second, lease_end).await;
    assert_eq!(lambda.invoke(order(json!({}))).await.json::<Value>(), json!("charged order-1"));
    assert_eq!(charges(&second), 1, "once more, and no more");
}

#[tokio::test]
async fn a_renewal_that_arrives_after_a_takeover_changes_nothing() {
    at_once(&Emulator::all(), Emulator::name, async |emulator| {
        let table = emulator.create_table(&["id"]).await;
        let proxy = Proxy::before(emulator.endpoint()).await;
        let delay = || {
            proxy.next("UpdateItem", Fault::Late);
            // One of the clients replaces a kept connection that breaks at once.
            (0..3).for_each(|_| proxy.next("UpdateItem", Fault::Close));
        };
        let own = emulator.via().store(proxy.endpoint(), &table);
        renew_too_late(own, emulator.store(&table), delay, || proxy.deliver_late()).await;
    })
    .await;
    on_redis(async |kind| {
        let server = kind.start(&[]);
        let wire = Wire::before(server.port()).await;
        // Nothing else is a script by then.
        let delay = || {
            wire.lose("EVALSHA", Loss::Late);
            (0..3).for_each(|_| wire.lose("EVALSHA", Loss::Request));
        };
        let own = RedisStore::new(&format!("redis://127.0.0.1:{}", wire.port())).unwrap();
        let other = RedisStore::new(&server.url()).unwrap();
        renew_too_late(own, other, delay, || wire.deliver_late()).await;
    })
    .await;
}

/// `delay` makes the next write of `own` late, and loses its further attempts.
async fn renew_too_late<S: Store + Clone, F: Future<Output = ()>>(
    own: S,
    other: S,
    delay: impl FnOnce(),
    deliver: impl FnOnce() -> F,
) {
    let records = other.clone();
    let own = with(own, |options| options.lease(LEASE).grace(Duration::ZERO));
    let other = with(other, |options| options.lease(10 * SECOND));

    let mut late = claim(&own).await.unwrap();
    // From here on a server of Redis knows the script.
    late.renew(LEASE + MILLI).await.unwrap();
    delay();
    // For longer than the lease of the other one.
    let error = late.renew(60 * SECOND).await.unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error:?}");

    let lease = loop {
        match claim(&other).await {
            Ok(lease) => break lease,
            Err(Error::InProgress { .. }) => sleep(50 * MILLI).await,
            Err(error) => panic!("{error:?}"),
        }
    };
    let theirs = record(&records).await;
    deliver().await;
    assert_eq!(record(&records).await, theirs);
    let lost = late.renew(60 * SECOND).await.unwrap_err();
    assert!(matches!(lost, Error::LeaseLost { .. }), "{lost:?}");
    lease.complete(&"the other's".to_owned()).await.unwrap();
}

/// Does the same on every server, concurrently.
async fn on_redis(test: impl AsyncFn(&RedisKind)) {
    at_once(&RedisKind::all(), |kind| kind.name().to_owned(), test).await;
}

fn with<S: Store>(store: S, options: impl FnOnce(Builder<S>) -> Builder<S>) -> Idempotency<S> {
    options(Idempotency::builder(store)).build().unwrap()
}

async fn claim<S: Store>(idempotency: &Idempotency<S>) -> Result<Lease<S>, Error> {
    match idempotency.operation("charge").key("order-1")?.claim::<String>().await? {
        Claimed::Lease(lease) => Ok(lease),
        Claimed::Replay(result) => panic!("a replay of {result}"),
    }
}

/// The record of the order.
async fn record(records: &impl Store) -> Option<Record> {
    let keys = Idempotency::new(MemoryStore::new()).unwrap();
    let call = keys.operation("charge").key("order-1").unwrap();
    let read = store_suite::read(call.derived_key().unwrap().clone());
    records.read(&read).await.unwrap()
}

/// When the lease of the order ends.
async fn lease_end(records: &impl Store) -> u64 {
    record(records).await.unwrap().in_progress_expiration.unwrap().0
}
