//! How work ends: results that must be kept, errors that must come back.

use std::collections::BTreeMap;
use std::future::pending;
use std::panic::AssertUnwindSafe;

use powertools::idempotency::{Error, OnError, OnInterrupt, OnSaveFailure, Status, StoreErrorKind};
use powertools_tests::faulty::{Fault, FaultyStore, Op};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};

use super::world::*;

// I7: after the handler succeeded, nothing deletes the record.

#[tokio::test(start_paused = true)]
async fn i7_a_save_that_fails_is_retried_while_there_is_time() {
    let store = FaultyStore::new()
        .fault(Op::Complete, Fault::Fail(StoreErrorKind::Throttled))
        .fault(Op::Complete, Fault::Hang)
        .fault(Op::Complete, Fault::Fail(StoreErrorKind::Other));
    let world = World::new(store);
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
    assert_eq!(only_record(&world).status, Status::Completed);
}

#[tokio::test(start_paused = true)]
async fn i7_a_failing_save_ends_before_the_deadline() {
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
async fn i7_a_save_is_retried_at_least_every_two_seconds_while_the_store_is_down() {
    let down = 110 * SECOND;
    let store = FaultyStore::new();
    let world = World::new(store.clone());
    let start = Instant::now();
    for _ in 0..1_000 {
        let _ = store.clone().fault(Op::Complete, Fault::Fail(StoreErrorKind::Throttled));
    }
    let outage = async {
        tokio::time::sleep(down).await;
        store.forget_faults();
    };
    let (result, ()) = tokio::join!(world.run(900 * SECOND, succeed()), outage);
    assert_eq!(result.unwrap(), "run 1");
    assert!(start.elapsed() <= down + 2 * SECOND, "{:?}", start.elapsed());
    let saves = store.calls().iter().filter(|op| **op == Op::Complete).count();
    assert!((55..=120).contains(&saves), "{saves} attempts");
}

#[tokio::test(start_paused = true)]
async fn i7_the_last_attempts_to_save_use_the_remaining_time() {
    let store = (0..100).fold(FaultyStore::new(), |store, _| {
        store.fault(Op::Complete, Fault::Fail(StoreErrorKind::Throttled))
    });
    let world = World::new(store);
    let start = Instant::now();
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap_err().name(), "NotSaved");
    let took = start.elapsed();
    assert!(took > 29_850 * MILLI && took <= 29_950 * MILLI, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn i7_a_failed_save_keeps_the_claim_and_follows_the_option() {
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
async fn i7_a_result_that_cannot_be_serialised_completes_the_record() {
    // JSON has no maps whose keys are lists.
    type Odd = BTreeMap<Vec<u8>, u8>;

    let world = World::new(FaultyStore::new());
    let odd = || world.count(async { Ok(Odd::from([(vec![1], 1)])) });
    assert_eq!(world.idempotency.run("charge", KEY, odd()).await.unwrap().len(), 1);
    let replay = world.idempotency.run("charge", KEY, odd()).await;
    assert_eq!(replay.unwrap_err().name(), "ResultNotStored");
    assert_eq!(world.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn i7_work_that_overran_its_deadline_is_still_saved() {
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
async fn i7_a_result_whose_serialisation_panics_completes_the_record() {
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

// I8: a handler's error is returned unchanged, whatever happens to the release.

#[tokio::test(start_paused = true)]
async fn i8_an_error_releases_the_claim_and_is_returned_unchanged() {
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
async fn i8_an_error_releases_the_claim_even_if_interruptions_hold_it() {
    let world = World::with(FaultyStore::new(), |options| options.lease(60 * SECOND));
    world.run(30 * SECOND, fail("no stock")).await.unwrap_err();
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 2");
}

#[tokio::test(start_paused = true)]
async fn i8_an_error_or_a_panic_holds_the_claim_if_on_error_holds_it() {
    let world = World::with(FaultyStore::new(), |options| options.on_error(OnError::Hold));
    let error = world.run(30 * SECOND, fail("no answer")).await.unwrap_err();
    assert_eq!(error, Failure::Handler("no answer"));
    assert_eq!(world.store.calls(), [Op::Claim]);
    let error = world.run(30 * SECOND, succeed()).await.unwrap_err();
    assert_eq!(error.name(), "InProgress");

    let world = World::with(FaultyStore::new(), |options| options.on_error(OnError::Hold));
    let run = world.run(30 * SECOND, async { panic!("out of luck") });
    futures_util::FutureExt::catch_unwind(AssertUnwindSafe(run)).await.unwrap_err();
    assert_eq!(world.store.calls(), [Op::Claim]);
    assert_eq!(only_record(&world).status, Status::InProgress);
}

#[tokio::test(start_paused = true)]
async fn i7_a_result_that_is_not_stored_is_returned_and_releases_the_claim() {
    let answer = |answer: &'static str| async move { Ok(answer.to_owned()) };
    let is_final = |result: &serde_json::Value| result != "busy";
    let world = World::with(FaultyStore::new(), |options| options.keep_if(is_final));
    assert_eq!(world.run(30 * SECOND, answer("busy")).await.unwrap(), "busy");
    assert_eq!(world.store.calls(), [Op::Claim, Op::Release]);
    assert_eq!(world.run(30 * SECOND, answer("charged")).await.unwrap(), "charged");
    assert_eq!(world.run(30 * SECOND, answer("busy")).await.unwrap(), "charged");

    let world = World::with(FaultyStore::new(), |options| {
        options.keep_if(is_final).on_error(OnError::Hold)
    });
    assert_eq!(world.run(30 * SECOND, answer("busy")).await.unwrap(), "busy");
    assert_eq!(world.store.calls(), [Op::Claim]);
}

#[tokio::test(start_paused = true)]
async fn i7_the_choice_of_results_includes_those_with_large_integers() {
    #[derive(Serialize, Deserialize)]
    struct Reply {
        status: u16,
        wei: u128,
        debt: i128,
    }

    for (status, is_kept) in [(503, false), (200, true)] {
        let world = World::with(FaultyStore::new(), |options| {
            options.keep_if(|reply| reply["status"] != 503 && reply["wei"].is_f64())
        });
        let reply = async { Ok::<_, Error>(Reply { status, wei: u128::MAX, debt: i128::MIN }) };
        let call = world.idempotency.operation("charge").key(KEY).unwrap();
        call.run(reply).await.unwrap();
        assert_eq!(world.store.records().snapshot().len(), usize::from(is_kept), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn i7_a_panic_in_the_choice_of_results_does_not_undo_the_work() {
    let world =
        World::with(FaultyStore::new(), |options| options.keep_if(|_| panic!("out of luck")));
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
}

#[tokio::test(start_paused = true)]
async fn i7_the_options_override_the_choice_of_a_call() {
    for is_chosen in [false, true] {
        let world = World::with(FaultyStore::new(), |options| match is_chosen {
            true => options.keep_if(|_| true),
            false => options,
        });
        let call = world.idempotency.operation("charge").key(KEY).unwrap().keep_if_or(|_| false);
        call.run(world.count(succeed())).await.unwrap();
        assert_eq!(world.store.records().snapshot().len(), usize::from(is_chosen));
    }
}

#[tokio::test(start_paused = true)]
async fn i8_a_panic_releases_the_claim_and_continues() {
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
