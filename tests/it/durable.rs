//! Work in durable executions: who holds its key over many invocations, and how it fails.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use powertools::idempotency::transaction::{Check, Item, Update};
use powertools::idempotency::{
    Builder, Claimed, Commit, Error, Idempotency, MemoryStore, Record, RedisStore, Status, Store,
    StoreErrorKind, WhileInProgress,
};
use powertools::testing::{ManualClock, invocation};
use powertools::{Deadline, DurableExecution, Invocation, deadline};
use powertools_tests::faulty::{Fault, FaultyStore, Op};
use tokio::time::{Instant, sleep, sleep_until};

const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:orders:1/durable-execution/a/b";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SECOND: Duration = Duration::from_secs(1);

struct World {
    store: FaultyStore,
    clock: ManualClock,
    idempotency: Idempotency<FaultyStore>,
    runs: Arc<AtomicU32>,
}

impl World {
    fn new(store: FaultyStore) -> Self {
        Self::with(store, |options| options)
    }

    fn with(
        store: FaultyStore,
        options: impl FnOnce(Builder<FaultyStore>) -> Builder<FaultyStore>,
    ) -> Self {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let clock = ManualClock::following_tokio(start);
        let builder = Idempotency::builder(store.clone()).clock(clock.clock()).lease(30 * DAY);
        let idempotency = options(builder).build().unwrap();
        Self { store, clock, idempotency, runs: Arc::default() }
    }

    fn invocation(&self, arn: &str, request: &str) -> Invocation {
        let clock = self.clock.clock();
        let deadline = clock.now() + 30 * SECOND;
        let invocation = invocation().request_id(request).clock(clock).deadline(deadline).build();
        invocation.enter_execution(DurableExecution::new(arn));
        invocation
    }

    /// Runs the work in an invocation of an execution.
    async fn run(
        &self,
        arn: &str,
        request: &str,
        work: impl Future<Output = Result<String, Error>>,
    ) -> Result<String, Error> {
        self.invocation(arn, request).scope(self.call(work)).await
    }

    /// Runs the work in the current invocation.
    async fn call(
        &self,
        work: impl Future<Output = Result<String, Error>>,
    ) -> Result<String, Error> {
        let counted = async {
            self.runs.fetch_add(1, Ordering::Relaxed);
            work.await
        };
        self.idempotency.run("charge", "order-7", counted).await
    }

    /// An invocation that suspends in its work.
    async fn suspend(&self, arn: &str, request: &str) {
        assert!(self.run(arn, request, pending()).now_or_never().is_none());
        // What a drop has spawned.
        sleep(Duration::from_millis(1)).await;
    }

    fn record(&self) -> Record {
        let records = self.store.records().snapshot();
        assert_eq!(records.len(), 1, "{records:?}");
        records[0].1.clone()
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::Relaxed)
    }
}

async fn done() -> Result<String, Error> {
    Ok("charged".to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_suspension_keeps_the_claim_and_the_next_invocation_continues_it() {
    let world = World::new(FaultyStore::new());
    world.suspend(ARN, "1").await;
    let first = world.record();
    assert_eq!(first.status, Status::InProgress);

    // Longer than any invocation.
    sleep(20 * DAY).await;
    world.suspend(ARN, "2").await;
    let mut second = world.record();
    assert_ne!(second.attempt, first.attempt);
    second.attempt.clone_from(&first.attempt);
    assert_eq!(second, first);

    assert_eq!(world.run(ARN, "3", done()).await.unwrap(), "charged");
    assert_eq!(world.record().status, Status::Completed);
    assert_eq!(world.run("another", "4", done()).await.unwrap(), "charged");
    assert_eq!(world.runs(), 3);
    assert!(!world.store.calls().contains(&Op::Release));
}

/// Its code is replayed from the start, with the work in it.
#[tokio::test(start_paused = true)]
async fn a_result_is_kept_for_as_long_as_the_execution_may_last() {
    let world = World::with(FaultyStore::new(), |options| options.expires_after(SECOND));
    assert_eq!(world.run(ARN, "1", done()).await.unwrap(), "charged");
    sleep(29 * DAY).await;
    assert_eq!(world.run(ARN, "2", done()).await.unwrap(), "charged");
    assert_eq!(world.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn another_execution_is_refused_or_waits() {
    let world = World::new(FaultyStore::new());
    world.suspend(ARN, "1").await;
    let error = world.run("another", "2", done()).await.unwrap_err();
    assert!(matches!(error, Error::InProgress { until: Some(_), .. }), "{error:?}");
    assert_eq!(world.runs(), 1);

    let world = World::with(FaultyStore::new(), |options| {
        options.while_in_progress(WhileInProgress::Wait(10 * SECOND))
    });
    world.suspend(ARN, "1").await;
    let waiting = world.run("another", "2", async { panic!("it runs twice") });
    let continued = async {
        sleep(SECOND).await;
        world.run(ARN, "3", done()).await
    };
    let (waited, continued) = tokio::join!(waiting, continued);
    assert_eq!(waited.unwrap(), continued.unwrap());
}

/// Its effects need not be steps.
#[tokio::test(start_paused = true)]
async fn work_that_the_execution_has_finished_does_not_run_again() {
    let world = World::new(FaultyStore::new());
    for invocation in ["1", "2", "3"] {
        assert_eq!(world.run(ARN, invocation, done()).await.unwrap(), "charged");
        assert_eq!(world.runs(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_invocation_does_not_continue_its_own_claim() {
    let world = World::new(FaultyStore::new());
    let nested = world.call(async {
        let error = world.call(done()).await.unwrap_err();
        assert!(matches!(error, Error::InProgress { .. }), "{error:?}");
        done().await
    });
    assert_eq!(world.invocation(ARN, "1").scope(nested).await.unwrap(), "charged");
    assert_eq!(world.runs(), 1);

    // A repeated invocation can have the id of the first.
    let world = World::new(FaultyStore::new());
    world.suspend(ARN, "1").await;
    assert_eq!(world.run(ARN, "1", done()).await.unwrap(), "charged");
}

/// The invocation is repeated, so the work around is not over.
#[tokio::test(start_paused = true)]
async fn a_store_that_fails_inside_other_work_keeps_the_claim_of_that() {
    for op in [Op::Claim, Op::Complete] {
        let store = || FaultyStore::new().fault(op, Fault::Fail(StoreErrorKind::AccessDenied));
        let ledger = Idempotency::builder(store()).lease(DAY).build().unwrap();
        let world = World::new(FaultyStore::new());
        let charge = || async {
            let booked = ledger.run("book", "order-7", async { Ok::<_, Error>(1) }).await;
            // As an error of the user's own, which hides its cause.
            booked.map_err(|_| Error::Config("the ledger is closed".to_owned()))?;
            done().await
        };
        let invocation = world.invocation(ARN, "1");
        assert!(invocation.clone().scope(world.call(charge())).await.is_err());
        assert!(invocation.is_interrupted());
        assert_eq!(world.record().status, Status::InProgress, "{op:?}");
        assert!(world.run("another", "2", done()).await.is_err());
        assert_eq!(world.run(ARN, "3", charge()).await.unwrap(), "charged");
    }
}

/// Otherwise the execution would end with the error of the handler.
#[tokio::test(start_paused = true)]
async fn a_store_that_has_failed_is_not_what_other_work_has_handled() {
    let store = FaultyStore::new().fault(Op::Claim, Fault::Fail(StoreErrorKind::AccessDenied));
    let world = World::new(store);
    let handler = async {
        let charged = world.call(done()).await;
        let price = async {
            let slow = pending::<Result<u32, deadline::Error>>();
            let price = Deadline::current().run(20 * SECOND, slow).await.unwrap_or(10);
            Invocation::interruption_handled();
            Ok::<_, deadline::Error>(price)
        };
        assert_eq!(Deadline::current().run(SECOND, price).await, Ok(10));
        charged
    };
    let invocation = world.invocation(ARN, "1");
    invocation.clone().scope(handler).await.unwrap_err();
    assert!(invocation.is_interrupted(), "the invocation is repeated");
}

/// The next invocation has the whole time again.
#[tokio::test(start_paused = true)]
async fn work_for_which_too_little_time_remains_repeats_the_invocation() {
    let world = World::new(FaultyStore::new());
    let charge = || async {
        if world.runs() == 1 {
            sleep(20 * SECOND).await;
        }
        Deadline::current().ensure(20 * SECOND).map_err(|_| Error::Config("late".to_owned()))?;
        done().await
    };
    let invocation = world.invocation(ARN, "1");
    invocation.clone().scope(world.call(charge())).await.unwrap_err();
    assert!(invocation.is_interrupted(), "the invocation is repeated");
    assert_eq!(world.record().status, Status::InProgress);
    assert_eq!(world.run(ARN, "2", charge()).await.unwrap(), "charged");
}

/// A branch is a task of its own, and runs in the scope of the handler.
#[tokio::test(start_paused = true)]
async fn an_interruption_of_a_branch_keeps_the_claim() {
    let world = World::new(FaultyStore::new());
    let invocation = world.invocation(ARN, "1");
    let handler = invocation.clone();
    let branch = handler.scope(async {
        let slow = pending::<Result<String, deadline::Error>>();
        Deadline::current().run(25 * SECOND, slow).await
    });
    let work = async { branch.await.map_err(|_| Error::Config("no answer".to_owned())) };
    invocation.clone().scope(world.call(work)).await.unwrap_err();
    assert!(invocation.is_interrupted(), "the invocation is repeated");
    assert_eq!(world.record().status, Status::InProgress);
    assert_eq!(world.run(ARN, "2", done()).await.unwrap(), "charged");
}

/// The invocation is repeated. Another execution would do the steps before its commit again.
#[tokio::test(start_paused = true)]
async fn a_commit_that_the_store_fails_keeps_the_claim_and_has_its_effect_once() {
    let faults = [
        (1, Fault::Fail(StoreErrorKind::AccessDenied)),
        (200, Fault::Fail(StoreErrorKind::Throttled)),
        (200, Fault::Hang),
    ];
    // A request is under way, and arrives before or after the next invocation has continued the claim.
    for ((count, fault), late) in faults.into_iter().flat_map(|it| [(it, 40), (it, 60)]) {
        let store =
            (0..count).fold(FaultyStore::new(), |store, _| store.fault(Op::Transact, fault));
        let (world, start) = (World::new(store), Instant::now());
        world.store.records().create_table("charges", ["id"]);
        world.store.delay_transaction(late * SECOND);
        let commit = async |arn, request, time: Duration| {
            let work = async {
                world.runs.fetch_add(1, Ordering::Relaxed);
                sleep(time).await;
                let charge = Item::new().set("id", "order-7");
                Ok::<_, Error>(
                    Commit::new(7).update(Update::new("charges", charge).add("count", 1)),
                )
            };
            let invocation = world.invocation(arn, request);
            let call = world.idempotency.operation("charge").key("order-7").unwrap();
            (invocation.clone().scope(call.commit(work)).await, invocation.is_interrupted())
        };

        let (first, is_repeated) = commit(ARN, "1", Duration::ZERO).await;
        let error = first.unwrap_err();
        assert!(matches!(error, Error::CommitUnknown { .. }) && is_repeated, "{error:?}");
        assert_eq!(world.record().status, Status::InProgress);
        world.store.forget_faults();
        let (other, _) = commit("another", "2", Duration::ZERO).await;
        assert!(matches!(other, Err(Error::InProgress { .. })), "{other:?}");

        sleep_until(start + 50 * SECOND).await;
        let (second, _) = commit(ARN, "3", 20 * SECOND).await;
        assert_eq!(second.unwrap(), 7);
        assert_eq!(world.runs(), if late < 50 { 1 } else { 2 }, "{fault:?}");
        sleep(60 * SECOND).await;
        let charges = world.store.records().items("charges");
        assert!(charges.len() == 1 && charges[0].get("count") == Some(&1.into()), "{charges:?}");
    }
}

/// Otherwise a late copy of a re-entry could find the attempt again from which it continues.
#[tokio::test(start_paused = true)]
async fn no_claim_and_no_reentry_writes_the_attempt_of_another() {
    let world = World::new(FaultyStore::new());
    for invocation in ["1", "2", "3"] {
        world.suspend(ARN, invocation).await;
    }
    let attempts = world.store.attempts();
    assert_eq!(attempts.len(), 5, "each but the first claims, and continues: {attempts:?}");
    assert_eq!(attempts.iter().collect::<BTreeSet<_>>().len(), 5, "{attempts:?}");
    assert_eq!(world.record().attempt.as_ref(), attempts.last());
}

/// The execution must not fail for what its other invocation may still do.
#[tokio::test(start_paused = true)]
async fn a_refused_commit_of_an_invocation_that_was_continued_is_not_the_outcome() {
    let world = World::new(FaultyStore::new().fault(Op::Release, Fault::Slow(10 * SECOND)));
    world.store.records().create_table("charges", ["id"]);
    let zombie = async {
        let missing = Check::new("charges", Item::new().set("id", "order-7")).if_exists("id");
        let work = async { Ok::<_, Error>(Commit::new(()).check(missing)) };
        let invocation = world.invocation(ARN, "1");
        let call = world.idempotency.operation("charge").key("order-7").unwrap();
        (invocation.clone().scope(call.commit(work)).await, invocation.is_interrupted())
    };
    let continued = async {
        sleep(SECOND).await;
        world.suspend(ARN, "2").await;
    };
    let ((refused, is_repeated), ()) = tokio::join!(zombie, continued);
    let error = refused.unwrap_err();
    assert!(matches!(error, Error::LeaseLost { .. }) && is_repeated, "{error:?}");
    assert_eq!(world.record().status, Status::InProgress);
}

#[tokio::test(start_paused = true)]
async fn an_invocation_that_was_continued_changes_nothing_any_more() {
    let world = World::new(FaultyStore::new());
    let zombie = world.run(ARN, "1", async {
        sleep(10 * SECOND).await;
        done().await
    });
    let continued = async {
        sleep(SECOND).await;
        world.suspend(ARN, "2").await;
    };
    let (zombie, ()) = tokio::join!(zombie, continued);
    assert!(matches!(zombie.unwrap_err(), Error::LeaseLost { .. }));
    assert_eq!(world.record().status, Status::InProgress);
}

#[tokio::test(start_paused = true)]
async fn lost_replies_are_recognised_by_the_attempt() {
    for (op, fault) in [
        (Op::Claim, Fault::LoseReplyAndRetry),
        (Op::Reenter, Fault::LoseReplyAndRetry),
        (Op::Complete, Fault::LoseReplyAndRetry),
    ] {
        for store in [FaultyStore::new(), FaultyStore::without_old_items()] {
            let world = World::new(store.fault(op, fault));
            world.suspend(ARN, "1").await;
            assert_eq!(world.run(ARN, "2", done()).await.unwrap(), "charged", "{op:?}");
            assert_eq!(world.record().status, Status::Completed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reentry_without_an_answer_releases_nothing() {
    for fault in [Fault::LoseReply, Fault::Fail(StoreErrorKind::Throttled), Fault::HangAfter] {
        let world = World::new(FaultyStore::new().fault(Op::Reenter, fault));
        world.suspend(ARN, "1").await;
        let error = world.run(ARN, "2", done()).await.unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
        assert_eq!(world.record().status, Status::InProgress);
        assert_eq!(world.run(ARN, "3", done()).await.unwrap(), "charged");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reentry_that_is_dropped_releases_nothing() {
    let world = World::new(FaultyStore::new().fault(Op::Reenter, Fault::HangAfter));
    world.suspend(ARN, "1").await;
    world.suspend(ARN, "2").await;
    assert_eq!(world.record().status, Status::InProgress);
    assert_eq!(world.run(ARN, "3", done()).await.unwrap(), "charged");
}

#[tokio::test(start_paused = true)]
async fn an_error_ends_the_claim_and_a_panic_does_not() {
    let world = World::new(FaultyStore::new());
    world.suspend(ARN, "1").await;
    let failed = async { Err(Error::Config("declined".to_owned())) };
    assert!(world.run(ARN, "2", failed).await.is_err());
    assert!(world.store.records().snapshot().is_empty());

    let panics = world.run(ARN, "3", async { panic!("a mistake") });
    assert!(std::panic::AssertUnwindSafe(panics).catch_unwind().await.is_err());
    // The invocation fails, and the execution continues.
    assert_eq!(world.record().status, Status::InProgress);
    assert!(world.run("another", "4", done()).await.is_err());
    assert_eq!(world.run(ARN, "5", done()).await.unwrap(), "charged");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_invocation_is_not_the_end_of_the_work() {
    let world = World::new(FaultyStore::new());
    let work = world.run(ARN, "1", async {
        sleep(60 * SECOND).await;
        done().await
    });
    // The guard around the handler.
    let invocation = world.invocation(ARN, "1");
    let guarded = powertools::Deadline::of(Some(invocation))
        .run(Duration::from_millis(500), async {
            work.await.map_err(|error| panic!("{error} would end the execution"))
        });
    let stopped: Result<String, deadline::Error> = guarded.await;
    assert!(matches!(stopped, Err(deadline::Error::OutOfTime { .. })));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(world.record().status, Status::InProgress);
    assert_eq!(world.run(ARN, "2", done()).await.unwrap(), "charged");
}

#[tokio::test(start_paused = true)]
async fn an_execution_that_never_ends_holds_its_key_for_the_lease() {
    let world = World::new(FaultyStore::new());
    world.suspend(ARN, "1").await;
    let end = world.record().in_progress_expiration;
    for day in 1..30 {
        sleep(DAY).await;
        world.suspend(ARN, &format!("day-{day}")).await;
        assert!(world.run("another", "2", done()).await.is_err());
    }
    assert_eq!(world.record().in_progress_expiration, end);
    sleep(DAY + 2 * SECOND).await;
    assert_eq!(world.run("another", "2", done()).await.unwrap(), "charged");
    assert_eq!(world.record().expiration, world.record().expiration.max(end.map(|end| end.ceil())));
}

#[tokio::test(start_paused = true)]
async fn work_that_continues_after_its_lease_is_stopped() {
    let world = World::with(FaultyStore::new(), |options| options.lease(60 * SECOND));
    world.suspend(ARN, "1").await;
    sleep(50 * SECOND).await;
    let slow = async {
        sleep(20 * SECOND).await;
        done().await
    };
    let error = world.run(ARN, "2", slow).await.unwrap_err();
    assert!(matches!(error, Error::LeaseExpired { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_passed_on_is_continued_too() {
    let world = World::new(FaultyStore::new());
    let call = || world.idempotency.operation("charge").key("order-7").unwrap();
    world
        .invocation(ARN, "1")
        .scope(async { assert!(matches!(call().claim::<u8>().await, Ok(Claimed::Lease(_)))) })
        .await;
    sleep(Duration::from_millis(1)).await;
    let completed = async {
        let Ok(Claimed::Lease(lease)) = call().claim::<u8>().await else { panic!("it is held") };
        lease.complete(&7).await
    };
    world.invocation(ARN, "2").scope(completed).await.unwrap();
    assert_eq!(world.record().status, Status::Completed);
}

#[tokio::test]
async fn a_lease_for_the_whole_execution_is_required() {
    let run = async |idempotency: &Idempotency<MemoryStore>| {
        let invocation = invocation().build();
        invocation.enter_execution(DurableExecution::new(ARN));
        let ran = invocation.scope(idempotency.run("charge", "order-7", done())).await;
        ran.unwrap_err().to_string()
    };
    let without = Idempotency::new(MemoryStore::new()).unwrap();
    assert!(run(&without).await.contains("set it with `lease`"));
    let renewed =
        Idempotency::builder(MemoryStore::new()).lease(DAY).renew_lease().build().unwrap();
    assert!(run(&renewed).await.contains("without `renew_lease`"));
}

#[tokio::test]
async fn a_store_that_cannot_continue_claims_is_refused_before_the_work() {
    let store = RedisStore::new("redis://127.0.0.1:1").unwrap();
    assert!(!store.supports_durable());
    let idempotency = Idempotency::builder(store).lease(DAY).build().unwrap();
    let invocation = invocation().build();
    invocation.enter_execution(DurableExecution::new(ARN));
    let work = async { panic!("it runs") };
    let ran = invocation.scope(idempotency.run("charge", "order-7", work)).await;
    let error: Error = Result::<String, Error>::unwrap_err(ran);
    assert!(error.to_string().contains("durable executions"), "{error}");
}
