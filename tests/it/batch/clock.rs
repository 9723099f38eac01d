//! Records and the remaining time.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use powertools::Invocation;
use powertools::batch::{self, KinesisMessage, Message, Report};
use powertools::events::{SqsEvent, SqsRecord};
use powertools::testing::{self, ManualClock};
use tokio::time::{Instant, sleep};

use super::{Log, fifo, messages, outcomes, reported, stream};

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Runs `work` in an invocation with this much time, on paused time.
async fn with_time<T>(time: Duration, work: impl Future<Output = T>) -> T {
    let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
    testing::invocation().clock(&clock).remaining(time).build().scope(work).await
}

/// Each record takes as many seconds as its body contains.
async fn take_seconds(body: Message<u64>) -> Result<(), String> {
    sleep(u32::try_from(body.body).unwrap() * SECOND).await;
    Ok(())
}

fn seconds(seconds: &[u64]) -> SqsEvent {
    let mut event = testing::events::sqs("orders");
    for (n, seconds) in seconds.iter().enumerate() {
        let message = testing::events::SqsMessage::from(serde_json::json!(seconds));
        event = event.message(message.id(format!("m-{n}")));
    }
    super::parse(event.build())
}

#[tokio::test(start_paused = true)]
async fn no_record_starts_in_the_reserve_and_records_that_succeeded_are_not_reported() {
    let report =
        with_time(10 * SECOND, async { batch::sqs(seconds(&[4, 5, 1])).run(take_seconds).await })
            .await;
    assert_eq!(outcomes(&report), "ssn", "after 9 of 10 seconds the reserve begins");
    assert_eq!(reported(report), ["m-2"]);
}

#[tokio::test(start_paused = true)]
async fn running_records_are_stopped_at_the_reserve() {
    let start = Instant::now();
    let report = with_time(10 * SECOND, async {
        batch::sqs(seconds(&[1, 20, 20, 1])).concurrency(3).run(take_seconds).await
    })
    .await;
    assert_eq!(outcomes(&report), "sccs");
    assert_eq!(start.elapsed().as_secs(), 9);
    assert_eq!(reported(report), ["m-1", "m-2"]);
}

#[tokio::test(start_paused = true)]
async fn the_reserve_is_configurable() {
    let start = Instant::now();
    let report = with_time(10 * SECOND, async {
        batch::sqs(seconds(&[20])).reserve(4 * SECOND).run(take_seconds).await
    })
    .await;
    assert_eq!((outcomes(&report).as_str(), start.elapsed().as_secs()), ("c", 6));
}

#[tokio::test(start_paused = true)]
async fn a_reserve_over_half_of_the_timeout_is_half_of_it() {
    let start = Instant::now();
    let report = with_time(2 * SECOND, async {
        batch::sqs(seconds(&[20])).reserve(60 * SECOND).run(take_seconds).await
    })
    .await;
    assert_eq!((outcomes(&report).as_str(), start.elapsed().as_secs()), ("c", 1));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_begins_in_the_reserve_starts_nothing() {
    let report = with_time(10 * SECOND, async {
        sleep(Duration::from_millis(9_500)).await;
        batch::sqs(messages(2)).run(take_seconds).await
    })
    .await;
    assert_eq!(outcomes(&report), "nn");
    assert_eq!(reported(report), ["m-0", "m-1"]);
}

#[tokio::test(start_paused = true)]
async fn after_the_deadline_nothing_starts_and_all_is_reported() {
    let report = with_time(Duration::ZERO, async {
        batch::sqs(messages(2)).reserve(Duration::ZERO).run(take_seconds).await
    })
    .await;
    assert_eq!(outcomes(&report), "nn");
    assert_eq!(reported(report), ["m-0", "m-1"]);
}

#[tokio::test(start_paused = true)]
async fn the_checkpoint_is_the_first_record_that_was_stopped_or_not_started() {
    let names = "A1 B1 C1 D1";
    let run = |concurrency| async move {
        batch::kinesis(stream(names))
            .concurrency(concurrency)
            .run(async |name: KinesisMessage<String>| {
                sleep(if name.body == "B1" { 20 * SECOND } else { SECOND }).await;
                Ok::<_, String>(())
            })
            .await
    };
    for (concurrency, expected) in [(1, "scnn"), (2, "scss")] {
        let report = with_time(10 * SECOND, run(concurrency)).await;
        assert_eq!(outcomes(&report), expected);
        assert_eq!(reported(report), ["B1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_group_is_reported_when_the_time_runs_out() {
    let report = with_time(10 * SECOND, async {
        batch::sqs(fifo("A1 A2 B1"))
            .concurrency(2)
            .run(async |name: Message<String>| {
                sleep(if name.body == "A1" { 20 * SECOND } else { SECOND }).await;
                Ok::<_, String>(())
            })
            .await
    })
    .await;
    assert_eq!(outcomes(&report), "cns");
    assert_eq!(reported(report), ["A1", "A2"]);
}

#[tokio::test(start_paused = true)]
async fn the_limit_that_records_see_includes_the_reserve() {
    let log = Log::default();
    with_time(10 * SECOND, async {
        let outside = Invocation::current().unwrap();
        let report = batch::sqs(messages(2))
            .concurrency(2)
            .run(async |_: SqsRecord| {
                tokio::task::yield_now().await;
                let inside = Invocation::current().unwrap();
                assert_eq!(inside.request_id(), outside.request_id());
                let reserve = inside.deadline().duration_since(inside.limit()).unwrap();
                log.write(format!("{reserve:?}"));
                Ok::<_, String>(())
            })
            .await;
        assert!(report.is_done());
        assert_eq!(Invocation::current().unwrap().limit(), outside.deadline());
    })
    .await;
    assert_eq!(log.text(), "1s 1s");
}

/// A record that stops by itself at the limit and then cleans up for this time.
async fn clean_up(time: Duration) -> Result<(), String> {
    let invocation = Invocation::current().unwrap();
    let _guard = invocation.cleanup_guard();
    let left = invocation.limit().duration_since(invocation.clock().now()).unwrap();
    sleep(left + time).await;
    Err("stopped and cleaned up".to_owned())
}

async fn cleaning(milliseconds: u64) -> (Report<SqsEvent>, Duration) {
    let start = Instant::now();
    let report = with_time(10 * SECOND, async {
        batch::sqs(messages(2))
            .concurrency(2)
            .run(async |n: Message<u64>| match n.body {
                0 => clean_up(Duration::from_millis(milliseconds)).await,
                _ => {
                    sleep(20 * SECOND).await;
                    Ok(())
                }
            })
            .await
    })
    .await;
    (report, start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn records_that_clean_up_have_half_of_the_reserve_for_it() {
    let (report, took) = cleaning(300).await;
    assert_eq!(outcomes(&report), "fc");
    assert!((9_300..9_310).contains(&took.as_millis()), "not longer than it needs: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn records_that_clean_up_for_too_long_are_dropped() {
    let (report, took) = cleaning(700).await;
    assert_eq!(outcomes(&report), "cc");
    assert!((9_500..9_510).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn outside_an_invocation_nothing_is_stopped() {
    let report = batch::sqs(seconds(&[1_000, 1_000])).run(take_seconds).await;
    assert_eq!(outcomes(&report), "ss");
}

#[tokio::test]
async fn a_record_that_never_waits_is_stopped_in_time() {
    for concurrency in [1, 2] {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
        let invocation =
            testing::invocation().clock(&clock).remaining(Duration::from_millis(400)).build();
        let start = std::time::Instant::now();
        let busy = async |n: Message<u64>| {
            while n.body == 1 && start.elapsed() < 60 * SECOND {
                tokio::task::coop::consume_budget().await;
            }
            Ok::<_, String>(())
        };
        let batch = batch::sqs(messages(2)).reserve(Duration::from_millis(100));
        let report = invocation.scope(batch.concurrency(concurrency).run(busy)).await;
        assert_eq!(outcomes(&report), "sc");
    }
}

#[tokio::test(start_paused = true)]
async fn records_are_stopped_before_a_guard_with_the_same_reserve_stops_the_batch() {
    let start = Instant::now();
    let report = with_time(10 * SECOND, async {
        let guarded = Invocation::current().unwrap().reserving(2 * SECOND);
        let batch = batch::sqs(seconds(&[20])).reserve(2 * SECOND);
        tokio::time::timeout(8 * SECOND, guarded.scope(batch.run(take_seconds))).await
    })
    .await;
    assert_eq!(outcomes(&report.expect("it is in time")), "c");
    assert_eq!(start.elapsed().as_millis(), 7_990);
}

#[tokio::test(start_paused = true)]
async fn each_stopped_record_is_dropped_also_when_one_panics() {
    struct Dropped<'a>(&'a Log, u64);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.write(self.1.to_string());
            assert_ne!(self.1, 2, "as it is dropped");
        }
    }
    let log = Log::default();
    let report = with_time(10 * SECOND, async {
        let handler = async |n: Message<u64>| {
            let _dropped = Dropped(&log, n.body);
            sleep(20 * SECOND).await;
            Ok::<_, String>(())
        };
        batch::sqs(messages(5)).concurrency(5).run(handler).await
    })
    .await;
    assert_eq!(outcomes(&report), "ccccc");
    let mut dropped: Vec<_> = log.text().split(' ').map(str::to_owned).collect();
    dropped.sort();
    assert_eq!(dropped, ["0", "1", "2", "3", "4"]);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_panics_as_it_is_dropped_fails_alone() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("as it is dropped");
        }
    }
    for concurrency in [1, 2] {
        let report = with_time(10 * SECOND, async {
            batch::sqs(messages(3))
                .concurrency(concurrency)
                .run(async |n: Message<u64>| {
                    if n.body == 1 {
                        let _panics = Panics;
                        sleep(20 * SECOND).await;
                    }
                    Ok::<_, String>(())
                })
                .await
        })
        .await;
        assert_eq!(outcomes(&report), if concurrency == 1 { "scn" } else { "scs" });
    }
}

#[tokio::test]
async fn records_that_never_wait_let_other_tasks_run() {
    for concurrency in [1, 8] {
        let handled = Arc::new(AtomicUsize::new(0));
        let so_far = Arc::clone(&handled);
        let other = tokio::spawn(async move { so_far.load(Ordering::Relaxed) });
        let report = batch::sqs(messages(1_000))
            .concurrency(concurrency)
            .run(async |_: SqsRecord| {
                handled.fetch_add(1, Ordering::Relaxed);
                Ok::<_, String>(())
            })
            .await;
        assert!(report.is_done());
        assert!(other.await.unwrap() <= 100, "it ran among the first of 1,000");
    }
}

/// Blocks the thread: time passes, and nothing else happens meanwhile.
fn block(time: Duration) {
    let _ = tokio::time::advance(time).now_or_never();
}

/// A body that takes 150 milliseconds to parse.
struct SlowToParse;

impl<'de> serde::Deserialize<'de> for SlowToParse {
    fn deserialize<D: serde::Deserializer<'de>>(body: D) -> Result<Self, D::Error> {
        block(Duration::from_millis(150));
        u64::deserialize(body).map(|_| Self)
    }
}

#[tokio::test(start_paused = true)]
async fn records_that_are_first_polled_after_the_limit_are_not_started() {
    let start = Instant::now();
    let report = with_time(3 * SECOND, async {
        let handler = async |_: Message<SlowToParse>| {
            sleep(Duration::from_millis(20)).await;
            Ok::<_, String>(())
        };
        batch::sqs(messages(50)).concurrency(50).run(handler).await
    })
    .await;
    // The 14th is parsed across the limit, and stopped as it waits.
    assert_eq!(outcomes(&report), format!("{}c{}", "s".repeat(13), "n".repeat(36)));
    assert!(start.elapsed() < 2_200 * MILLI, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn records_that_block_do_not_start_one_after_another_past_the_limit() {
    for concurrency in [1, 8] {
        let start = Instant::now();
        let report = with_time(3 * SECOND, async {
            let handler = async |_: SqsRecord| {
                block(400 * MILLI);
                Ok::<_, String>(())
            };
            batch::sqs(messages(8)).concurrency(concurrency).run(handler).await
        })
        .await;
        assert_eq!(outcomes(&report), "sssssnnn");
        assert_eq!(start.elapsed(), 2 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn records_that_were_scheduled_and_never_polled_are_not_started() {
    let report = with_time(3 * SECOND, async {
        let handler = async |n: Message<u64>| {
            if n.body == 0 {
                // Its thread is blocked past the limit, and then it awaits again.
                block(2 * SECOND);
                std::future::pending::<()>().await;
            }
            Ok::<_, String>(())
        };
        batch::sqs(messages(3)).concurrency(2).run(handler).await
    })
    .await;
    assert_eq!(outcomes(&report), "cnn");
}
