//! Idempotent work under a time guard: its claim is released.

use std::future::pending;

use powertools::idempotency::{self, Idempotency, MemoryStore, OnInterrupt};
use powertools::{Deadline, deadline};
use powertools_tests::faulty::{Fault, FaultyStore, Op};
use tokio::time::{Instant, sleep};

use super::{MILLI, SECOND, with_time};

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Deadline(#[from] deadline::Error),
    #[error(transparent)]
    Idempotency(#[from] idempotency::Error),
}

/// Work that stops at the limit of a guard needs time after it for its claim. Without the guard's wait
/// for clean-up it would be dropped while the store still has the claim.
#[tokio::test(start_paused = true)]
async fn work_stops_at_the_limit_of_a_guard_and_releases_its_claim() {
    let store = FaultyStore::new().fault(Op::Release, Fault::Slow(200 * MILLI));
    let idempotency = Idempotency::new(store.clone()).unwrap();
    let start = Instant::now();
    let work = idempotency.run("charge", "order-1", pending::<Result<String, Failure>>());
    let error = Deadline::of(Some(with_time(10 * SECOND))).run(2 * SECOND, work).await.unwrap_err();

    let Failure::Idempotency(error) = error else { panic!("the error names the key: {error}") };
    assert!(matches!(error, idempotency::Error::OutOfTime { .. }), "{error}");
    assert_eq!(start.elapsed(), 8 * SECOND + 200 * MILLI, "when the claim was released, not later");
    assert_eq!(store.calls(), [Op::Claim, Op::Release]);
    assert!(store.records().snapshot().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_cannot_be_released_within_half_of_the_reserve_delays_nothing_further() {
    let store = FaultyStore::new().fault(Op::Release, Fault::Hang);
    let idempotency = Idempotency::new(store).unwrap();
    let start = Instant::now();
    let work = idempotency.run("charge", "order-1", pending::<Result<String, Failure>>());
    let error = Deadline::of(Some(with_time(10 * SECOND))).run(2 * SECOND, work).await.unwrap_err();
    assert!(matches!(error, Failure::Deadline(deadline::Error::OutOfTime { .. })), "{error}");
    assert_eq!(start.elapsed(), 9 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn work_that_ends_in_time_and_is_saved_late_returns_its_result() {
    let store = FaultyStore::new().fault(Op::Complete, Fault::Slow(500 * MILLI));
    let idempotency = Idempotency::new(store).unwrap();
    let work = async {
        sleep(7900 * MILLI).await;
        Ok::<_, Failure>("charged".to_owned())
    };
    let work = idempotency.run("charge", "order-1", work);
    let done = Deadline::of(Some(with_time(10 * SECOND))).run(2 * SECOND, work).await;
    assert_eq!(done.unwrap(), "charged");
}

#[tokio::test(start_paused = true)]
async fn a_guard_inside_idempotent_work_leaves_it_its_whole_reserve() {
    let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
    let work = async { Deadline::current().run(SECOND, pending()).await };
    let run = async { idempotency.run("charge", "order-1", work).await };
    let outcome: Result<String, Failure> = with_time(10 * SECOND).scope(run).await;
    let Err(Failure::Deadline(error)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.remaining(), SECOND);

    let again = async { Ok::<_, Failure>("charged".to_owned()) };
    assert_eq!(idempotency.run("charge", "order-1", again).await.unwrap(), "charged");
}

#[tokio::test(start_paused = true)]
async fn a_fallback_around_idempotent_work_is_returned_after_its_claim_is_released() {
    let store = FaultyStore::new().fault(Op::Release, Fault::Slow(200 * MILLI));
    let idempotency = Idempotency::new(store.clone()).unwrap();
    let work = idempotency.run("charge", "order-1", pending::<Result<String, Failure>>());
    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    let answer = deadline.run_or(2 * SECOND, work, |_| Ok("accepted".to_owned())).await;
    assert_eq!(answer.unwrap(), "accepted");
    assert!(store.records().snapshot().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_held_if_the_option_holds_it() {
    let store = MemoryStore::new();
    let options = Idempotency::builder(store.clone()).on_interrupt(OnInterrupt::Hold);
    let idempotency = options.build().unwrap();
    let work = idempotency.run("charge", "order-1", pending::<Result<String, Failure>>());
    let start = Instant::now();
    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    deadline.run(2 * SECOND, work).await.unwrap_err();
    assert_eq!(start.elapsed(), 8 * SECOND, "there is nothing to wait for");
    assert_eq!(store.snapshot().len(), 1);
}
