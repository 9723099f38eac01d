//! What a commit applies, and what it rejects before it is sent.

use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;

use powertools::idempotency::transaction::{AttributeValue, Check, Delete, Item, Put, Update};
use powertools::idempotency::{
    Call, Commit, Error, LocalCache, MemoryStore, OnMissingKey, OnSaveFailure, Status,
    StoreErrorKind, TransactStore,
};
use powertools::testing::invocation;
use powertools::{Deadline, Invocation};
use powertools_tests::faulty::{Fault, FaultyStore, Op};

use super::world::*;

#[tokio::test(start_paused = true)]
async fn the_writes_and_the_record_are_applied_once_in_two_requests() {
    let shop = Shop::new(FaultyStore::new());
    assert_eq!(shop.order().await.unwrap(), "run 1");
    shop.assert_placed(1);
    assert_eq!(shop.record().unwrap().status, Status::Completed);
    assert_eq!(shop.store.calls(), [Op::Claim, Op::Transact]);
    assert_eq!(shop.order().await.unwrap(), "run 1");
    shop.assert_placed(1);
    assert_eq!(shop.runs.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_table_can_be_named_by_its_arn() {
    let shop = Shop::new(FaultyStore::new());
    let table = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders";
    let put = Put::new(table, Item::new().set("id", "order-7"));
    let work = async { Ok::<_, Error>(Commit::new("done".to_owned()).put(put)) };
    assert_eq!(shop.call().commit(work).await.unwrap(), "done");
    assert_eq!(shop.orders(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_does_not_hold_is_an_error_of_the_work() {
    let shop = Shop::new(FaultyStore::new());
    let taken = Item::new().set("id", "order-7").set("by", "another");
    shop.store.records().put_item("orders", taken.clone()).unwrap();
    let error = shop.order().await.unwrap_err();
    let Error::TransactionRefused { index: 0, item: Some(item) } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(**item, taken);
    assert_eq!(shop.lamps(), 3.into());
    assert_eq!(shop.record(), None);
    assert!(!format!("{error:?} {error}").contains("another"));
}

#[tokio::test(start_paused = true)]
async fn the_first_of_two_conditions_that_do_not_hold_is_reported() {
    let shop = Shop::new(FaultyStore::new());
    let key = || Item::new().set("id", "none");
    let work = async move {
        Ok::<_, Error>(
            Commit::new("never".to_owned())
                .check(Check::new("stock", Item::new().set("sku", "lamp")).if_equals("count", 3))
                .check(Check::new("orders", key()).if_exists("id"))
                .delete(Delete::new("stock", Item::new().set("sku", "rug")).if_exists("sku")),
        )
    };
    let error = shop.call().commit(work).await.unwrap_err();
    assert!(matches!(error, Error::TransactionRefused { index: 1, item: None }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_a_transaction_is_rejected_before_it_is_sent() {
    let lamp = || Item::new().set("sku", "lamp");
    let twice = Commit::new(String::new())
        .delete(Delete::new("stock", lamp()))
        .put(Put::new("stock", lamp().set("count", 1)));
    let hundred = (0..100).fold(Commit::new(String::new()), |commit, id| {
        commit.put(Put::new("orders", Item::new().set("id", id)))
    });
    let expression = Commit::new(String::new())
        .update(Update::new("stock", lamp()).add("count", -1).condition("#count > :zero"));
    let update = |update| Commit::new(String::new()).update(update);
    let put = |id: AttributeValue| {
        Commit::new(String::new()).put(Put::new("orders", Item::new().set("id", id)))
    };
    for commit in [
        twice,
        hundred,
        expression,
        update(Update::new("stock", lamp()).set("sku", "rug")),
        update(Update::new("stock", lamp()).set("count", 1).add("count", 1)),
        update(Update::new("stock", lamp()).set("count", 1).set("count", 2)),
        update(Update::new("stock", lamp()).set("count", 1).value(":count", 1)),
        update(Update::new("stock", Item::new().set("sku", "")).set("count", 1)),
        put(AttributeValue::S(String::new())),
        put(AttributeValue::B(Vec::new())),
        put(AttributeValue::Bool(true)),
    ] {
        let shop = Shop::new(FaultyStore::new());
        let error = shop.call().commit(async { Ok::<_, Error>(commit) }).await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyCommitInvalid");
        assert!(!error.is_retryable());
        assert_eq!(shop.store.calls(), [Op::Claim, Op::Release]);
        assert_eq!(shop.record(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_table_and_a_wrong_key_apply_nothing_and_are_released() {
    let id = |name: &str| Item::new().set(name, "order-7");
    for (put, name) in [
        (Put::new("nowhere", id("id")), "Powertools.IdempotencyStoreNotFound"),
        (Put::new("orders", id("wrong")), "Powertools.IdempotencyCommitInvalid"),
    ] {
        let shop = Shop::new(FaultyStore::new());
        let commit = order("never".to_owned());
        let work = async { Ok::<_, Error>(Commit::new(String::new()).put(put)) };
        let error = shop.call().commit(work).await.unwrap_err();
        assert_eq!(error.error_type(), name);
        assert_eq!(shop.record(), None);
        shop.call().commit(async { Ok::<_, Error>(commit) }).await.unwrap();
        shop.assert_placed(1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_too_large_is_committed_without_it() {
    let shop = Shop::new(FaultyStore::new());
    let large = "x".repeat(500 * 1024);
    let work = async { Ok::<_, Error>(order(large.clone())) };
    assert_eq!(shop.call().commit(work).await.unwrap(), large);
    shop.assert_placed(1);
    let tokens = shop.store.tokens();
    assert!(tokens.len() == 2 && tokens[0] != tokens[1], "another payload has another token");
    let again = shop.order().await.unwrap_err();
    assert!(matches!(again, Error::ResultNotStored { .. }), "{again:?}");
    shop.assert_placed(1);

    let policy = OnSaveFailure::Error;
    let shop = Shop::with(FaultyStore::new(), |options| options.on_unstorable_result(policy));
    let work = async { Ok::<_, Error>(order(large)) };
    let error = shop.call().commit(work).await.unwrap_err();
    assert!(matches!(error, Error::ResultNotStored { .. }), "{error:?}");
    shop.assert_placed(1);
    assert_eq!(shop.record().unwrap().status, Status::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_not_kept_is_returned_without_its_writes() {
    let shop = Shop::with(FaultyStore::new(), |options| options.keep_if(|_| false));
    assert_eq!(shop.order().await.unwrap(), "run 1");
    shop.assert_placed(0);
    assert_eq!(shop.record(), None);
}

#[tokio::test(start_paused = true)]
async fn the_error_of_the_work_is_returned_and_nothing_is_written() {
    let shop = Shop::new(FaultyStore::new());
    let work = async { Err::<Commit<String>, _>(anyhow::anyhow!("no lamps")) };
    assert_eq!(shop.call().commit(work).await.unwrap_err().to_string(), "no lamps");
    shop.assert_placed(0);
    assert_eq!(shop.record(), None);
}

/// A shop, and a call that has no key.
fn without_key(store: FaultyStore) -> (Shop, Call<FaultyStore>) {
    let shop = Shop::with(store, |options| options.on_missing_key(OnMissingKey::Bypass));
    let call = shop.idempotency.operation("order").key("").unwrap();
    (shop, call)
}

/// Orders at a price that a guard decides.
async fn at_the_default_price(is_handled: bool) -> Result<Commit<String>, Error> {
    let price = pending::<Result<&str, Error>>();
    let price = Deadline::current().run_or(2 * SECOND, price, |_| Ok("default")).await?;
    if is_handled {
        Invocation::interruption_handled();
    }
    Ok(order(price.to_owned()))
}

/// Nothing of what the work decided takes place, so that it must not look as if it had.
#[tokio::test(start_paused = true)]
async fn a_fallback_commits_nothing_unless_it_is_handled() {
    for is_handled in [false, true] {
        let shop = Shop::new(FaultyStore::new());
        let work = at_the_default_price(is_handled);
        let ended = shop.invocation().scope(shop.call().commit(work)).await;
        if is_handled {
            assert_eq!(ended.unwrap(), "default");
            shop.assert_placed(1);
        } else {
            let error = ended.unwrap_err();
            assert!(
                matches!(&error, Error::Fallback { operation } if operation == "order"),
                "{error:?}"
            );
            assert!(error.is_retryable());
            shop.assert_placed(0);
            // Released, as after an interruption.
            assert_eq!(shop.record(), None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_is_the_work_commits_no_fallback() {
    let shop = Shop::new(FaultyStore::new());
    let run = async {
        let slow = pending::<Result<Commit<String>, Error>>();
        let default = |_| Ok(order("default".to_owned()));
        shop.call().commit(Deadline::current().run_or(2 * SECOND, slow, default)).await
    };
    let error = shop.invocation().scope(run).await.unwrap_err();
    assert!(matches!(&error, Error::Fallback { .. }), "{error:?}");
    shop.assert_placed(0);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_key_commits_its_writes_alone() {
    let (shop, call) = without_key(FaultyStore::new());
    let work = async { Ok::<_, Error>(order("no key".to_owned())) };
    assert_eq!(call.commit(work).await.unwrap(), "no key");
    shop.assert_placed(1);
    assert_eq!(shop.store.calls(), [Op::Transact]);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_commits_nothing_without_a_key_either() {
    let (shop, call) = without_key(FaultyStore::new());
    let work = at_the_default_price(false);
    let error = shop.invocation().scope(call.commit(work)).await.unwrap_err();
    assert!(matches!(error, Error::Fallback { .. }), "{error:?}");
    shop.assert_placed(0);
}

/// As the calls of the records of a batch.
#[tokio::test(start_paused = true)]
async fn a_fallback_of_one_call_without_a_key_is_not_that_of_another() {
    let shop = Shop::with(FaultyStore::new(), |it| it.on_missing_key(OnMissingKey::Bypass));
    let call = || shop.idempotency.operation("order").key("").unwrap();
    // Longer than the guards of the others wait.
    let fine = async {
        tokio::time::sleep(29 * SECOND).await;
        Ok::<_, Error>(order("in time".to_owned()))
    };
    let calls = async {
        let first = call().commit(at_the_default_price(false));
        let (first, fine) = tokio::join!(first, call().commit(fine));
        let second = call().commit(at_the_default_price(false)).await;
        (first, fine, second)
    };
    let (first, fine, second) = shop.invocation().scope(calls).await;
    for fallback in [first, second] {
        assert!(matches!(fallback, Err(Error::Fallback { .. })), "{fallback:?}");
    }
    assert_eq!(fine.unwrap(), "in time");
    shop.assert_placed(1);
}

/// Nothing but its token tells a store that it has done that already.
#[tokio::test(start_paused = true)]
async fn writes_without_a_key_are_sent_as_long_as_their_token_is_known() {
    let throttled = |store: FaultyStore| {
        let fault = Fault::Fail(StoreErrorKind::Throttled);
        (0..2_000).fold(store, |store, _| store.fault(Op::Transact, fault))
    };
    let lost = FaultyStore::new().fault(Op::Transact, Fault::LoseReply);
    for (store, times) in [(throttled(lost), 1), (throttled(FaultyStore::new()), 0)] {
        let (shop, call) = without_key(store);
        let clock = shop.clock.clock();
        let deadline = clock.now() + 1_800 * SECOND;
        let invocation = invocation().clock(clock).deadline(deadline).build();
        let work = async { Ok::<_, Error>(order("no key".to_owned())) };
        let start = tokio::time::Instant::now();
        let error = invocation.scope(call.commit(work)).await.unwrap_err();
        assert!(matches!(error, Error::CommitUnknown { key: None, .. }), "{error:?}");
        assert_eq!(error.to_string(), "it is unknown whether the commit was applied");
        shop.assert_placed(times);
        assert!(start.elapsed() <= 540 * SECOND, "{:?}", start.elapsed());
        let tokens = shop.store.tokens();
        assert!(tokens.len() > 100 && tokens.iter().all(|token| *token == tokens[0]));
    }

    // An answer that shows that nothing was done.
    let store = FaultyStore::new().fault(Op::Transact, Fault::Fail(StoreErrorKind::AccessDenied));
    let (_shop, call) = without_key(store);
    let work = async { Ok::<_, Error>(order("no key".to_owned())) };
    assert!(matches!(call.commit(work).await.unwrap_err(), Error::Store(_)));
}

/// Its first request arrives when the condition that refused the second one holds again.
#[tokio::test(start_paused = true)]
async fn a_refusal_after_a_lost_request_says_nothing_without_a_key() {
    let (shop, call) = without_key(FaultyStore::new());
    let lamps = |count: u32| Item::new().set("sku", "lamp").set("count", count);
    shop.store.records().put_item("stock", lamps(0)).unwrap();
    shop.store.delay_transaction(10 * SECOND);
    let sell = Update::new("stock", Item::new().set("sku", "lamp"));
    let sell = sell.add("count", -1).if_equals("count", 3);
    let work = async { Ok::<_, Error>(Commit::new("sold".to_owned()).update(sell)) };
    let error = call.commit(work).await.unwrap_err();
    assert!(matches!(error, Error::CommitUnknown { key: None, .. }), "{error:?}");
    assert_eq!(shop.store.calls(), [Op::Transact, Op::Transact]);
    shop.store.records().put_item("stock", lamps(3)).unwrap();
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(shop.lamps(), 2.into());
}

#[tokio::test(start_paused = true)]
async fn a_committed_result_is_replayed_from_the_local_cache() {
    let cache = LocalCache::new(NonZeroUsize::MIN, 1 << 16);
    let shop = Shop::with(FaultyStore::new(), |options| options.local_cache(cache));
    shop.order().await.unwrap();
    assert_eq!(shop.order().await.unwrap(), "run 1");
    assert_eq!(shop.store.calls(), [Op::Claim, Op::Transact]);
}

#[test]
fn a_shared_store_commits_too() {
    fn commits<S: TransactStore>() {}
    commits::<std::sync::Arc<MemoryStore>>();
    commits::<powertools::idempotency::DynamoDbStore>();
}
