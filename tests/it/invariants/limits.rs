//! What it costs, and that it ends in time.

use std::future::pending;
use std::num::NonZeroUsize;
use std::time::Duration;

use powertools::idempotency::{Idempotency, LocalCache, Status, StoreErrorKind};
use powertools_tests::faulty::{Fault, FaultyStore, Op};
use tokio::time::{Instant, sleep, timeout};

use super::world::*;

// I9: 2 round trips for a first call, 1 for a replay, 0 for a local-cache hit.

#[tokio::test(start_paused = true)]
async fn i9_round_trips_are_two_one_and_none() {
    let world = World::new(FaultyStore::new());
    world.run(30 * SECOND, succeed()).await.unwrap();
    assert_eq!(world.store.calls(), [Op::Claim, Op::Complete]);
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
    assert_eq!(world.store.calls(), [Op::Claim, Op::Complete, Op::Claim]);

    let cache = LocalCache::new(NonZeroUsize::new(8).unwrap(), 4096);
    let world = World::with(FaultyStore::new(), |options| options.local_cache(cache));
    for _ in 0..5 {
        assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
    }
    assert_eq!(world.store.calls(), [Op::Claim, Op::Complete]);
}

#[tokio::test(start_paused = true)]
async fn i9_a_replay_from_the_store_is_cached_too() {
    let world = World::new(FaultyStore::new());
    world.run(30 * SECOND, succeed()).await.unwrap();

    let cache = LocalCache::new(NonZeroUsize::new(8).unwrap(), 4096);
    let other = Idempotency::builder(world.store.clone()).local_cache(cache);
    let other = other.clock(world.clock.clock()).build().unwrap();
    for _ in 0..3 {
        other.run("charge", KEY, world.count(succeed())).await.unwrap();
    }
    assert_eq!(world.store.calls(), [Op::Claim, Op::Complete, Op::Claim]);
}

#[tokio::test(start_paused = true)]
async fn i9_the_cache_drops_expired_results() {
    let cache = LocalCache::new(NonZeroUsize::new(8).unwrap(), 4096);
    let world = World::with(FaultyStore::new(), |options| {
        options.local_cache(cache).expires_after(60 * SECOND)
    });
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
    sleep(62 * SECOND).await;
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 2");
}

// I10: every call is bounded by the remaining time.

#[tokio::test(start_paused = true)]
async fn i10_a_claim_that_hangs_leaves_time_for_the_reply() {
    for (remaining, took) in [(3 * SECOND, 2500 * MILLI), (60 * SECOND, 5 * SECOND)] {
        let world = World::new(FaultyStore::new().fault(Op::Claim, Fault::Hang));
        let start = Instant::now();
        let error = world.run(remaining, succeed()).await.unwrap_err();
        assert_eq!(error.name(), "Store");
        assert_eq!(start.elapsed(), took);
    }
}

#[tokio::test(start_paused = true)]
async fn i10_nothing_is_claimed_without_time_to_save() {
    for remaining in [Duration::ZERO, MILLI, 500 * MILLI] {
        let world = World::new(FaultyStore::new());
        let error = world.run(remaining, succeed()).await.unwrap_err();
        assert_eq!(error.name(), "NoTime", "{remaining:?}");
        assert_eq!(world.store.calls(), []);
        assert_eq!(world.runs(), 0);
    }
    let world = World::new(FaultyStore::new());
    assert_eq!(world.run(501 * MILLI, succeed()).await.unwrap(), "run 1");
}

#[tokio::test(start_paused = true)]
async fn i10_work_is_stopped_in_time_to_release_its_claim() {
    let world = World::new(FaultyStore::new());
    let start = Instant::now();
    let error = world.run(30 * SECOND, pending()).await.unwrap_err();
    assert_eq!(error.name(), "OutOfTime");
    assert_eq!(start.elapsed(), 29_500 * MILLI);
    assert_eq!(world.store.calls(), [Op::Claim, Op::Release]);
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 2");
}

#[tokio::test(start_paused = true)]
async fn i10_a_release_that_hangs_ends_at_the_deadline() {
    let world = World::new(FaultyStore::new().fault(Op::Release, Fault::Hang));
    let start = Instant::now();
    world.run(30 * SECOND, pending()).await.unwrap_err();
    assert_eq!(start.elapsed(), 29_950 * MILLI);
}

#[tokio::test(start_paused = true)]
async fn i10_a_slow_save_and_the_read_after_it_share_the_remaining_time() {
    let store = FaultyStore::without_old_items()
        .fault(Op::Complete, Fault::Slow(200 * MILLI))
        .fault(Op::Read, Fault::Hang);
    let world = World::new(store);
    let records = world.store.records().clone();
    let work = async move {
        sleep(29_400 * MILLI).await;
        remove_all(&records);
        Ok("done".to_owned())
    };
    let start = Instant::now();
    assert_eq!(world.run(30 * SECOND, work).await.unwrap_err().name(), "NotSaved");
    assert_eq!(start.elapsed(), 29_950 * MILLI);
}

#[tokio::test(start_paused = true)]
async fn i10_a_completion_outlives_its_caller() {
    let store = FaultyStore::new().fault(Op::Complete, Fault::Fail(StoreErrorKind::Throttled));
    let world = World::new(store);
    // The caller is dropped while the failed save pauses before its second attempt.
    timeout(10 * MILLI, world.run(30 * SECOND, succeed())).await.unwrap_err();
    assert_eq!(only_record(&world).status, Status::InProgress);
    sleep(SECOND).await;
    assert_eq!(only_record(&world).status, Status::Completed);
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
}

#[tokio::test(start_paused = true)]
async fn i10_a_claim_in_flight_when_its_caller_leaves_is_released() {
    let world = World::new(FaultyStore::new().fault(Op::Claim, Fault::HangAfter));
    timeout(SECOND, world.run(30 * SECOND, succeed())).await.unwrap_err();
    tokio::task::yield_now().await;
    assert!(world.store.records().snapshot().is_empty());
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
}
