//! The scope of a record: what belongs to it, and what it shares with its event.

use std::sync::Mutex;
use std::time::Duration;

use powertools::Invocation;
use powertools::batch::{self, KinesisMessage, Message};
use powertools::events::{SqsEvent, SqsRecord};
use powertools::testing;
use tokio::time::sleep;

use super::{Log, fifo, messages, outcomes, parse, stream};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Notes(Mutex<Vec<u64>>);

impl Notes {
    fn add(&self, note: u64) {
        self.0.lock().unwrap().push(note);
    }

    fn all(&self) -> Vec<u64> {
        self.0.lock().unwrap().clone()
    }
}

fn current() -> Invocation {
    Invocation::current().expect("inside of one")
}

#[tokio::test(start_paused = true)]
async fn a_value_of_a_record_is_not_seen_by_another_at_any_concurrency() {
    for concurrency in [1, 3] {
        let work = async {
            batch::sqs(messages(3))
                .concurrency(concurrency)
                .run(async |n: Message<u64>| {
                    assert_eq!(current().locals::<Notes>().count(), 0, "nothing was written");
                    current().record_local::<Notes>().add(n.body);
                    sleep(SECOND).await;
                    let nested = current().reserving(SECOND);
                    assert_eq!(nested.record_local::<Notes>().all(), [n.body]);
                    Ok::<_, String>(())
                })
                .await
        };
        let invocation = testing::invocation().build();
        let report = invocation.clone().scope(work).await;
        assert_eq!(outcomes(&report), "sss");
        assert_eq!(invocation.locals::<Notes>().count(), 0, "the event has none");
    }
}

#[tokio::test]
async fn reading_falls_through_to_the_event() {
    let work = async {
        current().local::<Notes>().add(7);
        batch::sqs(messages(1))
            .run(async |_: SqsRecord| {
                current().record_local::<Notes>().add(1);
                current().local::<Notes>().add(8);
                let visible: Vec<_> = current().locals::<Notes>().map(Notes::all).collect();
                assert_eq!(visible, [vec![1], vec![7, 8]]);
                Ok::<_, String>(())
            })
            .await
    };
    assert_eq!(outcomes(&testing::invocation().build().scope(work).await), "s");
}

#[tokio::test]
async fn outside_a_record_the_value_of_a_record_is_that_of_the_event() {
    let invocation = testing::invocation().build();
    invocation.record_local::<Notes>().add(7);
    assert_eq!(invocation.local::<Notes>().all(), [7]);
    assert_eq!(invocation.record(), None);
}

#[tokio::test]
async fn a_batch_within_a_record_has_its_own_scopes() {
    let work = async {
        batch::sqs(messages(2))
            .run(async |outer: Message<u64>| {
                current().record_local::<Notes>().add(outer.body);
                let report = batch::sqs(messages(2))
                    .run(async |inner: Message<u64>| {
                        current().record_local::<Notes>().add(10 + inner.body);
                        let visible: Vec<_> = current().locals::<Notes>().map(Notes::all).collect();
                        assert_eq!(visible, [vec![10 + inner.body], vec![outer.body]]);
                        Ok::<_, String>(())
                    })
                    .await;
                assert!(report.is_done());
                assert_eq!(current().record_local::<Notes>().all(), [outer.body]);
                Ok::<_, String>(())
            })
            .await
    };
    assert_eq!(outcomes(&testing::invocation().build().scope(work).await), "ss");
}

#[tokio::test]
async fn a_record_is_identified_by_its_identifier_attempt_and_group() {
    let identify = || {
        let record = current().record().expect("inside of one");
        let (attempt, group) = (record.attempt, record.group);
        format!("{} {attempt:?} {group:?}", record.identifier)
    };
    let log = Log::default();
    let work = async {
        let mut event = testing::events::sqs("orders");
        let message = testing::events::SqsMessage::from(serde_json::json!(1)).id("m-1");
        event = event.message(message.receive_count(3));
        let standard = parse::<SqsEvent>(event.build());
        let handler = async |_: SqsRecord| {
            log.write(identify());
            // Also in a task that takes the invocation along.
            let task = tokio::spawn(Invocation::carry(async {
                Invocation::current().and_then(|invocation| invocation.record())
            }));
            assert_eq!(task.await.unwrap(), current().record());
            Ok::<_, String>(())
        };
        assert!(batch::sqs(standard).run(handler).await.is_done());
        assert!(batch::sqs(fifo("A1")).run(handler).await.is_done());
        let of_stream = async |_: KinesisMessage<String>| {
            log.write(identify());
            Ok::<_, String>(())
        };
        assert!(batch::kinesis(stream("B2")).run(of_stream).await.is_done());
        assert_eq!(current().record(), None);
    };
    testing::invocation().build().scope(work).await;
    assert_eq!(log.text(), r#"m-1 Some(3) None A1 Some(1) Some("A") B2 None Some("B")"#);
}

#[tokio::test(start_paused = true)]
async fn hooks_and_destructors_run_in_the_scope_of_their_record() {
    struct Dropped<'a>(&'a Log);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.write(format!("drops {}", current().record().unwrap().identifier));
        }
    }
    let log = Log::default();
    let seen = log.clone();
    let work = batch::sqs(messages(2))
        .concurrency(2)
        .on_outcome(move |_, _| {
            seen.write(format!("sees {}", current().record().unwrap().identifier));
        })
        .run(async |n: Message<u64>| {
            let _dropped = Dropped(&log);
            sleep(if n.body == 0 { SECOND } else { 60 * SECOND }).await;
            Ok::<_, String>(())
        });
    let clock = testing::ManualClock::following_tokio(std::time::UNIX_EPOCH + 1_000_000 * SECOND);
    let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
    assert_eq!(outcomes(&invocation.scope(work).await), "sc");
    assert_eq!(log.text(), "drops m-0 sees m-0 drops m-1 sees m-1");
}
