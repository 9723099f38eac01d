//! The rules of the guards, in paused time.

use std::cell::Cell;
use std::future::{pending, ready};
use std::sync::Arc;
use std::task::Poll;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lambda_runtime::LambdaEvent;
use powertools::deadline::DeadlineLayer;
use powertools::deadline::Error;
use powertools::testing::{ManualClock, event, invocation};
use powertools::{Deadline, Invocation};
use tokio::time::{Instant, sleep};
use tower::{ServiceBuilder, ServiceExt};

use super::{Duration, MILLI, SECOND, SystemTime, with_time};

type Outcome = Result<&'static str, Error>;

async fn done_after(time: Duration) -> Outcome {
    sleep(time).await;
    Ok("done")
}

#[tokio::test(start_paused = true)]
async fn work_is_stopped_the_reserve_before_the_deadline() {
    let start = Instant::now();
    let run = async { Deadline::current().run(SECOND, done_after(60 * SECOND)).await };
    let outcome = with_time(10 * SECOND).scope(run).await;
    assert_eq!(outcome, Err(Error::OutOfTime { remaining: SECOND }));
    assert_eq!(start.elapsed(), 9 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn work_that_fits_is_not_stopped() {
    let run = async { Deadline::current().run(SECOND, done_after(9 * SECOND - MILLI)).await };
    assert_eq!(with_time(10 * SECOND).scope(run).await, Ok("done"));
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_work_pass_through_unchanged() {
    #[derive(Debug, PartialEq)]
    enum Failure {
        Own(u32),
        Deadline(Error),
    }
    impl From<Error> for Failure {
        fn from(error: Error) -> Self {
            Self::Deadline(error)
        }
    }

    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    let own = deadline.run(SECOND, ready(Err::<(), _>(Failure::Own(7)))).await;
    assert_eq!(own, Err(Failure::Own(7)));
    let stopped = deadline.run(SECOND, pending::<Result<(), Failure>>()).await;
    assert_eq!(stopped, Err(Failure::Deadline(Error::OutOfTime { remaining: SECOND })));
}

#[tokio::test(start_paused = true)]
async fn stopped_work_is_dropped_before_the_error_is_returned() {
    let held = Arc::new(());
    let own = held.clone();
    let work = async move {
        let _own = own;
        pending::<Outcome>().await
    };
    let mut run = Box::pin(Deadline::of(Some(with_time(3 * SECOND))).run(SECOND, work));
    (&mut run).await.unwrap_err();
    assert_eq!(Arc::strong_count(&held), 1, "while the guard itself is still there");
}

#[tokio::test(start_paused = true)]
async fn work_is_not_started_when_no_time_remains() {
    let is_begun = Cell::new(false);
    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    sleep(9 * SECOND).await;
    let work = async {
        is_begun.set(true);
        Ok::<_, Error>(())
    };
    sleep(500 * MILLI).await;
    let error = Error::NoTime { needed: Duration::ZERO, reserve: SECOND, remaining: 500 * MILLI };
    assert_eq!(deadline.run(SECOND, work).await, Err(error));
    assert!(!is_begun.get());
}

#[tokio::test(start_paused = true)]
async fn an_estimate_that_does_not_fit_is_rejected_with_the_remaining_time() {
    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    assert_eq!(deadline.remaining(), 10 * SECOND);
    assert_eq!(deadline.ensure(10 * SECOND), Ok(()));
    let (needed, remaining) = (11 * SECOND, 10 * SECOND);
    let refused = Error::NoTime { needed, reserve: Duration::ZERO, remaining };
    assert_eq!(deadline.ensure(needed), Err(refused));

    let kept = deadline.reserving(4 * SECOND);
    assert_eq!(kept.remaining(), 6 * SECOND);
    let refused = Error::NoTime { needed: 7 * SECOND, reserve: 4 * SECOND, remaining };
    assert_eq!(kept.ensure(7 * SECOND), Err(refused));

    sleep(11 * SECOND).await;
    assert_eq!(deadline.remaining(), Duration::ZERO);
    assert!(deadline.ensure(Duration::ZERO).is_err(), "not even nothing fits");
}

#[tokio::test(start_paused = true)]
async fn a_reserve_over_half_of_the_time_is_cut_to_half() {
    for reserve in [6 * SECOND, 10 * SECOND, 99 * SECOND] {
        let start = Instant::now();
        let deadline = Deadline::of(Some(with_time(10 * SECOND)));
        let error = deadline.run(reserve, done_after(60 * SECOND)).await.unwrap_err();
        assert_eq!(error, Error::OutOfTime { remaining: 5 * SECOND });
        assert_eq!(start.elapsed(), 5 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn half_of_the_time_is_half_of_the_whole_even_late_in_the_invocation() {
    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    sleep(7 * SECOND).await;
    let error = deadline.run(2 * SECOND, done_after(60 * SECOND)).await.unwrap_err();
    assert_eq!(error, Error::OutOfTime { remaining: 2 * SECOND });
}

#[tokio::test(start_paused = true)]
async fn a_reserve_of_zero_stops_at_the_deadline_itself() {
    let start = Instant::now();
    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    let error = deadline.run(Duration::ZERO, done_after(60 * SECOND)).await.unwrap_err();
    assert_eq!(error, Error::OutOfTime { remaining: Duration::ZERO });
    assert_eq!(start.elapsed(), 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn outside_an_invocation_there_is_no_limit() {
    let deadline = Deadline::current();
    assert_eq!(deadline.remaining(), Duration::MAX);
    assert_eq!(deadline.ensure(Duration::MAX), Ok(()));
    assert_eq!(deadline.run(SECOND, done_after(3600 * SECOND)).await, Ok("done"));
    assert_eq!(deadline.reserving(SECOND).items([1, 2, 3], SECOND).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_work_sees_the_limit_that_it_has() {
    let work = async { Ok::<_, Error>(Deadline::current().remaining()) };
    let left = Deadline::of(Some(with_time(10 * SECOND))).run(3 * SECOND, work).await;
    assert_eq!(left, Ok(7 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn the_fallback_of_an_inner_guard_comes_before_an_outer_one_of_the_same_reserve() {
    let inner = async {
        Deadline::current()
            .run_or(SECOND, pending::<Outcome>(), |error| {
                assert_eq!(error.remaining(), SECOND + 10 * MILLI);
                Ok("accepted")
            })
            .await
    };
    let outcome = Deadline::of(Some(with_time(10 * SECOND))).run(SECOND, inner).await;
    assert_eq!(outcome, Ok("accepted"));
}

#[tokio::test(start_paused = true)]
async fn an_inner_guard_cannot_outlast_an_outer_one() {
    let start = Instant::now();
    let inner = async { Deadline::current().run(MILLI, pending::<Outcome>()).await };
    let outcome = Deadline::of(Some(with_time(10 * SECOND))).run(2 * SECOND, inner).await;
    assert_eq!(outcome, Err(Error::OutOfTime { remaining: 2 * SECOND + 10 * MILLI }));
    assert_eq!(start.elapsed(), 8 * SECOND - 10 * MILLI);
}

/// Each guard ends a step before the one around it, but a quarter of the time remains for the work.
#[tokio::test(start_paused = true)]
async fn guards_within_guards_leave_a_quarter_of_the_time_to_the_work() {
    fn nest(depth: u32) -> BoxFuture<'static, Outcome> {
        async move {
            match depth {
                0 => pending().await,
                _ => Deadline::current().run(350 * MILLI, nest(depth - 1)).await,
            }
        }
        .boxed()
    }
    let start = Instant::now();
    let outcome = with_time(700 * MILLI).scope(nest(60)).await;
    assert_eq!(outcome, Err(Error::OutOfTime { remaining: 525 * MILLI }));
    assert_eq!(start.elapsed(), 175 * MILLI);
}

#[tokio::test(start_paused = true)]
async fn work_that_cleans_up_has_half_of_the_reserve_for_it() {
    for (cleanup, stopped_at, outcome) in [
        (900 * MILLI, 8900 * MILLI, Ok("cleaned up")),
        (1100 * MILLI, 9000 * MILLI, Err(Error::OutOfTime { remaining: SECOND })),
    ] {
        let start = Instant::now();
        let work = async {
            let _guard = Invocation::current().unwrap().cleanup_guard();
            sleep(8 * SECOND + cleanup).await;
            Ok::<_, Error>("cleaned up")
        };
        let deadline = Deadline::of(Some(with_time(10 * SECOND)));
        assert_eq!(deadline.run(2 * SECOND, work).await, outcome);
        assert_eq!(start.elapsed(), stopped_at);
    }
}

#[tokio::test(start_paused = true)]
async fn clean_up_around_a_guard_or_concurrent_with_it_does_not_delay_it() {
    let invocation = with_time(10 * SECOND);
    let _around = invocation.cleanup_guard();
    let deadline = Deadline::of(Some(invocation));
    let beside = deadline.run(SECOND, async {
        let _guard = Invocation::current().unwrap().cleanup_guard();
        pending::<Outcome>().await
    });
    let plain = async {
        let start = Instant::now();
        deadline.run(2 * SECOND, pending::<Outcome>()).await.unwrap_err();
        start.elapsed()
    };
    let (_, took) = tokio::join!(beside, plain);
    assert_eq!(took, 8 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_function_can_return_after_its_clean_up() {
    let work = async {
        let guard = Invocation::current().unwrap().cleanup_guard();
        sleep(8 * SECOND + 100 * MILLI).await;
        drop(guard);
        done_after(100 * MILLI).await
    };
    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    assert_eq!(deadline.run(2 * SECOND, work).await, Ok("done"));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_work_that_cleaned_up_is_returned_or_replaced_by_the_fallback() {
    #[derive(Debug, PartialEq)]
    struct Stopped(&'static str);
    impl From<Error> for Stopped {
        fn from(_: Error) -> Self {
            Self("by the guard")
        }
    }
    async fn work() -> Result<&'static str, Stopped> {
        let _guard = Invocation::current().unwrap().cleanup_guard();
        sleep(8 * SECOND + 100 * MILLI).await;
        Err(Stopped("by itself"))
    }

    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    assert_eq!(deadline.run(2 * SECOND, work()).await, Err(Stopped("by itself")));
    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    let fallback = deadline.run_or(2 * SECOND, work(), |_| Ok("accepted"));
    assert_eq!(fallback.await, Ok("accepted"));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_replaces_neither_a_result_nor_an_error_in_time() {
    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    let fallback = |_| -> Result<&'static str, u32> { panic!("there is time") };
    assert_eq!(deadline.run_or(SECOND, ready(Ok("done")), fallback).await, Ok("done"));
    assert_eq!(deadline.run_or(SECOND, ready(Err(7)), fallback).await, Err(7));
}

#[tokio::test(start_paused = true)]
async fn items_are_yielded_while_there_is_time_and_the_rest_is_kept() {
    let deadline = Deadline::of(Some(with_time(10 * SECOND))).reserving(SECOND);
    let mut items = deadline.items(1..=10, 2 * SECOND);
    let mut taken = Vec::new();
    for item in &mut items {
        sleep(2 * SECOND).await;
        taken.push(item);
    }
    assert_eq!(taken, [1, 2, 3, 4], "a fifth would need two of the one second left");
    assert_eq!(items.rest().collect::<Vec<_>>(), [5, 6, 7, 8, 9, 10]);
}

#[tokio::test(start_paused = true)]
async fn without_an_estimate_items_are_yielded_until_no_time_remains() {
    let deadline = Deadline::of(Some(with_time(10 * SECOND)));
    let mut items = deadline.items(1.., Duration::ZERO);
    for _ in &mut items {
        sleep(3 * SECOND).await;
    }
    assert_eq!(items.rest().next(), Some(5));
}

/// In real time: paused time does not advance while there is something to do.
#[tokio::test]
async fn work_that_never_waits_is_stopped_too() {
    let busy = async {
        let start = std::time::Instant::now();
        while start.elapsed() < 10 * SECOND {
            // Uses up its turn, so that nothing else in this task gets one by itself.
            tokio::task::coop::consume_budget().await;
        }
        Ok("never stopped")
    };
    let invocation = invocation().remaining(400 * MILLI).build();
    let outcome: Outcome = Deadline::of(Some(invocation)).run(200 * MILLI, busy).await;
    assert!(matches!(outcome, Err(Error::OutOfTime { .. })), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn the_remaining_time_is_measured_by_the_clock_of_the_invocation() {
    // Half of the time has gone by a clock that tokio does not know.
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH + SECOND);
    let invocation = invocation().clock(&clock).remaining(10 * SECOND).build();
    clock.advance(5 * SECOND);
    let start = Instant::now();
    let run = Deadline::of(Some(invocation)).run(SECOND, pending::<Outcome>());
    run.await.unwrap_err();
    assert_eq!(start.elapsed(), 4 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_layer_stops_its_handler_and_keeps_the_types() {
    let service = ServiceBuilder::new().layer(DeadlineLayer::new().reserve(SECOND)).service_fn(
        async |event: LambdaEvent<Duration>| -> Outcome { done_after(event.payload).await },
    );
    let invocation = with_time(3 * SECOND);
    let quick = invocation.clone().scope(service.clone().oneshot(event(SECOND))).await;
    assert_eq!(quick, Ok("done"));
    let slow = invocation.scope(service.oneshot(event(60 * SECOND))).await;
    assert_eq!(slow, Err(Error::OutOfTime { remaining: SECOND }));
}

#[tokio::test(start_paused = true)]
async fn a_layer_finds_the_deadline_in_the_event_when_nothing_else_set_it() {
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new())
        .service_fn(async |_: LambdaEvent<()>| Ok::<_, Error>(Deadline::current().remaining()));
    let event = invocation().remaining(10 * SECOND).event(());
    let left = service.oneshot(event).await.unwrap();
    assert!(left > 9 * SECOND && left <= 9500 * MILLI, "{left:?}");
}

#[test]
fn the_pieces_can_go_to_other_threads_and_be_cloned() {
    fn is_clone_send<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn is_send<T: Send>(_: &T) {}
    is_clone_send(&Deadline::current());
    is_clone_send(&DeadlineLayer::new());
    is_clone_send(&Deadline::current().items(0..3, SECOND));
    is_send(&Deadline::current().run(SECOND, ready(Ok::<_, Error>(()))));
    is_send(&Deadline::current().run_or(SECOND, ready(Ok::<_, Error>(())), |_| Ok(())));
}

#[test]
fn a_guard_adds_little_to_the_size_of_its_work() {
    async fn large() -> Result<u8, Error> {
        let block = [1_u8; 6000];
        std::future::poll_fn(|_| Poll::Ready(())).await;
        Ok(block[0])
    }
    let alone = size_of_val(&large());
    let guarded = size_of_val(&Deadline::current().run(SECOND, large()));
    assert!(guarded <= alone + 300, "{alone} bytes became {guarded}");
    let inside = size_of_val(&async { Deadline::current().run(SECOND, large()).await });
    assert!(inside <= guarded + 100, "{guarded} bytes became {inside} in a function");
}

#[test]
fn errors_have_names_that_do_not_change() {
    let (needed, reserve, remaining) = (SECOND, 500 * MILLI, 620 * MILLI);
    for (error, name, message) in [
        (
            Error::OutOfTime { remaining },
            "Powertools.DeadlineOutOfTime",
            "the work was stopped 620ms before the deadline of the invocation",
        ),
        (
            Error::NoTime { needed, reserve, remaining },
            "Powertools.DeadlineNoTime",
            "the work needs 1s and was not started: the invocation has 620ms left and keeps the last \
             500ms in reserve",
        ),
        (
            Error::NoTime { needed: Duration::ZERO, reserve, remaining },
            "Powertools.DeadlineNoTime",
            "the work was not started: the invocation has 620ms left and keeps the last 500ms in \
             reserve",
        ),
    ] {
        assert_eq!(error.error_type(), name);
        assert_eq!(error.remaining(), remaining);
        assert!(error.is_retryable());
        let diagnostic = lambda_runtime::Diagnostic::from(error);
        assert_eq!((&*diagnostic.error_type, &*diagnostic.error_message), (name, message));
    }
}
