//! What an interruption leaves behind: marks, fallbacks, held claims.

use std::future::pending;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lambda_runtime::LambdaEvent;
use powertools::deadline::DeadlineLayer;
use powertools::events::{SqsEvent, SqsRecord};
use powertools::idempotency::{
    self, Idempotency, IdempotencyLayer, MemoryStore, OnInterrupt, Replay, Status,
};
use powertools::logging::LoggingLayer;
use powertools::testing::{ManualClock, invocation};
use powertools::{Deadline, Invocation, batch, deadline};
use powertools_tests::faulty::{Fault, FaultyStore, Op};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tower::{Layer, Service, service_fn};

use super::{Duration, MILLI, SECOND, SystemTime, with_time};

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Deadline(#[from] deadline::Error),
    #[error(transparent)]
    Idempotency(#[from] idempotency::Error),
    #[error("{0}")]
    Business(&'static str),
}

/// An operation whose claims are held after an interruption.
fn holding(store: &FaultyStore) -> Idempotency<FaultyStore> {
    Idempotency::builder(store.clone()).lease(3600 * SECOND).build().unwrap()
}

fn claims(store: &FaultyStore) -> Vec<Status> {
    store.records().snapshot().into_iter().map(|(_, record)| record.status).collect()
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_held_when_a_guard_inside_stops_the_work() {
    let store = FaultyStore::new();
    let idempotency = holding(&store);
    let work = async { Deadline::current().run(SECOND, pending::<Result<u8, Failure>>()).await };
    let run = async { idempotency.run("charge", "order-1", work).await };
    let error = with_time(10 * SECOND).scope(run).await.unwrap_err();
    assert!(matches!(error, Failure::Deadline(deadline::Error::OutOfTime { .. })), "{error}");
    assert_eq!(claims(&store), [Status::InProgress]);
}

/// Nothing in the work was stopped, and its outcome is known, whatever the clock shows.
#[tokio::test(start_paused = true)]
async fn an_error_that_work_returns_by_itself_at_its_limit_or_later_is_no_interruption() {
    // One waits until the limit, the other blocks its thread beyond it.
    for (waits, blocks) in [(9500 * MILLI, Duration::ZERO), (SECOND, 60 * SECOND)] {
        let start = SystemTime::UNIX_EPOCH + 1_800_000_000 * SECOND;
        let clock = ManualClock::following_tokio(start);
        let event = || invocation().clock(&clock).remaining(10 * SECOND).build();
        let work = async || {
            sleep(waits).await;
            clock.advance(blocks);
            Err::<u8, _>(Failure::Business("no stock"))
        };
        let run = async { Deadline::current().run(500 * MILLI, work()).await };
        let error = event().scope(run).await.unwrap_err();
        assert!(matches!(error, Failure::Business("no stock")), "{error}");

        let fallback = |_| -> Result<u8, Failure> { panic!("nothing was stopped") };
        let run = async { Deadline::current().run_or(500 * MILLI, work(), fallback).await };
        let error = event().scope(run).await.unwrap_err();
        assert!(matches!(error, Failure::Business("no stock")), "{error}");

        let store = FaultyStore::new();
        let idempotency = holding(&store);
        let run = async { idempotency.run("charge", "order-1", work()).await };
        let error = event().scope(run).await.unwrap_err();
        assert!(matches!(error, Failure::Business("no stock")), "{error}");
        assert_eq!(claims(&store), [], "it is released, as after any error");
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_held_when_a_nested_operation_with_a_larger_reserve_is_stopped() {
    let store = FaultyStore::new();
    let outer = holding(&store);
    let inner = Idempotency::builder(MemoryStore::new()).save_reserve(2 * SECOND).build().unwrap();
    let nested = async { inner.run("ship", "order-1", pending::<Result<u8, Failure>>()).await };
    let run = async { outer.run("charge", "order-1", nested).await };
    let error = with_time(10 * SECOND).scope(run).await.unwrap_err();
    assert!(matches!(error, Failure::Idempotency(idempotency::Error::OutOfTime { .. })), "{error}");
    assert_eq!(claims(&store), [Status::InProgress]);
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_held_when_the_error_was_translated_on_its_way() {
    let store = FaultyStore::new();
    let idempotency = holding(&store);
    let work = async {
        let guarded = Deadline::current().run(SECOND, pending::<Result<u8, Failure>>());
        guarded.await.map_err(|_| Failure::Business("not charged"))
    };
    let run = async { idempotency.run("charge", "order-1", work).await };
    with_time(10 * SECOND).scope(run).await.unwrap_err();
    assert_eq!(claims(&store), [Status::InProgress]);
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_held_when_the_work_panics_over_an_interruption() {
    let store = FaultyStore::new();
    let idempotency = holding(&store);
    let work = async {
        let guarded = Deadline::current().run(SECOND, pending::<Result<u8, Failure>>());
        Ok::<_, Failure>(guarded.await.expect("an answer in time"))
    };
    let run = async { idempotency.run("charge", "order-1", work).await };
    AssertUnwindSafe(with_time(10 * SECOND).scope(run)).catch_unwind().await.unwrap_err();
    assert_eq!(claims(&store), [Status::InProgress]);
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_released_for_an_error_after_the_interruption_was_handled() {
    for is_handled in [false, true] {
        let store = FaultyStore::new();
        let idempotency = holding(&store);
        let work = async {
            let price = Deadline::current().run(8 * SECOND, pending::<Result<u8, Failure>>());
            price.await.unwrap_err();
            if is_handled {
                Invocation::interruption_handled();
            }
            Err::<u8, _>(Failure::Business("no stock"))
        };
        let run = async { idempotency.run("charge", "order-1", work).await };
        let error = with_time(10 * SECOND).scope(run).await.unwrap_err();
        assert!(matches!(error, Failure::Business("no stock")), "{error}");
        assert_eq!(claims(&store).len(), usize::from(!is_handled));
    }
}

#[tokio::test(start_paused = true)]
async fn work_that_continues_after_a_timeout_and_succeeds_is_completed() {
    let store = FaultyStore::new();
    let idempotency = holding(&store);
    let work = async {
        let price = Deadline::current().run(8 * SECOND, pending::<Result<u8, Failure>>());
        Ok::<_, Failure>(price.await.unwrap_or(10))
    };
    let run = async { idempotency.run("charge", "order-1", work).await };
    assert_eq!(with_time(10 * SECOND).scope(run).await.unwrap(), 10);
    assert_eq!(claims(&store), [Status::Completed]);
}

/// Guarded work that handles an interruption inside of it.
async fn handles_its_own() -> Result<u16, Failure> {
    let price = async {
        let price = Deadline::current().run(3 * SECOND, pending::<Result<u16, Failure>>());
        let price = price.await.unwrap_or(10);
        Invocation::interruption_handled();
        Ok(price)
    };
    Deadline::current().run(SECOND, price).await
}

#[tokio::test(start_paused = true)]
async fn work_that_handles_its_own_interruption_leaves_those_before_it_alone() {
    let store = FaultyStore::new();
    let idempotency = holding(&store);
    let work = async {
        let slow = pending::<Result<u16, Failure>>();
        let status = Deadline::current().run_or(5 * SECOND, slow, |_| Ok(202)).await?;
        assert_eq!(handles_its_own().await.unwrap(), 10);
        Ok::<_, Failure>(status)
    };
    let run = async { idempotency.run("charge", "order-1", work).await };
    assert_eq!(with_time(10 * SECOND).scope(run).await.unwrap(), 202);
    assert_eq!(claims(&store), [Status::InProgress], "the fallback is not the result");

    let store = FaultyStore::new();
    let idempotency = holding(&store);
    let work = async {
        let charged = Deadline::current().run(5 * SECOND, pending::<Result<u16, Failure>>()).await;
        assert_eq!(handles_its_own().await.unwrap(), 10);
        charged
    };
    let run = async { idempotency.run("charge", "order-1", work).await };
    with_time(10 * SECOND).scope(run).await.unwrap_err();
    assert_eq!(claims(&store), [Status::InProgress], "the outcome of the charge is unknown");
}

#[tokio::test(start_paused = true)]
async fn a_part_whose_interruption_was_handled_around_it_handles_no_other_one() {
    let store = FaultyStore::new();
    let idempotency = holding(&store);
    let work = async {
        let price = async {
            let price = Deadline::current().run(5 * SECOND, pending::<Result<u16, Failure>>());
            let price = price.await.unwrap_or(10);
            sleep(3 * SECOND).await;
            Invocation::interruption_handled();
            Ok::<_, Failure>(price)
        };
        let charge = async {
            sleep(6 * SECOND).await;
            Invocation::interruption_handled();
            Deadline::current().run(3 * SECOND, pending::<Result<u16, Failure>>()).await
        };
        let (price, charge) = tokio::join!(Deadline::current().run(SECOND, price), charge);
        assert_eq!(price.unwrap(), 10);
        charge
    };
    let run = async { idempotency.run("charge", "order-1", work).await };
    with_time(10 * SECOND).scope(run).await.unwrap_err();
    assert_eq!(claims(&store), [Status::InProgress], "the outcome of the charge is unknown");
}

#[tokio::test(start_paused = true)]
async fn an_interruption_that_a_part_has_handled_is_none_of_the_work_around_it() {
    let store = FaultyStore::new();
    let idempotency = holding(&store);
    let work = async {
        assert_eq!(handles_its_own().await.unwrap(), 10);
        Err::<u16, _>(Failure::Business("no stock"))
    };
    let run = async { idempotency.run("charge", "order-1", work).await };
    with_time(10 * SECOND).scope(run).await.unwrap_err();
    assert_eq!(claims(&store), [], "it is released, as after any error");
}

/// Where the deadline of a guard inside work comes from, or the layer of the service that has the guard and is
/// called before the work begins.
const PLACES: [&str; 6] = [
    "from inside the work",
    "from before it",
    "the guard is the work",
    "a time guard",
    "idempotency",
    "logging",
];

/// Returns work with such a guard, in an invocation.
fn guarded<T: Replay + Send + 'static>(
    place: &str,
    guard: fn(Deadline) -> BoxFuture<'static, Result<T, Failure>>,
) -> BoxFuture<'static, Result<T, Failure>> {
    let before = Deadline::current();
    let event = LambdaEvent::new((), lambda_runtime::Context::default());
    let handler =
        service_fn(move |_: LambdaEvent<()>| async move { guard(Deadline::current()).await });
    match place {
        "from inside the work" => async move { guard(Deadline::current()).await }.boxed(),
        "from before it" => async move { guard(before.reserving(MILLI)).await }.boxed(),
        "the guard is the work" => guard(before),
        "a time guard" => DeadlineLayer::new().reserve(MILLI).layer(handler).call(event).boxed(),
        "idempotency" => {
            let inner = Idempotency::new(MemoryStore::new()).unwrap();
            let key =
                |work: idempotency::Operation<'_, _>, _: &LambdaEvent<()>| work.key("order-1");
            IdempotencyLayer::new(inner, "ship", key).layer(handler).call(event)
        }
        _ => LoggingLayer::new().layer(handler).call(event),
    }
}

#[tokio::test(start_paused = true)]
async fn a_guard_inside_work_is_inside_it_wherever_its_deadline_is_from() {
    for place in PLACES {
        let store = FaultyStore::new();
        let idempotency = holding(&store);
        let run = async {
            let work = guarded(place, |deadline| {
                deadline.run(SECOND, pending::<Result<u8, Failure>>()).boxed()
            });
            idempotency.run("charge", "order-1", work).await
        };
        with_time(10 * SECOND).scope(run).await.unwrap_err();
        assert_eq!(claims(&store), [Status::InProgress], "{place}");
    }
}

/// The deadline is that of the event, and the record and the limit are those of the batch.
#[tokio::test(start_paused = true)]
async fn a_deadline_from_before_a_batch_knows_its_records() {
    let event = json!({"Records": [{"messageId": "m-1", "body": "7"}]});
    let event: SqsEvent = serde_json::from_value(event).unwrap();
    let run = async {
        let deadline = Deadline::current();
        let handler = async |_: SqsRecord| {
            let current = async {
                let current = Invocation::current().unwrap();
                Ok::<_, Failure>((current.record().unwrap().identifier, current.remaining()))
            };
            let ended = deadline.run(Duration::ZERO, current).await;
            assert_eq!(ended.unwrap().0, "m-1");
            let late = deadline.run(Duration::ZERO, pending::<Result<(), Failure>>()).await;
            late.unwrap_err();
            Ok::<_, Failure>(())
        };
        batch::sqs(event).reserve(3 * SECOND).run(handler).await
    };
    let start = Instant::now();
    let report = with_time(10 * SECOND).scope(run).await;
    assert!(report.is_done());
    assert_eq!(start.elapsed(), 7 * SECOND - 10 * MILLI, "it ends before the batch");
}

#[tokio::test(start_paused = true)]
async fn a_fallback_inside_idempotent_work_is_passed_on_and_not_stored() {
    let policies = [OnInterrupt::Release, OnInterrupt::Hold];
    for (policy, place) in policies.into_iter().flat_map(|it| PLACES.map(|place| (it, place))) {
        let store = FaultyStore::new();
        let options = Idempotency::builder(store.clone()).on_interrupt(policy);
        let idempotency = options.build().unwrap();
        let run = async {
            let work = guarded(place, |deadline| {
                let slow = pending::<Result<u16, Failure>>();
                deadline.run_or(SECOND, slow, |_| Ok(202)).boxed()
            });
            idempotency.run("charge", "order-1", work).await
        };
        assert_eq!(with_time(10 * SECOND).scope(run).await.unwrap(), 202);
        let held = policy == OnInterrupt::Hold;
        assert_eq!(claims(&store).len(), usize::from(held));
        if !held {
            let again = idempotency.run("charge", "order-1", async { Ok::<_, Failure>(200) });
            assert_eq!(again.await.unwrap(), 200, "the event that comes again runs");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallback_inside_a_short_lease_is_in_time() {
    let (store, start) = (FaultyStore::new(), Instant::now());
    let idempotency = Idempotency::builder(store.clone()).lease(SECOND).build().unwrap();
    let work = async {
        let slow = pending::<Result<u16, Failure>>();
        Deadline::current().run_or(SECOND, slow, |_| Ok(202)).await
    };
    let run = async { idempotency.run("charge", "order-1", work).await };
    assert_eq!(with_time(10 * SECOND).scope(run).await.unwrap(), 202);
    assert_eq!(start.elapsed(), SECOND - 10 * MILLI);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_the_work_has_handled_is_a_part_of_its_result() {
    let store = FaultyStore::new();
    let idempotency = holding(&store);
    let work = async {
        let slow = pending::<Result<u16, Failure>>();
        let price = Deadline::current().run_or(8 * SECOND, slow, |_| Ok(10)).await?;
        Invocation::interruption_handled();
        Ok::<_, Failure>(price * 2)
    };
    let run = async { idempotency.run("charge", "order-1", work).await };
    assert_eq!(with_time(10 * SECOND).scope(run).await.unwrap(), 20);
    assert_eq!(claims(&store), [Status::Completed]);
}

/// Work that ends in the same poll counts as stopped if its result is an interruption.
#[tokio::test(start_paused = true)]
async fn a_fallback_around_idempotent_work_is_returned_however_fast_the_claim_is_released() {
    for (release, policy) in [
        (Fault::None, OnInterrupt::Release),
        (Fault::Slow(100 * MILLI), OnInterrupt::Release),
        (Fault::Hang, OnInterrupt::Release),
        (Fault::None, OnInterrupt::Hold),
    ] {
        let store = FaultyStore::new().fault(Op::Release, release);
        let options = Idempotency::builder(store.clone()).on_interrupt(policy);
        let idempotency = options.build().unwrap();
        for reserve in [500 * MILLI, SECOND] {
            let work = idempotency.run("charge", "order-1", pending::<Result<u16, Failure>>());
            let deadline = Deadline::of(Some(with_time(10 * SECOND)));
            let answer = deadline.run_or(reserve, work, |error| {
                assert!(matches!(error, deadline::Error::OutOfTime { .. }), "{error}");
                Ok(202)
            });
            assert_eq!(answer.await.unwrap(), 202, "{release:?}, {policy:?}, {reserve:?}");
            store.records().snapshot().iter().for_each(|(key, _)| {
                store.records().remove(key);
            });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallback_is_returned_if_no_time_remains_to_claim() {
    let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
    let invocation = with_time(10 * SECOND);
    let work = async {
        sleep(9 * SECOND).await;
        idempotency.run("charge", "order-1", async { Ok::<u16, Failure>(200) }).await
    };
    let deadline = Deadline::of(Some(invocation));
    let late = Idempotency::builder(MemoryStore::new()).save_reserve(2 * SECOND).build().unwrap();
    assert_eq!(deadline.run_or(SECOND, work, |_| Ok(202)).await.unwrap(), 202);

    let work = async { late.run("charge", "order-1", async { Ok::<u16, Failure>(200) }).await };
    let deadline = Deadline::of(Some(with_time(SECOND + 900 * MILLI)));
    assert_eq!(deadline.run_or(500 * MILLI, work, |_| Ok(202)).await.unwrap(), 202);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_is_returned_if_the_work_finds_too_little_time() {
    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    let work = async {
        Deadline::current().ensure(60 * SECOND).map_err(|_| Failure::Business("too late"))?;
        Ok::<u16, Failure>(200)
    };
    assert_eq!(deadline.run_or(SECOND, work, |_| Ok(202)).await.unwrap(), 202);

    let work = async {
        assert!(Deadline::current().ensure(60 * SECOND).is_err());
        Ok::<u16, Failure>(200)
    };
    assert_eq!(deadline.run_or(SECOND, work, |_| Ok(202)).await.unwrap(), 200, "it has a result");

    let work = async {
        let mut items = Deadline::current().items([1, 2], 60 * SECOND);
        assert_eq!((items.next(), items.rest().count()), (None, 2));
        Err::<u16, _>(Failure::Business("no stock"))
    };
    let error = deadline.run_or(SECOND, work, |_| Ok(202)).await.unwrap_err();
    assert!(matches!(error, Failure::Business("no stock")), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_fallback_is_returned_if_idempotent_work_finds_too_little_time() {
    let store = FaultyStore::new();
    let idempotency = holding(&store);
    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    let work = idempotency.run("charge", "order-1", async {
        Deadline::current().ensure(60 * SECOND).map_err(|_| Failure::Business("too late"))?;
        Ok::<u16, Failure>(200)
    });
    assert_eq!(deadline.run_or(SECOND, work, |_| Ok(202)).await.unwrap(), 202);
    assert_eq!(claims(&store), [], "nothing was stopped");

    let work = idempotency.run("charge", "order-1", async {
        Deadline::current().ensure(60 * SECOND).expect("enough time");
        Ok::<u16, Failure>(200)
    });
    let work = AssertUnwindSafe(work).catch_unwind();
    let work = work.map(|ended| ended.unwrap_or(Err(Failure::Business("it panicked"))));
    assert_eq!(deadline.run_or(SECOND, work, |_| Ok(202)).await.unwrap(), 202);
    assert_eq!(claims(&store), [], "nothing was stopped");

    let late = Idempotency::builder(MemoryStore::new()).save_reserve(2 * SECOND).build().unwrap();
    let work = idempotency.run("order", "order-1", async {
        sleep(8500 * MILLI).await;
        let charge = late.run("charge", "order-1", async { Ok::<u16, Failure>(200) });
        charge.await.map_err(|_| Failure::Business("too late"))
    });
    assert_eq!(deadline.run_or(SECOND, work, |_| Ok(202)).await.unwrap(), 202);
    assert_eq!(claims(&store), [], "nothing was stopped");
}

#[tokio::test(start_paused = true)]
async fn an_error_before_the_limit_is_not_an_interruption() {
    let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
    let work = async { Err::<u16, _>(Failure::Business("no stock")) };
    let work = idempotency.run("charge", "order-1", work);
    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    let error = deadline.run_or(SECOND, work, |_| Ok(202)).await.unwrap_err();
    assert!(matches!(error, Failure::Business("no stock")), "{error}");
}

#[tokio::test(start_paused = true)]
async fn work_that_was_done_in_time_may_be_saved_until_shortly_before_the_deadline() {
    for (save, is_saved) in [(450 * MILLI, true), (500 * MILLI, false)] {
        let store = FaultyStore::new().fault(Op::Complete, Fault::Slow(save));
        let idempotency = Idempotency::new(store.clone()).unwrap();
        let work = async {
            sleep(9490 * MILLI).await;
            Ok::<_, Failure>("charged".to_owned())
        };
        let work = idempotency.run("charge", "order-1", work);
        let outcome = Deadline::of(Some(with_time(10 * SECOND))).run(500 * MILLI, work).await;
        match outcome {
            Ok(result) => assert!(is_saved && result == "charged"),
            Err(Failure::Idempotency(idempotency::Error::NotSaved { .. })) => assert!(!is_saved),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn marks_of_one_record_leave_the_claim_of_another_alone() {
    let store = FaultyStore::new();
    let idempotency = holding(&store);
    let event = with_time(10 * SECOND);
    let stopped = event.clone().scope(async {
        let work =
            async { Deadline::current().run(2 * SECOND, pending::<Result<u8, Failure>>()).await };
        idempotency.run("charge", "order-1", work).await
    });
    let failed = event.clone().scope(async {
        let work = async {
            sleep(9 * SECOND).await;
            Err::<u8, _>(Failure::Business("no stock"))
        };
        idempotency.run("charge", "order-2", work).await
    });
    let (stopped, failed) = tokio::join!(stopped, failed);
    stopped.unwrap_err();
    failed.unwrap_err();
    assert_eq!(claims(&store).len(), 1, "the one that was stopped");
}
