//! Leases: who may work, and what a lost reply changes.

use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use powertools::idempotency::{
    Data, Error, Idempotency, LocalCache, Status, StoreErrorKind, WhileInProgress,
};
use powertools_tests::faulty::{Fault, FaultyStore, Op};
use tokio::time::{Instant, sleep, timeout};

use super::world::*;

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

/// A function of another toolkit that outlived its own claim completes that of ours, and keeps its owner. What is
/// stored is not what was returned here.
#[tokio::test(start_paused = true)]
async fn i1_a_completion_by_another_toolkit_is_not_taken_for_ours() {
    let cache = LocalCache::new(NonZeroUsize::MIN, 1 << 16);
    let world = World::with(FaultyStore::new(), |options| options.local_cache(cache));
    let records = world.store.records().clone();
    let work = async {
        let mut record = only_record(&world);
        record.status = Status::Completed;
        record.data = Some(Data::Text(r#""theirs""#.to_owned()));
        take_over(&records, record);
        succeed().await
    };
    let error = world.run(30 * SECOND, work).await.unwrap_err();
    assert!(matches!(error.idempotency(), Error::LeaseLost { .. }), "{error:?}");
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "theirs");
}

/// Works for so long, and panics if other work is running.
async fn alone(running: Arc<AtomicU32>, time: Duration) -> Result<String, Failure> {
    let _running = Running::new(&running);
    sleep(time).await;
    Ok("done".to_owned())
}

#[tokio::test(start_paused = true)]
async fn i1_work_stops_when_its_lease_ends_so_that_two_runs_never_overlap() {
    let world = World::with(FaultyStore::new(), |options| options.lease(2 * SECOND));
    let running = Arc::new(AtomicU32::new(0));
    let work = |time| alone(running.clone(), time);

    let overrun = work(60 * SECOND);
    let first = world.spawn(90 * SECOND, overrun);
    sleep(3 * SECOND + 2 * MILLI).await;
    assert_eq!(world.run(90 * SECOND, work(SECOND)).await.unwrap(), "done");

    let error = first.await.unwrap().unwrap_err();
    assert!(matches!(error.idempotency(), Error::LeaseExpired { .. }), "{error:?}");
}

/// A copy of its first request takes effect when the record is free, shortly before its second request, which
/// recognises the claim.
#[tokio::test(start_paused = true)]
async fn i1_a_claim_that_an_earlier_request_made_has_the_lease_of_that_request() {
    for renews in [false, true] {
        let store = FaultyStore::new();
        let store = store.fault(Op::Claim, Fault::None).fault(Op::Claim, Fault::Slow(3 * SECOND));
        let world = World::with(store, |options| {
            let wait = WhileInProgress::Wait(40 * SECOND);
            let options = options.lease(30 * SECOND).while_in_progress(wait);
            if renews { options.renew_lease() } else { options }
        });
        world.store.records().insert(world.key(), other_record(&world));
        world.store.copy_claim(24 * SECOND);
        let running = Arc::new(AtomicU32::new(0));
        let work = |time| alone(running.clone(), time);

        let first = world.spawn(90 * SECOND, work(40 * SECOND));
        sleep(22 * SECOND).await;
        remove_all(world.store.records());
        sleep(9 * SECOND + 2 * MILLI).await;
        assert_eq!(world.run(90 * SECOND, work(SECOND)).await.unwrap(), "done");
        match first.await.unwrap() {
            Ok(result) => assert!(renews && result == "done"),
            Err(error) => assert!(!renews && error.name() == "LeaseExpired", "{error:?}"),
        }
        assert_eq!(world.runs(), if renews { 1 } else { 2 });
    }
}

#[tokio::test(start_paused = true)]
async fn i1_work_that_is_stopped_is_dropped_before_its_claim_ends() {
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
async fn i2_a_claim_whose_reply_was_lost_continues() {
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
async fn i2_a_completion_without_a_record_is_an_error() {
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
        (
            // A role that may write and not read.
            FaultyStore::without_old_items()
                .fault(Op::Claim, Fault::LoseReplyAndRetry)
                .fault(Op::Read, Fault::Fail(StoreErrorKind::AccessDenied)),
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
async fn i3_an_explicit_lease_is_counted_from_the_claim_and_has_the_grace() {
    let world = World::with(FaultyStore::new(), |options| options.lease(300 * SECOND));
    let record = world.record_while_running(30 * SECOND).await;
    assert_eq!(record.in_progress_expiration, Some(world.millis_at(301 * SECOND)));
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
    assert_eq!(record.in_progress_expiration, Some(world.millis_at(91_001 * MILLI)));
    assert_eq!(record.expiration, Some(world.millis_at(92 * SECOND).floor()));
}

#[tokio::test(start_paused = true)]
async fn i3_a_lease_shorter_than_the_invocation_shortens_the_handler() {
    let world = World::with(FaultyStore::new(), |options| options.lease(2 * SECOND));
    let start = Instant::now();
    let error = world.run(30 * SECOND, pending()).await.unwrap_err();
    assert!(matches!(error.idempotency(), Error::LeaseExpired { .. }), "{error:?}");
    assert_eq!(start.elapsed(), 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn i3_a_save_that_is_throttled_at_the_end_of_its_lease_has_the_grace() {
    let store = FaultyStore::new()
        .fault(Op::Complete, Fault::Fail(StoreErrorKind::Throttled))
        .fault(Op::Complete, Fault::Slow(500 * MILLI));
    let world = World::with(store, |options| options.lease(2 * SECOND));
    let first = world.spawn(90 * SECOND, succeed_after(1_990 * MILLI));
    sleep(2_300 * MILLI).await;
    let error = world.run(90 * SECOND, succeed()).await.unwrap_err();
    assert!(matches!(error.idempotency(), Error::InProgress { .. }), "{error:?}");
    assert_eq!(first.await.unwrap().unwrap(), "run 1");
    assert_eq!(world.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn i3_clocks_that_differ_by_less_than_the_grace_do_not_shorten_an_explicit_lease() {
    let world = World::with(FaultyStore::new(), |options| options.lease(2 * SECOND));
    let first = world.spawn(90 * SECOND, pending());
    sleep(2 * SECOND - MILLI).await;
    let (clock, ahead) = (world.clock.clone(), 5 * MILLI);
    let other = Idempotency::builder(world.store.clone())
        .lease(2 * SECOND)
        .clock(powertools::Clock::from_fn(move || clock.now() + ahead))
        .build()
        .unwrap();
    let work = async { Ok::<_, Failure>("run by another".to_owned()) };
    let error = other.run("charge", KEY, work).await.unwrap_err();
    assert!(matches!(error.idempotency(), Error::InProgress { .. }), "{error:?}");
    first.await.unwrap().unwrap_err();
}
