//! Faults, scripted and random.

use std::cell::Cell;
use std::collections::HashSet;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use powertools::Invocation;
use powertools::testing::events::{self, SqsMessage};
use powertools::testing::{End, EventSource, History, ManualClock, Point, Sqs};
use serde_json::Value;

use super::{Event, SECOND, deliveries, ends, ids};

#[tokio::test]
async fn a_crash_is_at_the_point_that_was_chosen() {
    let cases: [(Point, &[&str]); 4] = [
        (Point::Start, &[]),
        (Point::Await(1), &["one"]),
        (Point::Await(2), &["one", "two"]),
        (Point::Reply, &["one", "two", "three"]),
    ];
    for (point, before) in cases {
        let history = steps(source(1).crash_at(1, point)).await;
        assert_eq!(ends(&history), [&End::Crashed(point), &End::Replied(vec![])]);
        let expected = [before, &["one", "two", "three"]].concat();
        assert_eq!(history.effects(), expected, "{history}");
        assert_eq!(history.done(), ["m1"]);
    }
}

#[tokio::test]
async fn a_function_that_ends_before_its_crash_crashes_at_the_reply() {
    let history = steps(source(1).crash_at(1, Point::Await(9))).await;
    assert_eq!(history.end(1), Some(&End::Crashed(Point::Reply)));
    assert_eq!(history.deliveries_of("m1").count(), 2);
}

#[tokio::test]
async fn a_crash_drops_the_work_or_leaves_it_as_a_killed_process_does() {
    struct Guard(Rc<Cell<u32>>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let dropped = Rc::new(Cell::new(0));
    let function = async |_: Event| {
        let _guard = Guard(dropped.clone());
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(())
    };
    source(1).crash_at(1, Point::Await(1)).run(&function).await;
    assert_eq!(dropped.take(), 2);
    source(1).crash_at(1, Point::Await(1)).kill_without_drop().run(&function).await;
    assert_eq!(dropped.take(), 1);
}

#[tokio::test]
async fn a_timeout_by_script_takes_the_whole_timeout_of_the_function() {
    let source = source(1).timeout(7 * SECOND).time_out_at(1, Point::Await(1));
    let history = steps(source).await;
    assert_eq!(history.end(1), Some(&End::TimedOut));
    let ended = history.steps().iter().find(|step| format!("{step:?}").contains("TimedOut"));
    assert_eq!(ended.unwrap().at, 7 * SECOND);
    assert_eq!(history.effects(), ["one", "one", "two", "three"]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_sleeps_too_long_times_out() {
    let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH);
    let first = Cell::new(true);
    let history = source(1)
        .clock(&clock)
        .timeout(5 * SECOND)
        .run(async |_: Event| {
            let work = if first.take() { 5 * SECOND } else { 4 * SECOND };
            tokio::time::sleep(work).await;
            Ok::<_, Infallible>(())
        })
        .await;
    assert_eq!(ends(&history), [&End::TimedOut, &End::Replied(vec![])]);
}

#[tokio::test]
async fn a_function_that_moves_the_clock_past_its_deadline_times_out() {
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
    let first = Cell::new(true);
    let history = source(1)
        .clock(&clock)
        .timeout(5 * SECOND)
        .run(async |_: Event| {
            let remaining = Invocation::current().unwrap().remaining();
            assert_eq!(remaining, 5 * SECOND);
            clock.advance(if first.take() { remaining } else { remaining - SECOND });
            Ok::<_, Infallible>(())
        })
        .await;
    assert_eq!(ends(&history), [&End::TimedOut, &End::Replied(vec![])]);
}

#[tokio::test]
async fn a_standard_queue_duplicates_messages_during_and_after_the_invocation() {
    let overlaps = |most| async move {
        let running = Cell::new(0);
        let overlapped = Cell::new(false);
        let history = source(1)
            .maximum_concurrency(most)
            .duplicate_at(1)
            .run(async |_: Event| {
                running.set(running.get() + 1);
                tokio::task::yield_now().await;
                overlapped.set(overlapped.get() || running.get() > 1);
                running.set(running.get() - 1);
                Ok::<_, Infallible>(())
            })
            .await;
        assert_eq!(history.deliveries_of("m1").count(), 2);
        assert_eq!(history.done(), ["m1"]);
        overlapped.get()
    };
    assert!(overlaps(5).await);
    assert!(!overlaps(1).await);
}

#[tokio::test]
async fn a_duplicate_never_takes_a_message_to_the_dead_letter_queue() {
    let history =
        source(1).max_receive_count(1).duplicate_at(1).run(async |_: Event| succeed()).await;
    assert_eq!(history.deliveries_of("m1").count(), 1);
    assert_eq!(history.done(), ["m1"]);
}

#[tokio::test]
async fn a_fifo_queue_duplicates_by_losing_the_reply() {
    let queue = events::sqs("orders.fifo").message(SqsMessage::from("a").id("m1"));
    let history = EventSource::sqs(queue).duplicate_at(1).run(async |_: Event| succeed()).await;
    assert_eq!(ends(&history), [&End::ReplyLost, &End::Replied(vec![])]);
    let at: Vec<_> = deliveries(&history).into_iter().map(|(at, _)| at).collect();
    assert_eq!(at, [Duration::ZERO, 30 * SECOND]);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_history_and_another_a_different_one() {
    let run = |seed| {
        let source = source(30)
            .seed(seed)
            .irregular_batches()
            .crashes(0.2)
            .timeouts(0.1)
            .duplicates(0.2)
            .max_receive_count(4);
        steps(source)
    };
    let mut different = 0;
    for seed in 0..20 {
        let (one, again) = (run(seed).await, run(seed).await);
        assert_eq!(one, again);
        different += usize::from(one.steps() != run(seed + 1_000).await.steps());
    }
    assert_eq!(different, 20);
}

#[tokio::test]
async fn which_of_two_functions_continues_is_random() {
    let mut orders = HashSet::new();
    for seed in 0..20 {
        let source = source(2).batch_size(1).seed(seed);
        let effects = source.effects();
        let history = source
            .run(async |event: Event| {
                tokio::task::yield_now().await;
                effects.record(ids(&event)[0]);
                Ok::<_, Infallible>(())
            })
            .await;
        orders.insert(history.effects().concat());
    }
    assert_eq!(orders.len(), 2, "{orders:?}");
}

#[tokio::test]
async fn random_faults_occur_at_every_kind_of_point() {
    let mut seen = [0; 6];
    for seed in 0..100 {
        let source = source(4).seed(seed).crashes(0.3).timeouts(0.2).duplicates(0.1);
        for end in ends(&steps(source.batch_size(2)).await) {
            let kind = match end {
                End::Crashed(Point::Start) => 0,
                End::Crashed(Point::Await(1)) => 1,
                End::Crashed(Point::Await(2)) => 2,
                End::Crashed(Point::Reply) => 3,
                End::TimedOut => 4,
                End::Replied(_) => 5,
                other => panic!("{other:?}"),
            };
            seen[kind] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 5), "{seen:?}");
}

#[tokio::test]
async fn everything_is_delivered_whatever_dies() {
    for seed in 0..50 {
        let source = source(20).seed(seed).crashes(0.4).timeouts(0.2).duplicates(0.2);
        let history = steps(source).await;
        let mut done = history.done();
        done.sort_unstable();
        let mut all: Vec<_> = history.records().collect();
        all.sort_unstable();
        assert_eq!(done, all);
    }
}

/// A function with three steps and a wait between each two.
async fn steps(source: EventSource<Sqs>) -> History {
    let effects = source.effects();
    source
        .run(async |event: Event| {
            assert!(!ids(&event).is_empty());
            effects.record("one");
            tokio::task::yield_now().await;
            effects.record("two");
            tokio::task::yield_now().await;
            effects.record("three");
            Ok::<_, Infallible>(())
        })
        .await
}

fn succeed() -> Result<Value, Infallible> {
    Ok(Value::Null)
}

fn source(messages: usize) -> EventSource<Sqs> {
    let queue = (1..=messages).fold(events::sqs("orders"), |queue, n| {
        queue.message(SqsMessage::from("{}").id(format!("m{n}")))
    });
    EventSource::sqs(queue)
}
