//! What idempotency promises, one named test for each rule.
//!
//! Time is tokio's paused time, and the clock follows it: a test that waits an hour takes none.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::pending;
use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use powertools::idempotency::store::{Claim, Completion, Outcome, Read, Release};
use powertools::idempotency::{
    Data, EpochMillis, EpochSeconds, Error, Idempotency, LocalCache, OnInterrupt, OnMissingKey,
    OnSaveFailure, Record, Status, Store, StoreError, StoreErrorKind, WhileInProgress,
};
use powertools::testing::{ManualClock, invocation};
use powertools::{Clock, Invocation};
use powertools_tests::faulty::{Fault, FaultyStore, Op};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const KEY: &str = "order-1";

// I1: no claim succeeds while another lease holds, and only the owner changes a record.

#[tokio::test(start_paused = true)]
async fn i1_a_claim_is_refused_while_a_lease_holds() {
    let world = World::new(FaultyStore::new());
    let first = world.spawn(30 * SECOND, succeed_after(10 * SECOND));
    sleep(SECOND).await;

    let error = world.run(30 * SECOND, succeed()).await.unwrap_err();
    assert!(
        matches!(error.idempotency(), Error::InProgress { until: Some(until), .. }
            if *until == world.millis_at(31 * SECOND)),
        "{error:?}"
    );
    assert_eq!(first.await.unwrap().unwrap(), "run 1");
    assert_eq!(world.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn i1_a_late_finisher_changes_nothing() {
    for outcome in [Ok("late".to_owned()), Err(Failure::Handler("late"))] {
        let world = World::new(FaultyStore::new());
        let other = other_record(&world);
        let records = world.store.records().clone();
        let work = async {
            take_over(&records, other.clone());
            outcome.clone()
        };

        let result = world.run(30 * SECOND, work).await;
        match outcome {
            Ok(_) => assert!(matches!(result.unwrap_err().idempotency(), Error::LeaseLost { .. })),
            Err(error) => assert_eq!(result.unwrap_err(), error),
        }
        assert_eq!(only_record(&world), other);
    }
}

#[tokio::test(start_paused = true)]
async fn i1_work_stops_when_its_lease_ends_so_that_two_runs_never_overlap() {
    let world = World::with(FaultyStore::new(), |options| options.lease(2 * SECOND));
    let running = Arc::new(AtomicU32::new(0));
    let work = |time: Duration| {
        let running = running.clone();
        async move {
            let _running = Running::new(&running);
            sleep(time).await;
            Ok("done".to_owned())
        }
    };

    let overrun = work(60 * SECOND);
    let first = world.spawn(90 * SECOND, overrun);
    sleep(2 * SECOND + 2 * MILLI).await;
    assert_eq!(world.run(90 * SECOND, work(SECOND)).await.unwrap(), "done");

    let error = first.await.unwrap().unwrap_err();
    assert!(matches!(error.idempotency(), Error::LeaseExpired { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn i1_work_that_is_stopped_is_gone_before_its_claim() {
    struct Held(Arc<Mutex<Vec<Option<Status>>>>, powertools::idempotency::MemoryStore);

    impl Drop for Held {
        fn drop(&mut self) {
            let record = self.1.snapshot().pop();
            self.0.lock().unwrap().push(record.map(|(_, record)| record.status));
        }
    }

    let world = World::new(FaultyStore::new());
    let seen = Arc::default();
    let work = || {
        let held = Held(Arc::clone(&seen), world.store.records().clone());
        async move {
            let _held = held;
            pending().await
        }
    };
    world.run(30 * SECOND, work()).await.unwrap_err();
    timeout(SECOND, world.run(30 * SECOND, work())).await.unwrap_err();
    assert_eq!(*seen.lock().unwrap(), [Some(Status::InProgress), Some(Status::InProgress)]);
    tokio::task::yield_now().await;
    assert!(world.store.records().snapshot().is_empty());
}

// I2: lost replies are recognised.

#[tokio::test(start_paused = true)]
async fn i2_a_claim_whose_reply_was_lost_goes_on() {
    for store in [FaultyStore::new(), FaultyStore::without_old_items()] {
        let world = World::new(store.fault(Op::Claim, Fault::LoseReplyAndRetry));
        assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
        assert_eq!(only_record(&world).status, Status::Completed);
    }
}

#[tokio::test(start_paused = true)]
async fn i2_a_completion_whose_reply_was_lost_is_a_success() {
    for store in [FaultyStore::new(), FaultyStore::without_old_items()] {
        for fault in [Fault::LoseReply, Fault::LoseReplyAndRetry] {
            let world = World::new(store.clone().fault(Op::Complete, fault));
            assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
            assert_eq!(only_record(&world).status, Status::Completed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn i2_a_completion_without_a_record_says_so() {
    for store in [FaultyStore::new(), FaultyStore::without_old_items()] {
        let world = World::new(store);
        let records = world.store.records().clone();
        let work = async move {
            remove_all(&records);
            Ok("done".to_owned())
        };
        let error = world.run(30 * SECOND, work).await.unwrap_err();
        assert!(matches!(error.idempotency(), Error::RecordGone { .. }), "{error:?}");
        assert!(world.store.records().snapshot().is_empty(), "a completion made a record");
    }
}

#[tokio::test(start_paused = true)]
async fn i2_a_claim_without_an_answer_is_deleted_once() {
    let lost = [
        (
            FaultyStore::new().fault(Op::Claim, Fault::LoseReply),
            [Op::Claim, Op::Release].as_slice(),
        ),
        (FaultyStore::new().fault(Op::Claim, Fault::HangAfter), &[Op::Claim, Op::Release]),
        (
            // The claim was granted, the second attempt refused, and what is there is not known.
            FaultyStore::without_old_items()
                .fault(Op::Claim, Fault::LoseReplyAndRetry)
                .fault(Op::Read, Fault::Fail(StoreErrorKind::Other)),
            &[Op::Claim, Op::Read, Op::Release],
        ),
    ];
    for (store, calls) in lost {
        let world = World::new(store);
        let error = world.run(30 * SECOND, succeed()).await.unwrap_err();
        assert!(matches!(error.idempotency(), Error::Store(_)), "{error:?}");
        assert_eq!(world.store.calls(), calls);
        assert!(world.store.records().snapshot().is_empty(), "the claim keeps everyone out");
        assert_eq!(world.runs(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn i2_the_cleanup_of_a_claim_leaves_the_claim_of_another_alone() {
    let store = FaultyStore::new().fault(Op::Claim, Fault::Fail(StoreErrorKind::Timeout));
    let world = World::new(store);
    let other = other_record(&world);
    let key = world.key();
    world.store.records().insert(key, other.clone());

    world.run(30 * SECOND, succeed()).await.unwrap_err();
    assert_eq!(only_record(&world), other);
}

#[tokio::test(start_paused = true)]
async fn i2_a_claim_that_was_refused_for_sure_is_not_deleted() {
    for kind in [StoreErrorKind::NotFound, StoreErrorKind::AccessDenied] {
        let world = World::new(FaultyStore::new().fault(Op::Claim, Fault::Fail(kind)));
        world.run(30 * SECOND, succeed()).await.unwrap_err();
        assert_eq!(world.store.calls(), [Op::Claim]);
    }
}

// I3: the lease always has an end.

#[tokio::test(start_paused = true)]
async fn i3_the_lease_ends_a_grace_after_the_deadline() {
    let world = World::new(FaultyStore::new());
    let record = world.record_while_running(30 * SECOND).await;
    assert_eq!(record.in_progress_expiration, Some(world.millis_at(31 * SECOND)));
    assert_eq!(record.expiration, Some(world.millis_at(3600 * SECOND).ceil()));

    let world = World::with(FaultyStore::new(), |options| options.grace(Duration::ZERO));
    let record = world.record_while_running(30 * SECOND).await;
    assert_eq!(record.in_progress_expiration, Some(world.millis_at(30 * SECOND)));
}

#[tokio::test(start_paused = true)]
async fn i3_an_explicit_lease_is_counted_from_the_claim() {
    let world = World::with(FaultyStore::new(), |options| options.lease(300 * SECOND));
    let record = world.record_while_running(30 * SECOND).await;
    assert_eq!(record.in_progress_expiration, Some(world.millis_at(300 * SECOND)));
}

#[tokio::test(start_paused = true)]
async fn i3_outside_an_invocation_the_lease_is_15_minutes() {
    let world = World::new(FaultyStore::new());
    let records = world.store.records().clone();
    let work = async move { Ok::<_, Error>(format!("{:?}", records.snapshot()[0].1)) };
    let seen = world.idempotency.run("charge", KEY, work).await.unwrap();
    let end = world.millis_at(900 * SECOND);
    assert!(seen.contains(&format!("in_progress_expiration: Some({end:?})")), "{seen}");
}

#[tokio::test(start_paused = true)]
async fn i3_a_record_never_expires_before_its_lease_ends() {
    let world = World::with(FaultyStore::new(), |options| {
        options.expires_after(SECOND).lease(Duration::from_millis(90_001))
    });
    let record = world.record_while_running(120 * SECOND).await;
    assert_eq!(record.in_progress_expiration, Some(world.millis_at(90_001 * MILLI)));
    assert_eq!(record.expiration, Some(world.millis_at(91 * SECOND).floor()));
}

#[tokio::test(start_paused = true)]
async fn i3_a_lease_shorter_than_the_invocation_shortens_the_handler() {
    let world = World::with(FaultyStore::new(), |options| options.lease(2 * SECOND));
    let start = Instant::now();
    let error = world.run(30 * SECOND, pending()).await.unwrap_err();
    assert!(matches!(error.idempotency(), Error::LeaseExpired { .. }), "{error:?}");
    assert_eq!(start.elapsed(), 2 * SECOND);
}

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
async fn i4_a_record_that_is_free_whenever_it_is_seen_is_contended() {
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

    for present in [serde_json::json!(0), serde_json::json!(false), serde_json::json!([null, 1])] {
        world.idempotency.run("charge", &present, world.count(succeed())).await.unwrap();
    }
    assert_eq!(world.runs(), 3);
}

#[tokio::test(start_paused = true)]
async fn i5_an_absent_key_bypasses_the_store_when_asked_to() {
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

// I7: after the handler succeeded, nothing deletes the record.

#[tokio::test(start_paused = true)]
async fn i7_a_save_that_fails_is_tried_again_while_there_is_time() {
    let store = FaultyStore::new()
        .fault(Op::Complete, Fault::Fail(StoreErrorKind::Throttled))
        .fault(Op::Complete, Fault::Hang)
        .fault(Op::Complete, Fault::Fail(StoreErrorKind::Other));
    let world = World::new(store);
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
    assert_eq!(only_record(&world).status, Status::Completed);
}

#[tokio::test(start_paused = true)]
async fn i7_a_save_that_always_fails_ends_before_the_deadline() {
    let world = World::new((0..100).fold(FaultyStore::new(), |store, _| {
        store.fault(Op::Complete, Fault::Fail(StoreErrorKind::Throttled))
    }));
    let start = Instant::now();
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap_err().name(), "NotSaved");
    assert!(start.elapsed() < 30 * SECOND);
    assert_eq!(only_record(&world).status, Status::InProgress);

    let start = Instant::now();
    let outside = world.idempotency.run("outside", KEY, async { Ok::<_, Error>(()) }).await;
    assert!(matches!(outside.unwrap_err(), Error::NotSaved { .. }));
    assert!(start.elapsed() <= 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn i7_a_failed_save_leaves_the_record_and_goes_by_the_option() {
    for policy in [OnSaveFailure::Error, OnSaveFailure::ReturnResult] {
        let store =
            FaultyStore::new().fault(Op::Complete, Fault::Fail(StoreErrorKind::AccessDenied));
        let world = World::with(store, |options| options.on_save_failure(policy));
        let result = world.run(30 * SECOND, succeed()).await;
        match policy {
            OnSaveFailure::ReturnResult => assert_eq!(result.unwrap(), "run 1"),
            _ => assert_eq!(result.unwrap_err().name(), "NotSaved"),
        }
        assert_eq!(world.store.calls(), [Op::Claim, Op::Complete]);
        assert_eq!(only_record(&world).status, Status::InProgress);

        // A retry is refused rather than run again.
        let error = world.run(30 * SECOND, succeed()).await.unwrap_err();
        assert_eq!(error.name(), "InProgress");
    }
}

#[tokio::test(start_paused = true)]
async fn i7_a_result_that_is_too_large_completes_the_record() {
    for policy in [OnSaveFailure::Error, OnSaveFailure::ReturnResult] {
        let world = World::with(FaultyStore::new(), |options| options.on_unstorable_result(policy));
        let large = || world.count(async { Ok("x".repeat(500_000)) });
        let first = world.idempotency.run("charge", KEY, large()).await;
        match policy {
            OnSaveFailure::ReturnResult => assert_eq!(first.unwrap().len(), 500_000),
            _ => assert_eq!(first.unwrap_err().name(), "ResultNotStored"),
        }
        for _ in 0..2 {
            let replay = world.idempotency.run("charge", KEY, large()).await;
            assert_eq!(replay.unwrap_err().name(), "ResultNotStored");
        }
        assert_eq!(world.runs(), 1);
        let record = only_record(&world);
        assert_eq!(record.status, Status::Completed);
        assert_eq!(record.data, None);
        assert!(record.not_stored.unwrap().contains("500002 bytes"));
    }
}

#[tokio::test(start_paused = true)]
async fn i7_a_result_that_cannot_be_written_completes_the_record() {
    // JSON has no maps whose keys are lists.
    type Odd = BTreeMap<Vec<u8>, u8>;

    let world = World::new(FaultyStore::new());
    let odd = || world.count(async { Ok(Odd::from([(vec![1], 1)])) });
    assert_eq!(world.idempotency.run("charge", KEY, odd()).await.unwrap().len(), 1);
    let replay = world.idempotency.run("charge", KEY, odd()).await;
    assert_eq!(replay.unwrap_err().name(), "ResultNotStored");
    assert_eq!(world.runs(), 1);
}

// I8: a handler's error comes back unchanged, whatever happens to the release.

#[tokio::test(start_paused = true)]
async fn i8_an_error_gives_the_claim_back_and_comes_back_unchanged() {
    let release = [
        Fault::None,
        Fault::Fail(StoreErrorKind::AccessDenied),
        Fault::LoseReply,
        Fault::LoseReplyAndRetry,
        Fault::Hang,
    ];
    for fault in release {
        let world = World::new(FaultyStore::new().fault(Op::Release, fault));
        let error = world.run(30 * SECOND, fail("no stock")).await.unwrap_err();
        assert_eq!(error, Failure::Handler("no stock"));
        assert_eq!(world.store.calls(), [Op::Claim, Op::Release]);
        let kept = matches!(fault, Fault::Fail(_) | Fault::Hang);
        assert_eq!(world.store.records().snapshot().len(), usize::from(kept));
    }
}

#[tokio::test(start_paused = true)]
async fn i8_an_error_gives_the_claim_back_also_when_interrupts_hold_it() {
    let world = World::with(FaultyStore::new(), |options| options.lease(60 * SECOND));
    world.run(30 * SECOND, fail("no stock")).await.unwrap_err();
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 2");
}

#[tokio::test(start_paused = true)]
async fn i8_a_panic_gives_the_claim_back_and_goes_on() {
    let world = World::new(FaultyStore::new());
    let run = world.run(30 * SECOND, async { panic!("out of luck") });
    let panic = futures_util::FutureExt::catch_unwind(AssertUnwindSafe(run)).await.unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"out of luck"));
    assert_eq!(world.store.calls(), [Op::Claim, Op::Release]);
    assert!(world.store.records().snapshot().is_empty());
}

#[tokio::test(start_paused = true)]
async fn i8_work_that_was_stopped_is_released_or_held() {
    let worlds = [
        (World::new(FaultyStore::new()), false),
        (World::with(FaultyStore::new(), |o| o.on_interrupt(OnInterrupt::Hold)), true),
        (World::with(FaultyStore::new(), |o| o.lease(60 * SECOND)), true),
        (
            World::with(FaultyStore::new(), |options| {
                options.lease(60 * SECOND).on_interrupt(OnInterrupt::Release)
            }),
            false,
        ),
    ];
    for (world, held) in worlds {
        let error = world.run(30 * SECOND, pending()).await.unwrap_err();
        assert_eq!(error.name(), "OutOfTime");
        assert_eq!(world.store.records().snapshot().len(), usize::from(held));
    }
}

#[tokio::test(start_paused = true)]
async fn i8_a_run_that_is_dropped_is_released_or_held() {
    for policy in [OnInterrupt::Release, OnInterrupt::Hold] {
        let world = World::with(FaultyStore::new(), |options| options.on_interrupt(policy));
        timeout(SECOND, world.run(30 * SECOND, pending())).await.unwrap_err();
        tokio::task::yield_now().await;
        let held = policy == OnInterrupt::Hold;
        assert_eq!(world.store.records().snapshot().len(), usize::from(held));
    }
}

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
async fn i9_the_cache_forgets_what_has_expired() {
    let cache = LocalCache::new(NonZeroUsize::new(8).unwrap(), 4096);
    let world = World::with(FaultyStore::new(), |options| {
        options.local_cache(cache).expires_after(60 * SECOND)
    });
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
    sleep(62 * SECOND).await;
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 2");
}

// I10: every call is bounded by the time that is left.

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
async fn i10_work_is_stopped_in_time_to_give_its_claim_back() {
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
async fn i10_a_slow_save_and_the_read_after_it_share_the_time_that_is_left() {
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
    // The caller goes away while the failed save pauses before its second attempt.
    timeout(10 * MILLI, world.run(30 * SECOND, succeed())).await.unwrap_err();
    assert_eq!(only_record(&world).status, Status::InProgress);
    sleep(SECOND).await;
    assert_eq!(only_record(&world).status, Status::Completed);
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
}

#[tokio::test(start_paused = true)]
async fn i10_a_claim_in_flight_when_its_caller_leaves_is_given_back() {
    let world = World::new(FaultyStore::new().fault(Op::Claim, Fault::HangAfter));
    timeout(SECOND, world.run(30 * SECOND, succeed())).await.unwrap_err();
    tokio::task::yield_now().await;
    assert!(world.store.records().snapshot().is_empty());
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
}

// Waiting for the winner.

#[tokio::test(start_paused = true)]
async fn a_waiting_duplicate_gets_the_winners_result() {
    let world = World::with(FaultyStore::new(), |options| {
        options.while_in_progress(WhileInProgress::Wait(10 * SECOND))
    });
    let winner = world.spawn(30 * SECOND, succeed_after(3 * SECOND));
    tokio::task::yield_now().await;
    let start = Instant::now();
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
    assert!(start.elapsed() < 4 * SECOND + 100 * MILLI);
    assert_eq!(winner.await.unwrap().unwrap(), "run 1");
    assert_eq!(world.runs(), 1);
    // It looks, and does not claim while somebody works.
    let claims = world.store.calls().into_iter().filter(|op| *op == Op::Claim).count();
    assert_eq!(claims, 2);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_duplicate_takes_over_when_the_winner_fails() {
    let world = World::with(FaultyStore::new(), |options| {
        options.while_in_progress(WhileInProgress::Wait(10 * SECOND))
    });
    let winner = world.spawn(30 * SECOND, async {
        sleep(2 * SECOND).await;
        Err(Failure::Handler("no luck"))
    });
    tokio::task::yield_now().await;
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 2");
    winner.await.unwrap().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn waiting_is_bounded_and_leaves_half_of_the_time_for_the_work() {
    for (bound, remaining, waited) in
        [(3 * SECOND, 60 * SECOND, 3 * SECOND), (60 * SECOND, 10_500 * MILLI, 5 * SECOND)]
    {
        let world = World::with(FaultyStore::new(), |options| {
            options.while_in_progress(WhileInProgress::Wait(bound))
        });
        let winner = world.spawn(200 * SECOND, pending());
        tokio::task::yield_now().await;
        let start = Instant::now();
        let error = world.run(remaining, succeed()).await.unwrap_err();
        assert_eq!(error.name(), "InProgress");
        assert_eq!(start.elapsed(), waited);
        winner.abort();
    }
}

// Odd records and odd options.

#[tokio::test(start_paused = true)]
async fn a_record_that_makes_no_sense_is_an_error_of_its_own_and_nothing_runs() {
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
async fn records_of_other_toolkits_that_lack_fields_are_understood() {
    let world = World::new(FaultyStore::new());
    // Written without a context: nothing says when the claim ends but the expiration.
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
async fn tenants_do_not_share_results_when_they_are_in_the_key() {
    let world = World::with(FaultyStore::new(), |options| options.tenant_in_key());
    for (tenant, run) in [("a", "run 1"), ("b", "run 2"), ("a", "run 1")] {
        let invocation = invocation().clock(world.clock.clock()).tenant_id(tenant).build();
        let work = world.idempotency.run("charge", KEY, world.count(succeed()));
        assert_eq!(invocation.scope(work).await.unwrap(), run);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_tenant_there_is_no_key_that_has_the_tenant_in_it() {
    let world = World::with(FaultyStore::new(), |options| options.tenant_in_key());
    let outside = world.idempotency.run("charge", KEY, world.count(succeed())).await;
    assert_eq!(outside.unwrap_err().name(), "KeyInvalid");
    let error = world.run(30 * SECOND, succeed()).await.unwrap_err();
    assert_eq!(error.name(), "KeyInvalid");
    assert_eq!(world.runs(), 0);
}

#[tokio::test(start_paused = true)]
async fn i7_work_that_overran_its_deadline_is_saved_all_the_same() {
    let world =
        World::new(FaultyStore::new().fault(Op::Complete, Fault::Fail(StoreErrorKind::Throttled)));
    // It blocks its thread, so that nothing can stop it in time.
    let work = async {
        tokio::time::advance(31 * SECOND).await;
        succeed().await
    };
    assert_eq!(world.run(30 * SECOND, work).await.unwrap(), "run 1");
    assert_eq!(only_record(&world).status, Status::Completed);
}

#[tokio::test(start_paused = true)]
async fn i7_a_result_whose_writing_panics_completes_the_record() {
    #[derive(Debug, Deserialize)]
    struct Bomb;

    impl Serialize for Bomb {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("it is a bomb")
        }
    }

    let world = World::new(FaultyStore::new());
    let bomb = || world.count(async { Ok(Bomb) });
    world.idempotency.run("charge", KEY, bomb()).await.unwrap();
    let replay = world.idempotency.run("charge", KEY, bomb()).await;
    assert_eq!(replay.unwrap_err().name(), "ResultNotStored");
    assert_eq!(world.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_outlasts_a_holder_whose_lease_is_longer_than_half_of_its_own() {
    let world = World::with(FaultyStore::new(), |options| {
        options.lease(2 * SECOND).while_in_progress(WhileInProgress::Wait(10 * SECOND))
    });
    let crashed = world.spawn(60 * SECOND, pending());
    tokio::task::yield_now().await;
    assert_eq!(world.run(60 * SECOND, succeed()).await.unwrap(), "run 2");
    crashed.await.unwrap().unwrap_err();
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

// The parts.

/// One function with its store and its clock.
struct World {
    store: FaultyStore,
    clock: ManualClock,
    idempotency: Idempotency<FaultyStore>,
    runs: Arc<AtomicU32>,
    start: SystemTime,
}

impl World {
    fn new(store: FaultyStore) -> Self {
        Self::with(store, |options| options)
    }

    fn with(
        store: FaultyStore,
        options: impl FnOnce(
            powertools::idempotency::Builder<FaultyStore>,
        ) -> powertools::idempotency::Builder<FaultyStore>,
    ) -> Self {
        let start = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_000);
        let clock = ManualClock::following_tokio(start);
        let builder = Idempotency::builder(store.clone()).clock(clock.clock());
        let idempotency = options(builder).build().unwrap();
        Self { store, clock, idempotency, runs: Arc::default(), start }
    }

    /// Counts the runs of `work`, and lets it say which one it was.
    fn count<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> impl Future<Output = Result<T, Failure>> + Send + 'static {
        let runs = self.runs.clone();
        async move {
            let run = runs.fetch_add(1, Ordering::Relaxed) + 1;
            RUN.scope(Cell::new(run), work).await
        }
    }

    fn call(
        &self,
        remaining: Duration,
        work: impl Future<Output = Result<String, Failure>> + Send + 'static,
    ) -> impl Future<Output = Result<String, Failure>> + Send + 'static {
        let invocation = self.invocation(remaining);
        let idempotency = self.idempotency.clone();
        let work = self.count(work);
        invocation.scope(async move { idempotency.run("charge", KEY, work).await })
    }

    /// Charges [`KEY`] in an invocation with this much time left.
    async fn run<W>(&self, remaining: Duration, work: W) -> Result<String, Failure>
    where
        W: Future<Output = Result<String, Failure>>,
    {
        let runs = &self.runs;
        let counted = async move {
            let run = runs.fetch_add(1, Ordering::Relaxed) + 1;
            RUN.scope(Cell::new(run), work).await
        };
        self.invocation(remaining).scope(self.idempotency.run("charge", KEY, counted)).await
    }

    fn spawn(
        &self,
        remaining: Duration,
        work: impl Future<Output = Result<String, Failure>> + Send + 'static,
    ) -> tokio::task::JoinHandle<Result<String, Failure>> {
        tokio::spawn(self.call(remaining, work))
    }

    /// Pays for [`KEY`]; the amount must not change.
    async fn pay(&self, amount: u32) -> Result<String, Failure> {
        let call = self.idempotency.operation("pay").key(KEY)?.payload(&amount)?;
        call.run(self.count(async move { Ok(format!("paid {amount}")) })).await
    }

    fn invocation(&self, remaining: Duration) -> Invocation {
        let clock: Clock = self.clock.clock();
        let deadline = clock.now() + remaining;
        invocation().clock(clock).deadline(deadline).build()
    }

    async fn record_while_running(&self, remaining: Duration) -> Record {
        let records = self.store.records().clone();
        let seen = Arc::new(Mutex::new(None));
        let work = {
            let seen = seen.clone();
            async move {
                *seen.lock().unwrap() = records.snapshot().pop();
                Ok(String::new())
            }
        };
        self.run(remaining, work).await.unwrap();
        let (_, record) = seen.lock().unwrap().take().expect("a record while the work runs");
        record
    }

    fn key(&self) -> String {
        let call = self.idempotency.operation("charge").key(KEY).unwrap();
        call.derived_key().unwrap().to_string()
    }

    fn millis_at(&self, after: Duration) -> EpochMillis {
        (self.start + after).into()
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::Relaxed)
    }
}

tokio::task_local! {
    static RUN: Cell<u32>;
}

async fn succeed() -> Result<String, Failure> {
    Ok(format!("run {}", RUN.get().get()))
}

async fn succeed_after(time: Duration) -> Result<String, Failure> {
    sleep(time).await;
    succeed().await
}

async fn fail(reason: &'static str) -> Result<String, Failure> {
    Err(Failure::Handler(reason))
}

/// A handler's error, as users write it.
#[derive(Clone, Debug)]
enum Failure {
    Handler(&'static str),
    Idempotency(Arc<Error>),
}

impl Failure {
    fn idempotency(&self) -> &Error {
        let Self::Idempotency(error) = self else { panic!("the handler's own error: {self:?}") };
        error
    }

    /// The name of the error without what all of them begin with.
    fn name(&self) -> &'static str {
        let name = self.idempotency().error_type().strip_prefix("Powertools.Idempotency").unwrap();
        if name.starts_with("Store") { "Store" } else { name }
    }
}

impl PartialEq for Failure {
    fn eq(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Handler(a), Self::Handler(b)) if a == b)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Idempotency(Arc::new(error))
    }
}

fn only_record(world: &World) -> Record {
    let mut records = world.store.records().snapshot();
    assert_eq!(records.len(), 1, "{records:?}");
    records.remove(0).1
}

/// A live claim of somebody else.
fn other_record(world: &World) -> Record {
    let mut record = Record::new(Status::InProgress);
    record.expiration = Some(EpochSeconds(world.millis_at(3600 * SECOND).floor().0));
    record.in_progress_expiration = Some(world.millis_at(60 * SECOND));
    record.owner = Some("0123456789abcdef0123456789abcdef".to_owned());
    record
}

fn take_over(records: &powertools::idempotency::MemoryStore, record: Record) {
    let (key, _) = records.snapshot().remove(0);
    records.insert(key, record);
}

fn remove_all(records: &powertools::idempotency::MemoryStore) {
    for (key, _) in records.snapshot() {
        records.remove(&key);
    }
}

/// Panics when two of them are alive.
struct Running(Arc<AtomicU32>);

impl Running {
    fn new(running: &Arc<AtomicU32>) -> Self {
        assert_eq!(running.fetch_add(1, Ordering::Relaxed), 0, "two runs overlap");
        Self(running.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Refuses every claim with a record that has just expired.
#[derive(Clone, Debug, Default)]
struct Elusive(Arc<Mutex<Vec<EpochMillis>>>);

impl Store for Elusive {
    fn scope(&self) -> &str {
        "elusive"
    }

    async fn claim(&self, claim: &Claim) -> Result<Outcome, StoreError> {
        self.0.lock().unwrap().push(claim.now);
        sleep(MILLI).await;
        let mut record = Record::new(Status::InProgress);
        record.in_progress_expiration = Some(EpochMillis(claim.now.0 - 1));
        Ok(Outcome::Refused(Some(Box::new(record))))
    }

    async fn complete(&self, _: &Completion) -> Result<Outcome, StoreError> {
        unreachable!("nothing was claimed")
    }

    async fn release(&self, _: &Release) -> Result<Outcome, StoreError> {
        unreachable!("nothing was claimed")
    }

    async fn read(&self, _: &Read) -> Result<Option<Record>, StoreError> {
        unreachable!("the record was returned")
    }
}

/// Results are compared after a round through the store.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Receipt {
    amount: u64,
    note: Option<String>,
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
