//! Leases that are renewed while the work runs.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use powertools::idempotency::{Builder, Error, Lease, OnInterrupt, Status, StoreErrorKind};
use powertools::{Deadline, Invocation};
use powertools_tests::faulty::{Fault, FaultyStore, Op};
use tokio::time::{Instant, sleep};

use super::world::*;

const LEASE: Duration = Duration::from_secs(3);

/// A shop whose lease of 3 seconds is renewed.
fn shop(store: FaultyStore) -> Shop {
    Shop::with(store, renewing)
}

fn renewing(options: Builder<FaultyStore>) -> Builder<FaultyStore> {
    options.lease(LEASE).renew_lease()
}

/// Does `work` in an invocation of 30 seconds.
async fn run(
    shop: &Shop,
    work: impl Future<Output = Result<String, Error>>,
) -> Result<String, Error> {
    shop.invocation().scope(shop.call().run(work)).await
}

async fn work_for(time: Duration) -> Result<String, Error> {
    sleep(time).await;
    Ok("done".to_owned())
}

/// How often a lease was renewed.
fn renewals(shop: &Shop) -> usize {
    shop.store.calls().iter().filter(|op| **op == Op::Renew).count()
}

#[tokio::test(start_paused = true)]
async fn work_outlives_its_first_lease_and_excludes_others_all_the_time() {
    let shop = shop(FaultyStore::new());
    let checks = async {
        for _ in 0..190 {
            sleep(100 * MILLI).await;
            let record = shop.record().unwrap();
            let left = record.in_progress_expiration.unwrap().0
                - powertools::idempotency::EpochMillis::from(shop.clock.now()).0;
            // Two thirds and the grace; a timer can be a millisecond late.
            assert!((2_998..=4_000).contains(&left), "{left}");
            assert!(record.expiration.unwrap() >= record.in_progress_expiration.unwrap().ceil());
        }
        shop.call().claim::<String>().await.unwrap_err()
    };
    let (result, refused) = tokio::join!(run(&shop, work_for(20 * SECOND)), checks);
    assert_eq!(result.unwrap(), "done");
    assert!(matches!(refused, Error::InProgress { .. }), "{refused:?}");
    assert!((18..=20).contains(&renewals(&shop)), "at each third: {}", renewals(&shop));
    assert_eq!(shop.record().unwrap().status, Status::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_record_outlives_its_renewed_lease() {
    let shop = Shop::with(FaultyStore::new(), |options| renewing(options).expires_after(MILLI));
    let check = async {
        for _ in 0..40 {
            sleep(250 * MILLI).await;
            let record = shop.record().unwrap();
            assert!(record.expiration.unwrap() >= record.in_progress_expiration.unwrap().ceil());
        }
    };
    let (result, ()) = tokio::join!(run(&shop, work_for(11 * SECOND)), check);
    assert_eq!(result.unwrap(), "done");
}

/// Its work is done, and must not be done again while that cannot be recorded.
#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_while_its_result_is_saved() {
    for is_late in [false, true] {
        save_with_renewals(is_late).await;
    }
}

async fn save_with_renewals(is_late: bool) {
    let throttled = Fault::Fail(StoreErrorKind::Throttled);
    let store = (0..12).fold(FaultyStore::new(), |store, _| store.fault(Op::Complete, throttled));
    // The limit of the work is no limit of the save.
    let late = |options| renewing(options).save_reserve(29 * SECOND);
    let shop = if is_late { Shop::with(store, late) } else { shop(store) };
    let start = Instant::now();
    let others = async {
        while shop.record().is_none_or(|record| record.status == Status::InProgress) {
            sleep(100 * MILLI).await;
            if shop.record().unwrap().status == Status::InProgress {
                let refused = shop.call().claim::<String>().await.unwrap_err();
                assert!(matches!(refused, Error::InProgress { .. }), "{refused:?}");
            }
        }
    };
    let (result, ()) = tokio::join!(run(&shop, work_for(MILLI)), others);
    assert_eq!(result.unwrap(), "done");
    assert!(start.elapsed() > 2 * LEASE, "{:?}", start.elapsed());
    assert!(renewals(&shop) > 1);
    // None is left behind.
    sleep(2 * LEASE).await;
    assert_eq!(shop.record().unwrap().status, Status::Completed);
}

#[tokio::test(start_paused = true)]
async fn work_that_is_done_within_a_third_of_its_lease_is_never_renewed() {
    let shop = shop(FaultyStore::new());
    run(&shop, work_for(999 * MILLI)).await.unwrap();
    assert_eq!(shop.store.calls(), [Op::Claim, Op::Complete]);
}

#[tokio::test(start_paused = true)]
async fn others_take_over_seconds_after_a_death() {
    let shop = shop(FaultyStore::new());
    // With an explicit lease, the claim of work that is dropped is held, as that of a dead process.
    let died = tokio::time::timeout(10_500 * MILLI, run(&shop, pending())).await;
    assert!(died.is_err());
    let mut refused = 0;
    let took = loop {
        match run(&shop, work_for(MILLI)).await {
            Ok(result) => break result,
            Err(Error::InProgress { .. }) => refused += 1,
            Err(error) => panic!("{error:?}"),
        }
        sleep(100 * MILLI).await;
    };
    assert_eq!(took, "done");
    // The last lease was confirmed after 10 s; its grace is one second.
    assert!((35..=37).contains(&refused), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_after_a_takeover_is_refused_and_stops_the_work() {
    for store in [FaultyStore::new(), FaultyStore::without_old_items()] {
        let policy = OnInterrupt::Release;
        let shop = Shop::with(store, |options| renewing(options).on_interrupt(policy));
        let dropped = Arc::new(AtomicBool::new(false));
        let work = {
            let guard = Dropped(dropped.clone());
            async move {
                let _guard = guard;
                pending().await
            }
        };
        let stolen = async {
            sleep(500 * MILLI).await;
            let (key, mut record) = shop.store.records().snapshot().remove(0);
            record.owner = Some("0123456789abcdef0123456789abcdef".to_owned());
            shop.store.records().insert(key, record.clone());
            record
        };
        let start = Instant::now();
        let (result, theirs) = tokio::join!(run(&shop, work), stolen);
        assert!(matches!(result, Err(Error::LeaseLost { .. })), "{result:?}");
        assert_eq!(start.elapsed(), SECOND, "with the first renewal");
        assert!(dropped.load(Ordering::Relaxed));
        assert_eq!(shop.record(), Some(theirs));
        assert!(!shop.store.calls().contains(&Op::Release), "there is nothing to release");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_after_a_deletion_is_refused_and_stops_the_work() {
    let shop = shop(FaultyStore::new());
    let deleted = async {
        sleep(500 * MILLI).await;
        let (key, _) = shop.store.records().snapshot().remove(0);
        shop.store.records().remove(&key);
    };
    let (result, ()) = tokio::join!(run(&shop, pending()), deleted);
    assert!(matches!(result, Err(Error::RecordGone { .. })), "{result:?}");
    assert_eq!(shop.record(), None);
}

#[tokio::test(start_paused = true)]
async fn throttled_renewals_are_retried() {
    let store = (0..3).fold(FaultyStore::new(), |store, _| {
        store.fault(Op::Renew, Fault::Fail(StoreErrorKind::Throttled))
    });
    let shop = shop(store);
    assert_eq!(run(&shop, work_for(8 * SECOND)).await.unwrap(), "done");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_without_an_answer_is_retried_in_the_next_third() {
    for fault in [Fault::Hang, Fault::HangAfter, Fault::LoseReply, Fault::Panic] {
        let shop = shop(FaultyStore::new().fault(Op::Renew, fault));
        let result = run(&shop, work_for(8 * SECOND)).await;
        assert_eq!(result.unwrap(), "done", "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn work_ends_with_the_last_lease_that_was_confirmed() {
    for fault in [
        Fault::Fail(StoreErrorKind::Throttled),
        Fault::Fail(StoreErrorKind::AccessDenied),
        Fault::Hang,
        // The store has extended the lease, which is not known here.
        Fault::HangAfter,
        Fault::LoseReply,
        Fault::Panic,
    ] {
        let shop = shop(FaultyStore::new());
        let start = Instant::now();
        let failing = async {
            sleep(2_500 * MILLI).await;
            assert_eq!(renewals(&shop), 2);
            for _ in 0..1_000 {
                let _ = shop.store.clone().fault(Op::Renew, fault);
            }
        };
        let (result, ()) = tokio::join!(run(&shop, pending()), failing);
        assert!(matches!(result, Err(Error::LeaseExpired { .. })), "{result:?}");
        assert_eq!(start.elapsed(), 5 * SECOND, "{fault:?}");
        assert_eq!(shop.record().unwrap().status, Status::InProgress, "held");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_counts_from_the_sending_of_its_renewal() {
    let store = FaultyStore::new().fault(Op::Renew, Fault::Slow(900 * MILLI));
    let store = (0..200).fold(store, |store, _| store.fault(Op::Renew, Fault::Hang));
    let shop = shop(store);
    let start = Instant::now();
    let result = run(&shop, pending()).await;
    assert!(matches!(result, Err(Error::LeaseExpired { .. })), "{result:?}");
    assert_eq!(start.elapsed(), 4 * SECOND, "sent after 1 s, answered after 1.9 s");
}

#[tokio::test(start_paused = true)]
async fn work_that_blocks_its_thread_loses_its_lease() {
    let shop = shop(FaultyStore::new());
    let blocks = async {
        sleep(500 * MILLI).await;
        // Nothing else runs meanwhile, and all timers are due at once.
        tokio::time::advance(5 * SECOND).await;
        pending().await
    };
    let result = run(&shop, blocks).await;
    assert!(matches!(result, Err(Error::LeaseExpired { .. })), "{result:?}");
    assert_eq!(renewals(&shop), 0, "it is too late for one");
}

#[tokio::test]
async fn work_that_blocks_its_thread_for_real_is_overtaken_and_changes_nothing() {
    let shop = Shop::with(FaultyStore::new(), |options| {
        options.lease(SECOND).grace(Duration::ZERO).renew_lease()
    });
    let blocks = async {
        // The thread, while another process goes on.
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                std::thread::sleep(1_100 * MILLI);
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
                runtime.block_on(async { shop.claim().await })
            });
            other.join().unwrap()
        })
    };
    let theirs: Arc<std::sync::Mutex<Option<Lease<FaultyStore>>>> = Arc::default();
    let work = async {
        *theirs.lock().unwrap() = Some(blocks.await);
        Ok("late".to_owned())
    };
    let result = run(&shop, work).await;
    assert!(matches!(result, Err(Error::LeaseLost { .. })), "{result:?}");
    let theirs = theirs.lock().unwrap().take().unwrap();
    theirs.complete(&"in time".to_owned()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_renewed_lease_outlasts_the_invocation() {
    for lease in [3, 20, 300] {
        let shop = Shop::with(FaultyStore::new(), |options| {
            options.lease(Duration::from_secs(lease)).renew_lease()
        });
        let last = (shop.start + 31 * SECOND).into();
        let start = Instant::now();
        let result = run(&shop, pending()).await;
        assert!(matches!(result, Err(Error::OutOfTime { .. })), "{result:?}");
        assert_eq!(start.elapsed(), 29_500 * MILLI);
        let lease_end = shop.record().unwrap().in_progress_expiration.unwrap();
        assert_eq!(lease_end, last, "{lease}");
        assert!(renewals(&shop) <= 30, "none after the last one: {}", renewals(&shop));
    }
}

#[tokio::test(start_paused = true)]
async fn outside_an_invocation_a_lease_is_renewed_without_an_end() {
    let shop = shop(FaultyStore::new());
    let hour = 3600 * SECOND;
    assert_eq!(shop.call().run(work_for(hour)).await.unwrap(), "done");
    assert!((3_500..=3_600).contains(&renewals(&shop)), "{}", renewals(&shop));
}

#[tokio::test(start_paused = true)]
async fn guards_inside_see_the_latest_limit() {
    let shop = shop(FaultyStore::new());
    let start = shop.start;
    let work = async {
        let limit = Invocation::current().unwrap().limit();
        assert_eq!(limit, start + 29_500 * MILLI);
        let part = async { Ok::<_, lambda_runtime::Error>(work_for(10 * SECOND).await?) };
        Deadline::current().run(Duration::ZERO, part).await
    };
    let result = shop.invocation().scope(shop.call().run(work)).await;
    assert_eq!(result.unwrap(), "done");
}

#[tokio::test(start_paused = true)]
async fn an_interruption_releases_or_holds_as_the_option_sets() {
    for policy in [OnInterrupt::Release, OnInterrupt::Hold] {
        let shop = Shop::with(FaultyStore::new(), |options| renewing(options).on_interrupt(policy));
        run(&shop, pending()).await.unwrap_err();
        assert_eq!(shop.record().is_none(), policy == OnInterrupt::Release);
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_after_renewals_is_applied_once_and_its_record_outlives_the_lease() {
    let shop = Shop::with(FaultyStore::new(), |options| renewing(options).expires_after(MILLI));
    let mut lease_end = None;
    let work = async {
        sleep(20 * SECOND).await;
        lease_end = shop.record().unwrap().in_progress_expiration;
        Ok::<_, Error>(order("done".to_owned()))
    };
    shop.invocation().scope(shop.call().commit(work)).await.unwrap();
    shop.assert_placed(1);
    let record = shop.record().unwrap();
    assert!(record.expiration.unwrap() >= lease_end.unwrap().ceil());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_arrives_after_the_release_creates_nothing() {
    let store = FaultyStore::new().fault(Op::Renew, Fault::Slow(10 * SECOND));
    let shop = Shop::with(store, |options| renewing(options).on_interrupt(OnInterrupt::Release));
    let fails = async {
        sleep(1_500 * MILLI).await;
        Err(Error::Config("the work fails".to_owned()))
    };
    run(&shop, fails).await.unwrap_err();
    sleep(20 * SECOND).await;
    assert_eq!(shop.record(), None);
}

struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
