//! Records in chunks.

use std::convert::Infallible;
use std::future::pending;
use std::time::{Duration, SystemTime};

use powertools::Invocation;
use powertools::batch::{self, KafkaMessage, KinesisMessage, Message, RecordError, Report, Source};
use powertools::events::{KinesisEvent, KinesisRecord, ParseError, SqsEvent, SqsRecord};
use powertools::testing::{self, ManualClock};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{Log, fifo, messages, outcomes, parse, reported, stream, topic};

const SECOND: Duration = Duration::from_secs(1);

/// Succeeds with those whose body is in lower case.
fn lower(body: &str) -> Result<(), RecordError> {
    if body.starts_with(char::is_lowercase) { Ok(()) } else { Err("upper case".into()) }
}

/// Processes messages of a FIFO queue by `result`, and notes the chunks.
async fn by<R: Fn(&str) -> Result<(), RecordError>>(
    batch: batch::Batch<'_, SqsEvent>,
    size: usize,
    result: R,
) -> (Report<SqsEvent>, String) {
    let log = Log::default();
    let handler = async |chunk: Vec<Message<String>>| {
        let bodies: Vec<_> = chunk.iter().map(|message| message.body.as_str()).collect();
        log.write(format!("[{}]", bodies.join(" ")));
        tokio::task::yield_now().await;
        bodies.into_iter().map(&result).collect()
    };
    let report = batch.run_chunks(size, handler).await;
    (report, log.text())
}

#[tokio::test]
async fn every_record_is_in_a_chunk_of_at_most_that_size() {
    for (size, expected) in [(2, vec![2, 2, 1]), (5, vec![5]), (100, vec![5]), (0, vec![1; 5])] {
        let log = Log::default();
        let handler = async |chunk: Vec<Message<u64>>| {
            assert_eq!(Invocation::current().map(|current| current.record()), None);
            log.write(chunk.len().to_string());
            chunk.iter().map(|_| Ok::<_, Infallible>(())).collect()
        };
        let report = batch::sqs(messages(5)).run_chunks(size, handler).await;
        assert_eq!(outcomes(&report), "sssss");
        let sizes: Vec<_> = expected.iter().map(|size: &i32| size.to_string()).collect();
        assert_eq!(log.text(), sizes.join(" "));
    }
}

#[tokio::test]
async fn a_result_is_that_of_its_record() {
    let (report, chunks) = by(batch::sqs(fifo("a1 B1 c1 D1")), 4, lower).await;
    assert_eq!(chunks, "[a1 B1 c1 D1]");
    assert_eq!(outcomes(&report), "sfsf");
    assert_eq!(reported(report), ["B1", "D1"]);
}

#[tokio::test]
async fn a_group_is_in_order_and_in_one_chunk_at_a_time() {
    let batch = batch::sqs(fifo("a1 a2 b1 a3 b2 a4")).concurrency(3);
    let (report, chunks) = by(batch, 2, lower).await;
    assert_eq!(chunks, "[a1 a2] [b1 b2] [a3 a4]");
    assert_eq!(outcomes(&report), "ssssss");
}

#[tokio::test]
async fn a_failure_stops_its_group_also_where_the_chunk_handled_the_rest() {
    let result = |body: &str| if body == "a1" { Err("a1".into()) } else { Ok(()) };
    let (report, chunks) = by(batch::sqs(fifo("a1 a2 b1 a3 b2")), 3, result).await;
    assert_eq!(chunks, "[a1 a2 b1] [b2]", "a3 does not start");
    assert_eq!(outcomes(&report), "ffsns");
    assert_eq!(reported(report), ["a1", "a2", "a3"]);
}

#[tokio::test]
async fn after_a_last_attempt_the_group_continues() {
    let result = |body: &str| if body == "a1" { Err("a1".into()) } else { Ok(()) };
    let batch = batch::sqs(fifo("a1 a2 a3")).max_receive_count(1);
    let (report, chunks) = by(batch, 2, result).await;
    assert_eq!(chunks, "[a1 a2] [a3]");
    assert_eq!(reported(report), ["a1"]);
}

/// A message that fails for the last time lets its group continue, but not behind one that is delivered again.
#[tokio::test]
async fn a_last_attempt_behind_a_failure_does_not_let_the_group_continue() {
    // `B` succeeds, and fails all the same; `b` fails; `0` cannot be parsed.
    for a2 in [json!("B"), json!("b"), json!(0)] {
        let mut event = testing::events::sqs("orders.fifo");
        for (id, body, count) in [("a1", json!("a"), 1), ("a2", a2, 3), ("a3", json!("C"), 1)] {
            let message = testing::events::SqsMessage::from(body).id(id).group("a");
            event = event.message(message.receive_count(count));
        }
        let batch = batch::sqs(parse::<SqsEvent>(event.build())).max_receive_count(3);
        let upper = |body: &str| if body < "a" { Ok(()) } else { Err("lower case".into()) };
        let (report, chunks) = by(batch, 2, upper).await;
        assert!(!chunks.contains('C'), "{chunks}");
        assert_eq!(outcomes(&report), "ffn");
    }
}

#[tokio::test]
async fn a_wrong_number_of_results_reports_the_whole_chunk() {
    for results in [0, 1, 3] {
        let handler = async |chunk: Vec<SqsRecord>| {
            let count = if chunk[0].message_id() == Some("m-0") { results } else { chunk.len() };
            vec![Ok::<_, Infallible>(()); count]
        };
        let report = batch::sqs(messages(4)).run_chunks(2, handler).await;
        assert_eq!(outcomes(&report), "ffss", "{results}");
        let error = report.records().next().unwrap().1.error().unwrap().to_string();
        assert_eq!(
            error,
            format!("the handler of a chunk returned {results} results for 2 records")
        );
        assert_eq!(reported(report), ["m-0", "m-1"]);
    }
}

#[tokio::test]
async fn a_panic_is_the_failure_of_its_chunk() {
    let handler = async |chunk: Vec<SqsRecord>| {
        assert_ne!(chunk[0].message_id(), Some("m-2"), "as it is written");
        chunk.iter().map(|_| Ok::<_, Infallible>(())).collect()
    };
    let report = batch::sqs(messages(6)).concurrency(2).run_chunks(2, handler).await;
    assert_eq!(outcomes(&report), "ssffss");
}

#[tokio::test]
async fn a_record_that_cannot_be_parsed_fails_alone_and_holds_its_group() {
    let mut event = testing::events::sqs("orders.fifo");
    for (id, body) in [("a1", "1"), ("a2", "oops"), ("b1", "2"), ("a3", "3"), ("b2", "4")] {
        let message = testing::events::SqsMessage::from(body).id(id).group(&id[..1]);
        event = event.message(message);
    }
    let log = Log::default();
    let handler = async |chunk: Vec<Message<u64>>| {
        let ids: Vec<_> = chunk.iter().filter_map(|message| message.message_id()).collect();
        log.write(format!("[{}]", ids.join(" ")));
        chunk.iter().map(|_| Ok::<_, Infallible>(())).collect()
    };
    let report = batch::sqs(parse::<SqsEvent>(event.build())).run_chunks(10, handler).await;
    assert_eq!(log.text(), "[a1 b1 b2]");
    assert_eq!(outcomes(&report), "sfsns");
    assert_eq!(reported(report), ["a2", "a3"]);
}

#[tokio::test]
async fn a_chunk_without_a_readable_record_is_not_handled() {
    let event: SqsEvent = parse(json!({ "Records": [{ "messageId": "m", "body": "oops" }] }));
    let handler = async |_: Vec<Message<u64>>| -> Vec<Result<(), Infallible>> { panic!("called") };
    assert_eq!(outcomes(&batch::sqs(event).run_chunks(2, handler).await), "f");
}

#[tokio::test]
async fn nothing_behind_a_failure_of_a_stream_is_in_a_later_chunk() {
    let log = Log::default();
    let handler = async |chunk: Vec<KinesisMessage<String>>| {
        let bodies: Vec<_> = chunk.iter().map(|record| record.body.as_str()).collect();
        log.write(format!("[{}]", bodies.join(" ")));
        bodies.into_iter().map(lower).collect()
    };
    let report = batch::kinesis(stream("a1 b1 C1 a2 b2")).run_chunks(4, handler).await;
    assert_eq!(log.text(), "[a1 b1 C1 a2]");
    assert_eq!(outcomes(&report), "ssfsn");
    assert_eq!(reported(report), ["C1"]);
}

#[tokio::test]
async fn nothing_behind_an_unreadable_record_of_a_stream_is_handled() {
    let log = Log::default();
    let handler = async |chunk: Vec<KinesisMessage<u64>>| {
        log.write(chunk.len().to_string());
        chunk.iter().map(|_| Ok::<_, Infallible>(())).collect()
    };
    let report = batch::kinesis(stream("a1 b1")).run_chunks(4, handler).await;
    assert_eq!((outcomes(&report).as_str(), log.text().as_str()), ("fn", ""));
}

#[tokio::test]
async fn a_partition_keeps_its_order() {
    let handler = async |chunk: Vec<KafkaMessage<String>>| {
        chunk.iter().map(|record| lower(&record.body)).collect()
    };
    let batch = batch::kafka(topic("b1 a1 A2 b2 a3")).partial_response();
    let report = batch.run_chunks(5, handler).await;
    let item = |partition: &str, offset: u64| json!({ "partition": format!("orders-{partition}"), "offset": offset });
    // Partitions are in the order of their names in the event; `A` is another one than `a`.
    assert_eq!(reported(report), [item("A", 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_pending_chunk_is_stopped_in_time_and_later_ones_do_not_start() {
    let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
    let work = async {
        let handler = async |chunk: Vec<Message<u64>>| {
            sleep(if chunk[0].body == 0 { SECOND } else { 60 * SECOND }).await;
            chunk.iter().map(|_| Ok::<_, Infallible>(())).collect()
        };
        batch::sqs(messages(6)).run_chunks(2, handler).await
    };
    let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
    let report = invocation.scope(work).await;
    assert_eq!(outcomes(&report), "ssccnn");
    assert_eq!(reported(report), ["m-2", "m-3", "m-4", "m-5"]);
}

#[tokio::test]
async fn permanent_failures_of_a_chunk_go_to_the_sink() {
    let log = Log::default();
    let batch = batch::sqs(messages(3)).permanent_sink(|record: SqsRecord, _| {
        log.write(record.message_id().unwrap_or_default());
        async { Ok::<_, Infallible>(()) }
    });
    let handler = async |chunk: Vec<Message<u64>>| {
        let result = |message: &Message<u64>| match message.body {
            1 => Err(RecordError::permanent("one")),
            _ => Ok(()),
        };
        chunk.iter().map(result).collect()
    };
    let report = batch.run_chunks(3, handler).await;
    assert_eq!(outcomes(&report), "sps");
    is_done(report);
    assert_eq!(log.text(), "m-1");
}

/// The results of the other messages are known by then.
#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_is_stopped_alone() {
    for is_set_back in [false, true] {
        let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
        let batch = || {
            batch::sqs(messages(3)).permanent_sink(|_, _| {
                if is_set_back {
                    // Its timer fires after that of the batch.
                    clock.set(clock.now() - Duration::from_millis(100));
                }
                pending::<Result<(), Infallible>>()
            })
        };
        let result = |message: &Message<u64>| match message.body {
            1 => Err(RecordError::permanent("one")),
            _ => Ok(()),
        };
        let in_time = || testing::invocation().clock(&clock).remaining(10 * SECOND).build();

        let handler = async |chunk: Vec<Message<u64>>| {
            sleep(SECOND).await;
            chunk.iter().map(result).collect()
        };
        let start = Instant::now();
        let report = in_time().scope(batch().run_chunks(3, handler)).await;
        assert_eq!(outcomes(&report), "sfs", "{is_set_back}");
        assert_eq!(start.elapsed().as_secs(), 9);
        let (_, outcome) = report.records().nth(1).unwrap();
        let error = outcome.error().unwrap();
        assert_eq!((error.to_string().as_str(), error.is_permanent()), ("one", false));
        assert_eq!(reported(report), ["m-1"]);

        let report = in_time().scope(batch().run(async |n| result(&n))).await;
        assert_eq!(outcomes(&report), "sfn", "{is_set_back}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_handler_starts_after_a_sink_that_took_all_the_time() {
    let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
    let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
    let event = json!({ "Records": [
        { "messageId": "m-0", "body": "oops" },
        { "messageId": "m-1", "body": "1" },
    ] });
    let batch = batch::sqs(parse::<SqsEvent>(event))
        .permanent_if(|error| error.is::<ParseError>())
        .permanent_sink(|_, _| pending::<Result<(), Infallible>>());
    let handler = async |_: Vec<Message<u64>>| -> Vec<Result<(), Infallible>> { panic!("called") };
    let report = invocation.scope(batch.run_chunks(2, handler)).await;
    assert_eq!(outcomes(&report), "fn");
}

/// The sink has accepted it, or its failure is logged.
#[tokio::test(start_paused = true)]
async fn an_unreadable_message_keeps_its_outcome_when_its_chunk_is_stopped() {
    for (is_permanent, expected, again) in
        [(true, "pc", &["m-1"][..]), (false, "fc", &["m-0", "m-1"])]
    {
        let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
        let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
        let event = json!({ "Records": [
            { "messageId": "m-0", "body": "oops" },
            { "messageId": "m-1", "body": "1" },
        ] });
        let (sunk, observed) = (Log::default(), Log::default());
        let batch = batch::sqs(parse::<SqsEvent>(event))
            .permanent_if(|error| is_permanent && error.is::<ParseError>())
            .permanent_sink(|record: SqsRecord, _| {
                sunk.write(record.message_id().unwrap_or_default());
                async { Ok::<_, Infallible>(()) }
            })
            .on_outcome(|record, outcome| {
                let is_known = outcome.error().is_some();
                observed.write(format!("{}:{is_known}", record.message_id().unwrap_or_default()));
            });
        let handler = async |_: Vec<Message<u64>>| pending::<Vec<Result<(), Infallible>>>().await;
        let report = invocation.scope(batch.run_chunks(2, handler)).await;
        assert_eq!(outcomes(&report), expected);
        assert_eq!(sunk.text(), if is_permanent { "m-0" } else { "" });
        assert_eq!(observed.text(), "m-0:true m-1:false");
        assert_eq!(reported(report), again);
    }
}

/// A message whose error is permanent behind another one may have failed only because that did.
#[tokio::test]
async fn a_permanent_failure_behind_another_in_its_group_is_delivered_again() {
    let log = Log::default();
    let batch = batch::sqs(fifo("a1 a2 b1")).permanent_sink(|record: SqsRecord, _| {
        log.write(record.message_id().unwrap_or_default());
        async { Ok::<_, Infallible>(()) }
    });
    let result = |body: &str| match body {
        "a1" => Err(RecordError::retry("down")),
        _ => Err(RecordError::permanent("no order")),
    };
    let (report, chunks) = by(batch, 3, result).await;
    assert_eq!(chunks, "[a1 a2 b1]");
    assert_eq!(outcomes(&report), "ffp");
    assert_eq!(log.text(), "b1");
    let (_, outcome) = report.records().nth(1).unwrap();
    let error = outcome.error().unwrap();
    assert_eq!((error.to_string().as_str(), error.is_permanent()), ("no order", false));
    assert_eq!(reported(report), ["a1", "a2"]);
}

#[tokio::test]
async fn an_unreadable_message_goes_to_the_sink_after_those_before_it_have_succeeded() {
    for (a1, expected, set_aside) in [("1", "spss", "a2"), ("0", "fffs", "")] {
        let mut event = testing::events::sqs("orders.fifo");
        for (id, body) in [("a1", a1), ("a2", "oops"), ("a3", "3"), ("b1", "4")] {
            let message = testing::events::SqsMessage::from(body).id(id).group(&id[..1]);
            event = event.message(message);
        }
        let log = Log::default();
        let batch = batch::sqs(parse::<SqsEvent>(event.build()))
            .permanent_if(|error| error.is::<ParseError>())
            .permanent_sink(|record: SqsRecord, _| {
                log.write(record.message_id().unwrap_or_default());
                async { Ok::<_, Infallible>(()) }
            });
        let handler = async |chunk: Vec<Message<u64>>| {
            chunk.iter().map(|n| if n.body == 0 { Err("down") } else { Ok(()) }).collect()
        };
        let report = batch.run_chunks(10, handler).await;
        assert_eq!(outcomes(&report), expected);
        assert_eq!(log.text(), set_aside);
    }
}

/// Everything behind the first failure is delivered again, whatever its partition key.
#[tokio::test]
async fn nothing_behind_a_failure_in_the_chunk_of_a_stream_goes_to_the_sink() {
    // `a1` fails or succeeds, `b1` cannot be parsed or fails permanently, `c1` succeeds.
    for (a1, b1, expected, checkpoint, set_aside) in [
        (json!("down"), json!(0), "ffs", &["a1"][..], ""),
        (json!("down"), json!("bad"), "ffs", &["a1"], ""),
        (json!("good"), json!(0), "sps", &[], "b1"),
        (json!("good"), json!("bad"), "sps", &[], "b1"),
    ] {
        let mut event = testing::events::kinesis("clicks");
        for (name, data) in [("a1", a1), ("b1", b1), ("c1", json!("good"))] {
            let record = testing::events::KinesisRecord::json(&name[..1], data);
            event = event.record(record.sequence_number(name));
        }
        let log = Log::default();
        let batch = batch::kinesis(parse::<KinesisEvent>(event.build()))
            .permanent_if(|error| error.is::<ParseError>())
            .permanent_sink(|record: KinesisRecord, _| {
                log.write(record.sequence_number().unwrap_or_default());
                async { Ok::<_, Infallible>(()) }
            });
        let result = |record: &KinesisMessage<String>| match record.body.as_str() {
            "down" => Err(RecordError::retry("down")),
            "bad" => Err(RecordError::permanent("bad")),
            _ => Ok(()),
        };
        let handler = async |chunk: Vec<KinesisMessage<String>>| chunk.iter().map(result).collect();
        let report = batch.run_chunks(10, handler).await;
        assert_eq!(outcomes(&report), expected);
        assert_eq!(log.text(), set_aside);
        assert!(report.records().all(|(_, outcome)| {
            outcome.is_done() || outcome.error().is_some_and(|error| !error.is_permanent())
        }));
        assert_eq!(reported(report), checkpoint);
    }
}

fn is_done<S: Source>(report: Report<S>) {
    assert!(report.is_done());
    assert!(reported(report).is_empty());
}
