//! How commits end when answers are lost, late or missing.

use powertools::idempotency::{Builder, EpochMillis, Error, MemoryStore, Status, StoreErrorKind};
use powertools_tests::faulty::{Fault, FaultyStore, Op};

use super::world::*;

/// More faults than there are attempts.
fn always(op: Op, fault: Fault) -> FaultyStore {
    (0..200).fold(FaultyStore::new(), |store, _| store.fault(op, fault))
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_recognised_by_the_own_completed_record() {
    for fault in [Fault::LoseReply, Fault::LoseReplyAndRetry, Fault::HangAfter] {
        let shop = Shop::new(FaultyStore::new().fault(Op::Transact, fault));
        assert_eq!(shop.order().await.unwrap(), "run 1", "{fault:?}");
        shop.assert_placed(1);
        assert_eq!(shop.record().unwrap().status, Status::Completed);
    }
}

#[tokio::test(start_paused = true)]
async fn an_own_completed_record_needs_no_further_request() {
    let shop = Shop::new(FaultyStore::new().fault(Op::Transact, Fault::LoseReplyAndRetry));
    assert_eq!(shop.order().await.unwrap(), "run 1");
    assert_eq!(shop.store.calls(), [Op::Claim, Op::Transact]);
}

#[tokio::test(start_paused = true)]
async fn a_release_that_fails_is_sent_again_until_it_settles_the_commit() {
    let store = always(Op::Transact, Fault::Fail(StoreErrorKind::AccessDenied))
        .fault(Op::Release, Fault::Fail(StoreErrorKind::Throttled))
        .fault(Op::Release, Fault::LoseReply);
    let shop = Shop::new(store);
    let error = shop.order().await.unwrap_err();
    assert!(matches!(&error, Error::Store(it) if it.kind() == StoreErrorKind::AccessDenied));
    assert_eq!(shop.record(), None);
    let releases = shop.store.calls().iter().filter(|op| **op == Op::Release).count();
    assert_eq!(releases, 3);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_is_sent_again_with_its_token_until_it_is_answered() {
    let store = FaultyStore::new()
        .fault(Op::Transact, Fault::Fail(StoreErrorKind::Throttled))
        .fault(Op::Transact, Fault::Fail(StoreErrorKind::Other))
        .fault(Op::Transact, Fault::Hang);
    let shop = Shop::new(store);
    assert_eq!(shop.order().await.unwrap(), "run 1");
    shop.assert_placed(1);
    let tokens = shop.store.tokens();
    assert_eq!(tokens.len(), 4);
    assert!(tokens.iter().all(|token| *token == tokens[0] && token.len() <= 36));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_to_the_end_is_settled_by_the_release() {
    let shop = Shop::new(always(Op::Transact, Fault::Fail(StoreErrorKind::Throttled)));
    let start = tokio::time::Instant::now();
    let error = shop.order().await.unwrap_err();
    assert!(matches!(&error, Error::Store(it) if it.kind() == StoreErrorKind::Throttled));
    assert!(start.elapsed() > 28 * SECOND && start.elapsed() < 30 * SECOND);
    shop.assert_placed(0);
    assert_eq!(shop.record(), None);
    shop.store.forget_faults();
    assert_eq!(shop.order().await.unwrap(), "run 2");
    shop.assert_placed(1);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_arrives_after_the_release_has_no_effect() {
    let shop = Shop::new(always(Op::Transact, Fault::Fail(StoreErrorKind::AccessDenied)));
    // The first one is under way until long after the second one is refused.
    shop.store.delay_transaction(10 * SECOND);
    let error = shop.order().await.unwrap_err();
    assert!(matches!(&error, Error::Store(it) if it.kind() == StoreErrorKind::AccessDenied));
    assert_eq!(shop.record(), None);
    tokio::time::sleep(20 * SECOND).await;
    shop.assert_placed(0);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_arrives_before_the_release_is_success_after_all() {
    let store = FaultyStore::new()
        .fault(Op::Transact, Fault::Fail(StoreErrorKind::AccessDenied))
        .fault(Op::Release, Fault::Slow(SECOND));
    let shop = Shop::new(store);
    shop.store.delay_transaction(500 * MILLI);
    assert_eq!(shop.order().await.unwrap(), "run 1");
    shop.assert_placed(1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_condition_is_settled_too() {
    // The answer to the transaction that was applied is lost; when it is sent again, a store that does
    // not know the token would find its own order in the way.
    let store = FaultyStore::new()
        .fault(Op::Transact, Fault::LoseReply)
        .fault(Op::Transact, Fault::Fail(StoreErrorKind::Invalid))
        .fault(Op::Transact, Fault::Fail(StoreErrorKind::Invalid));
    let shop = Shop::new(store);
    assert_eq!(shop.order().await.unwrap(), "run 1");
    shop.assert_placed(1);
}

#[tokio::test(start_paused = true)]
async fn without_any_answer_it_is_unknown_and_the_claim_is_held() {
    let store = always(Op::Transact, Fault::Hang);
    let store = (0..200).fold(store, |store, _| store.fault(Op::Release, Fault::Hang));
    let shop = Shop::new(store);
    let start = tokio::time::Instant::now();
    let error = shop.order().await.unwrap_err();
    assert_eq!(error.error_type(), "Powertools.IdempotencyCommitUnknown");
    assert!(error.is_retryable());
    assert!(start.elapsed() < 30 * SECOND, "{:?}", start.elapsed());
    assert_eq!(shop.record().unwrap().status, Status::InProgress);
    shop.store.forget_faults();
    let refused = shop.order().await.unwrap_err();
    assert!(matches!(refused, Error::InProgress { .. }), "{refused:?}");
    tokio::time::sleep(40 * SECOND).await;
    assert_eq!(shop.order().await.unwrap(), "run 2");
    shop.assert_placed(1);
}

#[tokio::test(start_paused = true)]
async fn after_a_takeover_nothing_is_applied() {
    let store = FaultyStore::new().fault(Op::Transact, Fault::Slow(SECOND));
    let shop = Shop::new(store);
    let records: MemoryStore = shop.store.records().clone();
    let stolen = async {
        tokio::time::sleep(500 * MILLI).await;
        let (key, mut record) = records.snapshot().remove(0);
        record.owner = Some("0123456789abcdef0123456789abcdef".to_owned());
        records.insert(key, record);
    };
    let (result, ()) = tokio::join!(shop.order(), stolen);
    assert!(matches!(result, Err(Error::LeaseLost { .. })), "{result:?}");
    shop.assert_placed(0);
    assert_eq!(shop.record().unwrap().status, Status::InProgress);
}

/// Neither a commit that is refused, nor the release that settles one, takes it for its own success.
#[tokio::test(start_paused = true)]
async fn a_completion_by_another_toolkit_is_no_success() {
    let refused = FaultyStore::new().fault(Op::Transact, Fault::Slow(SECOND));
    let failed = FaultyStore::new()
        .fault(Op::Transact, Fault::Fail(StoreErrorKind::AccessDenied))
        .fault(Op::Release, Fault::Slow(SECOND));
    for store in [refused, failed, always(Op::Transact, Fault::Hang)] {
        let shop = Shop::new(store);
        let theirs = async {
            tokio::time::sleep(500 * MILLI).await;
            shop.complete_elsewhere();
        };
        let (result, ()) = tokio::join!(shop.order(), theirs);
        assert!(matches!(result, Err(Error::LeaseLost { .. })), "{result:?}");
        shop.assert_placed(0);
        shop.store.forget_faults();
        assert_eq!(shop.order().await.unwrap(), "theirs");
        shop.assert_placed(0);
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_deletion_nothing_is_applied() {
    let store = FaultyStore::new().fault(Op::Transact, Fault::Slow(SECOND));
    let shop = Shop::new(store);
    let records: MemoryStore = shop.store.records().clone();
    let deleted = async {
        tokio::time::sleep(500 * MILLI).await;
        let (key, _) = records.snapshot().remove(0);
        records.remove(&key);
    };
    let (result, ()) = tokio::join!(shop.order(), deleted);
    assert!(matches!(result, Err(Error::RecordGone { .. })), "{result:?}");
    shop.assert_placed(0);
}

#[tokio::test(start_paused = true)]
async fn a_commit_continues_when_its_caller_is_dropped() {
    for fault in [Fault::Slow(SECOND), Fault::LoseReply, Fault::Hang] {
        let shop = Shop::new(FaultyStore::new().fault(Op::Transact, fault));
        let left = tokio::time::timeout(10 * MILLI, shop.order()).await;
        assert!(left.is_err() || matches!(fault, Fault::LoseReply), "{left:?}");
        tokio::time::sleep(20 * SECOND).await;
        shop.assert_placed(1);
        assert_eq!(shop.record().unwrap().status, Status::Completed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_outlives_every_answer_that_can_be_late() {
    let shop = Shop::with(FaultyStore::new(), |options| options.expires_after(MILLI));
    shop.order().await.unwrap();
    let record = shop.record().unwrap();
    let deadline = EpochMillis::from(shop.start + 30 * SECOND);
    assert!(record.expiration.unwrap() >= deadline.ceil());

    // A lease that ends earlier does not end the attempts, and clocks can differ by the grace.
    let early = |options: Builder<_>| options.expires_after(MILLI).lease(SECOND).grace(5 * SECOND);
    let shop = Shop::with(FaultyStore::new(), early);
    shop.order().await.unwrap();
    let last = EpochMillis::from(shop.start + 34 * SECOND);
    assert!(shop.record().unwrap().expiration.unwrap() >= last.ceil());

    // Outside an invocation, attempts begin for 5 seconds, and the last release and its read take 5 more each.
    let early = |options: Builder<_>| options.expires_after(MILLI).lease(SECOND);
    let shop = Shop::with(FaultyStore::new(), early);
    shop.call().commit(async { Ok::<_, Error>(order("outside".to_owned())) }).await.unwrap();
    let last = EpochMillis::from(shop.start + 15 * SECOND);
    assert!(shop.record().unwrap().expiration.unwrap() > last.ceil());
}
