//! Expired records of functions in other languages, which lock them while they take them over.

use std::time::{Duration, Instant};

use powertools::Clock;
use powertools::idempotency::{
    Claim, EpochMillis, EpochSeconds, Error, Idempotency, Outcome, Store, WhileInProgress,
};
use powertools::testing::store_suite;
use powertools_tests::emulators::RedisKind;

use super::{World, cluster};

const EXPIRED: &str = r#"{"status":"INPROGRESS","expiration":1,"in_progress_expiration":1}"#;

#[tokio::test]
async fn a_takeover_in_another_language_is_respected() {
    for kind in RedisKind::all() {
        let world = World::new(&kind).await;
        let (key, lock) = (world.key("order"), format!("{}:lock", world.key("order")));
        world.server.command::<()>(&["SET", &key, EXPIRED]);
        // As Python's and TypeScript's set it, before they write the record.
        world.server.command::<()>(&["SET", &lock, "true", "NX", "EX", "10"]);
        let Err(Error::InProgress { until: Some(until), .. }) = world.charge("order").await else {
            panic!("on {}", kind.name())
        };
        let now = EpochMillis::from(Clock::system().now());
        assert!((now.0 + 5_000..=now.0 + 10_000).contains(&until.0), "{until:?} at {now:?}");
        assert_eq!(world.runs(), 0);
        assert_eq!(world.record("order").as_deref(), Some(EXPIRED));

        // The other one has ended, or died.
        world.server.command::<()>(&["DEL", &lock]);
        assert_eq!(world.charge("order").await.unwrap(), "run 1");
        let life = world.server.command::<i64>(&["PTTL", &lock]);
        assert!((5_000..=10_000).contains(&life), "{life} on {}", kind.name());
    }
}

/// Its record is free all the time.
#[tokio::test]
async fn a_takeover_in_another_language_is_waited_for() {
    let Some(kind) = RedisKind::first() else { return };
    let world = World::new(&kind).await;
    let (key, lock) = (world.key("order"), format!("{}:lock", world.key("order")));
    world.server.command::<()>(&["SET", &key, EXPIRED]);
    let start = Instant::now();
    world.server.command::<()>(&["SET", &lock, "true", "PX", "1500"]);
    let waiting = Idempotency::builder(world.store.clone())
        .while_in_progress(WhileInProgress::Wait(Duration::from_secs(20)))
        .build()
        .unwrap();
    let work = async { Ok::<_, Error>("done".to_owned()) };
    assert_eq!(waiting.run("charge", "order", work).await.unwrap(), "done");
    assert!(start.elapsed() >= Duration::from_millis(1500), "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_lock_excludes_no_other_takeover_of_ours() {
    let Some(kind) = RedisKind::first() else { return };
    let world = World::new(&kind).await;
    let mut first = claim(1_000);
    first.lease_end = EpochMillis(first.now.0 + 1_000);
    assert_eq!(world.store.claim(&first).await.unwrap(), Outcome::Applied);
    // Each time the one before was killed, within the life of a lock.
    for milliseconds in [3_000, 5_000, 7_000] {
        let mut next = claim(milliseconds);
        next.lease_end = EpochMillis(next.now.0 + 1_000);
        assert_eq!(world.store.claim(&next).await.unwrap(), Outcome::Applied, "{milliseconds}");
    }
}

#[tokio::test]
async fn the_lock_of_a_cluster_may_be_on_another_node() {
    let Some(kind) = RedisKind::first() else { return };
    let (servers, store) = cluster(&kind, 3).await;
    let mut nodes = [0, 0, 0];
    for order in 0..20 {
        let mut first = claim(1_000);
        first.key = format!("fn#{order}").into();
        assert_eq!(store.claim(&first).await.unwrap(), Outcome::Applied);
        let mut second = claim(100_000);
        second.key = first.key;
        assert_eq!(store.claim(&second).await.unwrap(), Outcome::Applied);
        nodes = std::array::from_fn(|node| servers[node].command::<i64>(&["DBSIZE"]));
    }
    // The records and their locks.
    assert_eq!(nodes.iter().sum::<i64>(), 40, "{nodes:?}");
}

/// A claim of one key at this time after the start, with a lease of 30 seconds.
fn claim(milliseconds: u64) -> Claim {
    let start = 1_800_000_000_000;
    let mut claim = store_suite::claim("key", EpochMillis(start + milliseconds));
    claim.expiration = EpochSeconds(start / 1000 + 3600);
    claim.timeout = Duration::from_secs(5);
    claim
}
