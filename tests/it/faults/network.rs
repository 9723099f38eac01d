//! Replies that are lost, connections that close, tables that throttle or fall silent.

use powertools::idempotency::{Error, OnSaveFailure};
use powertools_tests::proxy::Fault;

use super::{SECOND, World, on_each};

#[tokio::test]
async fn a_claim_whose_reply_was_lost_runs_once() {
    on_each(async |emulator| {
        let world = World::new(emulator).await;
        world.next(1, "PutItem", &Fault::DropReply);
        assert_eq!(world.charge().await.unwrap(), "run 1");
        assert_eq!(world.charge().await.unwrap(), "run 1");
        assert_eq!(world.proxy.operations()[..2], ["PutItem", "PutItem"]);
        assert_eq!(world.runs(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_claim_whose_replies_are_all_lost_excludes_no_one() {
    on_each(async |emulator| {
        let world = World::new(emulator).await;
        world.next(3, "PutItem", &Fault::DropReply);
        let error = world.charge().await.unwrap_err();
        assert!(matches!(error, Error::Store(_)) && error.is_retryable(), "{error:?}");
        assert_eq!(world.runs(), 0, "nothing runs without a claim");
        assert_eq!(world.records().await.len(), 0);

        assert_eq!(world.charge().await.unwrap(), "run 1");
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_is_recognised_by_reading_survives_a_lost_read() {
    on_each(async |emulator| {
        let world = World::new(emulator).await;
        world.next(1, "PutItem", &Fault::DropReply);
        world.next(2, "GetItem", &Fault::DropReply);
        assert_eq!(world.charge().await.unwrap(), "run 1");
        let reads = world.proxy.operations().iter().filter(|name| *name == "GetItem").count();
        assert_eq!(reads, if emulator.returns_old_items() { 0 } else { 3 });
    })
    .await;
}

#[tokio::test]
async fn a_completion_whose_reply_was_lost_is_a_success() {
    // The store makes three attempts, and the engine calls it again while there is time.
    for lost in [1, 3, 4] {
        on_each(async |emulator| {
            let world = World::new(emulator).await;
            world.next(lost, "UpdateItem", &Fault::DropReply);
            assert_eq!(world.charge().await.unwrap(), "run 1");
            assert_eq!(world.only_record().await["status"]["S"], "COMPLETED");
            assert_eq!(world.charge().await.unwrap(), "run 1");
            assert_eq!(world.runs(), 1);
        })
        .await;
    }
}

#[tokio::test]
async fn a_release_whose_reply_was_lost_admits_the_retry() {
    on_each(async |emulator| {
        let world = World::new(emulator).await;
        world.next(1, "DeleteItem", &Fault::DropReply);
        let work = async { Err(anyhow::anyhow!("no such card")) };
        let error = world.run(30 * SECOND, work).await.unwrap_err();
        assert_eq!(error.to_string(), "no such card");
        assert_eq!(world.charge().await.unwrap(), "run 1");
    })
    .await;
}

#[tokio::test]
async fn short_failures_are_survived_by_retries() {
    let faults = [Fault::Throttle, Fault::Close, Fault::Stall];
    for fault in faults {
        on_each(async |emulator| {
            let world = World::new(emulator).await;
            for operation in ["PutItem", "UpdateItem", "GetItem"] {
                world.next(1, operation, &fault);
            }
            assert_eq!(world.charge().await.unwrap(), "run 1", "{fault:?}");
            assert_eq!(world.charge().await.unwrap(), "run 1", "{fault:?}");
            assert_eq!(world.runs(), 1);
        })
        .await;
    }
}

#[tokio::test]
async fn nothing_runs_if_the_table_rejects_claims() {
    on_each(async |emulator| {
        let world = World::new(emulator).await;
        world.next(3, "PutItem", &Fault::Throttle);
        let error = world.charge().await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyStoreThrottled");
        assert_eq!(world.runs(), 0);
        assert_eq!(world.charge().await.unwrap(), "run 1");
    })
    .await;
}

#[tokio::test]
async fn nothing_runs_if_the_table_is_silent_before_the_work() {
    on_each(async |emulator| {
        let world = World::new(emulator).await;
        world.next(3, "PutItem", &Fault::Stall);
        // There is half a second for the claim, and then for giving it back.
        let error = world.charge_within(SECOND).await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyStoreTimeout");
        assert_eq!(world.runs(), 0);
        assert_eq!(world.proxy.operations().last().unwrap(), "DeleteItem");
    })
    .await;
}

#[tokio::test]
async fn work_whose_completion_never_arrives_is_held_until_its_lease_expires() {
    for policy in [OnSaveFailure::Error, OnSaveFailure::ReturnResult] {
        on_each(async |emulator| {
            let world = World::with(emulator, |options| options.on_save_failure(policy)).await;
            world.next(20, "UpdateItem", &Fault::Stall);
            match (policy, world.charge_within(2 * SECOND).await) {
                (OnSaveFailure::Error, Err(error)) => {
                    assert_eq!(error.error_type(), "Powertools.IdempotencyNotSaved");
                }
                (OnSaveFailure::ReturnResult, Ok(result)) => assert_eq!(result, "run 1"),
                (_, outcome) => panic!("{policy:?}: {outcome:?}"),
            }
            let error = world.charge().await.unwrap_err();
            assert!(matches!(error, Error::InProgress { until: Some(_), .. }), "{error:?}");
            assert_eq!(world.runs(), 1, "nothing runs twice while the lease holds");
        })
        .await;
    }
}

#[tokio::test]
async fn a_result_is_saved_after_the_table_has_throttled_for_a_while() {
    on_each(async |emulator| {
        let world = World::new(emulator).await;
        world.next(5, "UpdateItem", &Fault::Throttle);
        assert_eq!(world.charge().await.unwrap(), "run 1");
        assert_eq!(world.charge().await.unwrap(), "run 1");
        assert_eq!(world.runs(), 1);
    })
    .await;
}
