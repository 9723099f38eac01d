//! Records that are processed once.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use lambda_runtime::Error as LambdaError;
use powertools::batch::{self, Message, RecordError, Report};
use powertools::events::SqsEvent;
use powertools::idempotency::{Error, Idempotency, MemoryStore, Record, Status};
use powertools::idempotent;
use powertools::testing::{self, ManualClock};
use tokio::time::{Instant, sleep};

use super::{Log, messages, outcomes, reported};

const SECOND: Duration = Duration::from_secs(1);

/// Time that is paused, and records that go by it.
struct World {
    clock: ManualClock,
    store: MemoryStore,
}

impl World {
    fn new() -> Self {
        let start = SystemTime::UNIX_EPOCH + 1_700_000_000 * SECOND;
        Self { clock: ManualClock::following_tokio(start), store: MemoryStore::new() }
    }

    fn idempotency(&self) -> Idempotency<MemoryStore> {
        Idempotency::new(self.store.clone()).unwrap()
    }

    /// Runs `work` in an invocation with this much time.
    async fn invoke<T>(&self, time: Duration, work: impl Future<Output = T>) -> T {
        testing::invocation().clock(&self.clock).remaining(time).build().scope(work).await
    }

    /// Another worker holds the claim of this message for this time.
    fn hold(&self, message: u64, time: Duration) {
        let idempotency = self.idempotency();
        let call = idempotency.operation("charge").key(&message).unwrap();
        let key = call.derived_key().unwrap().as_str();
        let mut record = Record::new(Status::InProgress);
        record.in_progress_expiration = Some((self.clock.now() + time).into());
        record.expiration = Some(powertools::idempotency::EpochSeconds(u64::MAX));
        self.store.insert(key, record);
    }

    /// Handles a batch of two messages, with 10 seconds for it.
    async fn handle(&self, log: &Log) -> Report<SqsEvent> {
        let batch = batch::sqs(messages(2)).idempotent(
            self.idempotency(),
            "charge",
            |work, message: &Message<u64>| work.key(&message.body),
        );
        let handler = async |message: Message<u64>| {
            log.write(message.body.to_string());
            Ok::<_, LambdaError>(())
        };
        self.invoke(10 * SECOND, batch.run(handler)).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_delivered_again_is_not_processed_again() {
    let (world, log) = (World::new(), Log::default());
    for _ in 0..2 {
        assert_eq!(outcomes(&world.handle(&log).await), "ss");
    }
    assert_eq!(log.text(), "0 1");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_failed_is_processed_again() {
    let (world, log) = (World::new(), Log::default());
    for round in 0..2 {
        let batch = batch::sqs(messages(2)).idempotent(
            world.idempotency(),
            "charge",
            |work, message: &Message<u64>| work.key(&message.body),
        );
        let report = batch
            .run(async |message: Message<u64>| {
                log.write(message.body.to_string());
                match (round, message.body) {
                    (0, 0) => Err("not yet"),
                    (0, 1) => panic!("not yet either"),
                    _ => Ok(()),
                }
            })
            .await;
        assert_eq!(outcomes(&report), ["ff", "ss"][round]);
    }
    assert_eq!(log.text(), "0 1 0 1");
}

#[tokio::test(start_paused = true)]
async fn results_of_a_batch_expire_after_24_hours_by_default() {
    let hour = 3600 * SECOND;
    let (world, log) = (World::new(), Log::default());
    assert!(world.handle(&log).await.is_done());
    sleep(24 * hour - SECOND).await;
    assert!(world.handle(&log).await.is_done());
    assert_eq!(log.text(), "0 1");
    sleep(3 * SECOND).await;
    assert!(world.handle(&log).await.is_done());
    assert_eq!(log.text(), "0 1 0 1");

    let log = Log::default();
    let idempotency = Idempotency::builder(MemoryStore::new()).expires_after(hour).build().unwrap();
    for _ in 0..2 {
        let batch = batch::sqs(messages(1)).idempotent(
            idempotency.clone(),
            "charge",
            |work, message: &Message<u64>| work.key(&message.body),
        );
        let handler = async |_: Message<u64>| {
            log.write("ran");
            Ok::<_, LambdaError>(())
        };
        assert!(world.invoke(10 * SECOND, batch.run(handler)).await.is_done());
        sleep(hour + 3 * SECOND).await;
    }
    assert_eq!(log.text(), "ran ran");
}

#[tokio::test(start_paused = true)]
async fn an_attribute_and_the_key_of_a_record_keep_results_as_long_as_a_batch_needs() {
    #[idempotent(key = message.body, with = idempotency, name = "charge")]
    async fn charge(
        idempotency: &Idempotency<MemoryStore>,
        log: &Log,
        message: Message<u64>,
    ) -> Result<(), RecordError> {
        log.write(message.body.to_string());
        Ok(())
    }

    let hour = 3600 * SECOND;
    let (world, log) = (World::new(), Log::default());
    let idempotency = world.idempotency();
    for time in [0, 23, 2] {
        sleep(time * hour).await;
        let batch = batch::sqs(messages(1)).run(|message| charge(&idempotency, &log, message));
        assert!(world.invoke(10 * SECOND, batch).await.is_done());
    }
    assert_eq!(log.text(), "0 0", "after 25 hours again");

    let log = Log::default();
    for time in [0, 6 * 24, 25] {
        sleep(time * hour).await;
        let batch = batch::sqs(messages(1)).idempotent(
            idempotency.clone(),
            "ship",
            |work, message: &Message<u64>| {
                Ok(work.key(&message.body)?.expires_after_or(7 * 24 * hour))
            },
        );
        let handler = async |message: Message<u64>| {
            log.write(message.body.to_string());
            Ok::<_, LambdaError>(())
        };
        assert!(world.invoke(10 * SECOND, batch.run(handler)).await.is_done());
    }
    assert_eq!(log.text(), "0 0", "after more than 7 days again");
}

#[tokio::test(start_paused = true)]
async fn concurrent_records_with_the_same_key_wait_for_each_other() {
    let (world, log) = (World::new(), Log::default());
    for fails_first in [false, true] {
        let batch = batch::sqs(messages(4)).concurrency(4).idempotent(
            world.idempotency(),
            format!("charge {fails_first}"),
            |work, _: &Message<u64>| work.key("the same"),
        );
        let handler = async |message: Message<u64>| {
            sleep(SECOND).await;
            log.write(message.body.to_string());
            if fails_first && message.body == 0 { Err("not yet") } else { Ok(()) }
        };
        let report = world.invoke(20 * SECOND, batch.run(handler)).await;
        assert_eq!(outcomes(&report), if fails_first { "fsss" } else { "ssss" });
    }
    let log = log.text();
    assert!(log.starts_with("0 0 ") && log.len() == 5, "one of the others does it: {log}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_another_invocation_holds_waits_only_for_concurrent_ones() {
    let (world, log) = (World::new(), Log::default());
    world.hold(1, 600 * SECOND);
    let batch = batch::sqs(messages(7)).concurrency(2).idempotent(
        world.idempotency(),
        "charge",
        |work, message: &Message<u64>| work.key(&message.body),
    );
    let handler = async |message: Message<u64>| {
        sleep(SECOND).await;
        log.write(message.body.to_string());
        Ok::<_, LambdaError>(())
    };
    let start = Instant::now();
    let report = world.invoke(60 * SECOND, batch.run(handler)).await;
    assert_eq!(outcomes(&report), "sfsssss");
    // It waits for the record beside it, and then the other five are two at a time.
    assert_eq!(start.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_an_earlier_invocation_holds_does_not_wait() {
    let world = World::new();
    world.hold(1, 30 * SECOND);
    let start = Instant::now();
    let mut ends = Vec::new();
    let batch = batch::sqs(messages(2))
        .concurrency(2)
        .on_outcome(|_, _| ends.push(start.elapsed().as_secs()))
        .idempotent(world.idempotency(), "charge", |work, message: &Message<u64>| {
            work.key(&message.body)
        });
    let handler = async |_: Message<u64>| {
        sleep(SECOND).await;
        Ok::<_, LambdaError>(())
    };
    assert_eq!(outcomes(&world.invoke(60 * SECOND, batch.run(handler)).await), "sf");
    assert_eq!(ends, [0, 1], "the one that is refused at once");
}

#[tokio::test(start_paused = true)]
async fn a_group_stops_at_a_message_that_may_be_running_elsewhere() {
    let world = World::new();
    world.hold(1, 600 * SECOND);
    let mut event = testing::events::sqs("orders.fifo");
    for n in [1, 2] {
        let message = testing::events::SqsMessage::from(serde_json::json!(n));
        event = event.message(message.group("a").receive_count(3));
    }
    let batch = batch::sqs(super::parse::<SqsEvent>(event.build())).max_receive_count(3);
    let batch = batch.idempotent(world.idempotency(), "charge", |work, message: &Message<u64>| {
        work.key(&message.body)
    });
    let handler = async |_: Message<u64>| Ok::<_, LambdaError>(());
    assert_eq!(outcomes(&world.invoke(60 * SECOND, batch.run(handler)).await), "fn");
}

#[tokio::test(start_paused = true)]
async fn a_record_without_a_key_fails_alone_and_not_permanently() {
    let report = batch::sqs(messages(2))
        .permanent_sink(|_, _| async { Ok::<_, LambdaError>(()) })
        .idempotent(World::new().idempotency(), "charge", |work, message: &Message<u64>| {
            work.key(&(message.body > 0).then_some(message.body))
        })
        .run(async |_: Message<u64>| Ok::<_, LambdaError>(()))
        .await;
    assert_eq!(outcomes(&report), "fs");
    let (_, outcome) = report.records().next().unwrap();
    let error = outcome.error().unwrap();
    assert!(matches!(error.error().downcast_ref(), Some(Error::KeyMissing { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_ends_soon_is_waited_for() {
    let (world, log) = (World::new(), Log::default());
    let start = Instant::now();
    world.hold(0, 2 * SECOND);
    assert_eq!(outcomes(&world.handle(&log).await), "ss");
    assert_eq!(log.text(), "0 1");
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_ends_late_is_not_waited_for() {
    let (world, log) = (World::new(), Log::default());
    let start = Instant::now();
    world.hold(0, 2 * SECOND + Duration::from_millis(1));
    let report = world.handle(&log).await;
    assert_eq!(log.text(), "1");
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(reported(report), ["m-0"]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_does_not_wait_for_a_lease_that_outlasts_its_time() {
    let (world, log) = (World::new(), Log::default());
    world.hold(1, 10 * SECOND);
    let report = world
        .invoke(10 * SECOND, async {
            // One second remains until the reserve, and the lease takes one and a half.
            sleep(8 * SECOND).await;
            world.hold(0, Duration::from_millis(1_500));
            let batch = batch::sqs(messages(1)).idempotent(
                world.idempotency(),
                "charge",
                |work, message: &Message<u64>| work.key(&message.body),
            );
            let handler = async |_: Message<u64>| {
                log.write("ran");
                Ok::<_, LambdaError>(())
            };
            let start = Instant::now();
            let report = batch.run(handler).await;
            assert_eq!(start.elapsed(), Duration::ZERO);
            report
        })
        .await;
    assert_eq!((log.text().as_str(), outcomes(&report).as_str()), ("", "f"));
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_waited_for_once() {
    let (world, calls) = (World::new(), AtomicU32::new(0));
    let report = world
        .invoke(
            10 * SECOND,
            batch::sqs(messages(1)).run(async |_: Message<u64>| {
                calls.fetch_add(1, Ordering::Relaxed);
                world.hold(0, SECOND);
                world.idempotency().run("charge", &0, async { Ok::<_, LambdaError>(()) }).await
            }),
        )
        .await;
    assert_eq!((outcomes(&report).as_str(), calls.into_inner()), ("f", 2));
}

#[idempotent(key = message.body, name = "charge", with = idempotency)]
async fn charge(
    idempotency: Idempotency<MemoryStore>,
    log: Log,
    message: Message<u64>,
) -> Result<(), LambdaError> {
    log.write(message.body.to_string());
    sleep(SECOND).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_function_is_a_record_handler() {
    let (world, log) = (World::new(), Log::default());
    world.hold(0, SECOND);
    for _ in 0..2 {
        let report = world
            .invoke(
                10 * SECOND,
                batch::sqs(messages(3))
                    .concurrency(3)
                    .run(|message| charge(world.idempotency(), log.clone(), message)),
            )
            .await;
        assert_eq!(outcomes(&report), "sss");
    }
    assert_eq!(log.text(), "1 2 0");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_stopped_releases_its_claim_in_time() {
    let (world, start) = (World::new(), Instant::now());
    let report = world
        .invoke(
            10 * SECOND,
            batch::sqs(messages(1))
                .idempotent(world.idempotency(), "charge", |work, message: &Message<u64>| {
                    work.key(&message.body)
                })
                .run(async |_: Message<u64>| {
                    sleep(100 * SECOND).await;
                    Ok::<_, LambdaError>(())
                }),
        )
        .await;
    assert_eq!(start.elapsed().as_secs(), 9);
    let (_, outcome) = report.records().next().unwrap();
    let error = outcome.error().expect("it ended by itself").error();
    assert!(matches!(error.downcast_ref(), Some(Error::OutOfTime { .. })), "{error}");
    assert!(world.store.snapshot().is_empty(), "the claim was given back");
    assert_eq!(reported(report), ["m-0"]);
}

#[tokio::test(start_paused = true)]
async fn errors_of_idempotency_are_never_permanent() {
    let world = World::new();
    world.hold(0, 5 * SECOND);
    let report = world
        .invoke(
            10 * SECOND,
            batch::sqs(messages(1)).permanent_sink(|_, _| async { Ok::<_, LambdaError>(()) }).run(
                async |_: Message<u64>| {
                    let work = async { Ok::<_, Error>(()) };
                    let result = world.idempotency().run("charge", &0, work).await;
                    result.map_err(RecordError::permanent)
                },
            ),
        )
        .await;
    assert_eq!(outcomes(&report), "f");
}

#[tokio::test]
async fn a_batch_of_idempotent_records_can_be_spawned() {
    let idempotency = World::new().idempotency();
    let batch = batch::sqs(messages(2)).concurrency(2);
    let batch = batch
        .idempotent(idempotency, "charge", |work, message: &Message<u64>| work.key(&message.body));
    let task = tokio::spawn(batch.run(|_: Message<u64>| async { Ok::<_, LambdaError>(()) }));
    assert!(task.await.unwrap().is_done());
}
