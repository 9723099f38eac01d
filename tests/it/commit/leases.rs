//! The lease as a value.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use powertools::idempotency::{Claimed, Error, OnError, OnInterrupt, Status, StoreErrorKind};
use powertools_tests::faulty::{Fault, FaultyStore, Op};

use super::world::*;

#[tokio::test(start_paused = true)]
async fn a_lease_is_completed_where_the_work_ends() {
    let shop = Shop::new(FaultyStore::new());
    let lease = shop.claim().await;
    let elsewhere = tokio::spawn(async move { lease.complete(&"done".to_owned()).await });
    elsewhere.await.unwrap().unwrap();
    let again = shop.call().claim::<String>().await.unwrap();
    assert!(matches!(again, Claimed::Replay(result) if result == "done"));
}

#[tokio::test(start_paused = true)]
async fn a_lease_excludes_others_until_it_is_released() {
    let shop = Shop::new(FaultyStore::new());
    let lease = shop.claim().await;
    let refused = shop.call().claim::<String>().await.unwrap_err();
    assert!(matches!(refused, Error::InProgress { .. }), "{refused:?}");
    lease.release().await;
    assert_eq!(shop.record(), None);
    shop.claim().await.release().await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_dropped_is_released_or_held_as_the_option_sets() {
    for policy in [OnInterrupt::Release, OnInterrupt::Hold] {
        let shop = Shop::with(FaultyStore::new(), |options| options.on_interrupt(policy));
        drop(shop.claim().await);
        settle().await;
        assert_eq!(shop.record().is_none(), policy == OnInterrupt::Release);
    }
}

#[tokio::test(start_paused = true)]
async fn a_completion_of_a_lease_continues_when_its_caller_is_dropped() {
    for is_polled in [true, false] {
        let store = FaultyStore::new().fault(Op::Complete, Fault::Slow(SECOND));
        let shop = Shop::new(store);
        let lease = shop.claim().await;
        let completion = lease.complete(&"done".to_owned());
        match is_polled {
            true => assert!(tokio::time::timeout(10 * MILLI, completion).await.is_err()),
            false => drop(completion),
        }
        tokio::time::sleep(2 * SECOND).await;
        assert_eq!(shop.record().unwrap().status, Status::Completed);
        assert!(!shop.store.calls().contains(&Op::Release));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_taken_over_changes_nothing() {
    let shop = Shop::with(FaultyStore::new(), |options| options.lease(SECOND));
    let mut late = shop.claim().await;
    tokio::time::sleep(3 * SECOND).await;
    let next = shop.claim().await;
    let theirs = shop.record();

    let renewed = late.renew(60 * SECOND).await.unwrap_err();
    assert!(matches!(renewed, Error::LeaseLost { .. }), "{renewed:?}");
    let completed = late.complete(&"late".to_owned()).await.unwrap_err();
    assert!(matches!(completed, Error::LeaseLost { .. }), "{completed:?}");
    assert_eq!(shop.record(), theirs);
    next.complete(&"in time".to_owned()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_not_kept_ends_a_lease_like_an_error() {
    for policy in [OnError::Release, OnError::Hold] {
        let shop = Shop::with(FaultyStore::new(), |options| {
            options.keep_if(|result| result != "try again").on_error(policy)
        });
        shop.claim().await.complete(&"try again".to_owned()).await.unwrap();
        assert_eq!(shop.record().is_none(), policy == OnError::Release);
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_moves_the_lease_forwards_only() {
    let shop = Shop::with(FaultyStore::new(), |options| options.lease(10 * SECOND));
    let mut lease = shop.claim().await;
    let before = shop.record();
    assert_eq!(lease.limit(), Some(at(&shop, 10)));

    lease.renew(5 * SECOND).await.unwrap();
    assert_eq!(shop.record(), before);
    lease.renew(20 * SECOND).await.unwrap();
    assert_eq!(lease.limit(), Some(at(&shop, 20)));
    let record = shop.record().unwrap();
    assert_eq!(record.in_progress_expiration, Some(at(&shop, 21).into()));
    assert!(record.expiration.unwrap().0 >= record.in_progress_expiration.unwrap().ceil().0);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_ends_with_the_invocation() {
    let shop = Shop::with(FaultyStore::new(), |options| options.lease(10 * SECOND));
    let mut lease = shop.invocation().scope(shop.claim()).await;
    lease.renew(60 * SECOND).await.unwrap();
    assert_eq!(lease.limit(), Some(at(&shop, 30) - 500 * MILLI));
    let record = shop.record().unwrap();
    assert_eq!(record.in_progress_expiration, Some(at(&shop, 31).into()));
}

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_reply_is_lost_is_recognised_or_leaves_the_limit() {
    let options = |fault| {
        let store = FaultyStore::new().fault(Op::Renew, fault);
        Shop::with(store, |options| options.lease(10 * SECOND))
    };
    let shop = options(Fault::LoseReplyAndRetry);
    let mut lease = shop.claim().await;
    lease.renew(20 * SECOND).await.unwrap();
    assert_eq!(lease.limit(), Some(at(&shop, 20)));

    let shop = options(Fault::LoseReply);
    let mut lease = shop.claim().await;
    let error = lease.renew(20 * SECOND).await.unwrap_err();
    assert!(matches!(&error, Error::Store(it) if it.kind() == StoreErrorKind::Timeout));
    assert_eq!(lease.limit(), Some(at(&shop, 10)));
}

#[tokio::test(start_paused = true)]
async fn a_lease_without_protection_does_nothing() {
    let options = |options: powertools::idempotency::Builder<FaultyStore>| {
        options.on_missing_key(powertools::idempotency::OnMissingKey::Bypass)
    };
    let shop = Shop::with(FaultyStore::new(), options);
    let call = shop.idempotency.operation("order").key("").unwrap();
    let Claimed::Lease(mut lease) = call.claim::<String>().await.unwrap() else {
        panic!("there is nothing to replay")
    };
    assert_eq!((lease.key(), lease.limit()), (None, None));
    lease.renew(SECOND).await.unwrap();
    lease.commit(order("unprotected".to_owned())).await.unwrap();
    shop.assert_placed(1);
    assert_eq!(shop.record(), None);
}

#[tokio::test(start_paused = true)]
async fn a_commit_of_a_lease_is_that_of_a_call() {
    let shop = Shop::new(FaultyStore::new());
    assert_eq!(shop.claim().await.commit(order("ours".to_owned())).await.unwrap(), "ours");
    shop.assert_placed(1);
    assert_eq!(shop.order().await.unwrap(), "ours");
    assert_eq!(shop.runs.load(Ordering::Relaxed), 0);
}

/// So many seconds after the start.
fn at(shop: &Shop, seconds: u32) -> SystemTime {
    shop.start + seconds * SECOND
}

/// Past the end of the invocation it is never extended.
#[tokio::test(start_paused = true)]
async fn a_lease_can_be_extended_for_as_long_as_possible() {
    let shop = Shop::with(FaultyStore::new(), |options| options.lease(SECOND));
    let work = async {
        let mut lease = shop.claim().await;
        lease.renew(std::time::Duration::MAX).await.unwrap();
        lease.limit()
    };
    let invocation = shop.invocation();
    let limit = invocation.clone().scope(work).await.unwrap();
    assert!(limit > shop.start + 29 * SECOND && limit <= invocation.deadline(), "{limit:?}");
}
