//! A bad record fails alone, and is reported to Lambda.

use std::convert::Infallible;
use std::future::{Future, pending, ready};
use std::time::{Duration, SystemTime};

use lambda_runtime::Diagnostic;
use powertools::batch::{self, Error, Message, Outcome, Record, RecordError};
use powertools::deadline::Deadline;
use powertools::events::{
    DynamoDbRecord, KafkaRecord, KinesisRecord, ParseError, SqsEvent, SqsRecord,
};
use powertools::testing::{self, ManualClock};
use serde_json::json;

use super::{Log, changes, error, fifo, messages, outcomes, reported, stream, topic};

#[tokio::test]
async fn a_failure_is_reported_and_the_others_go_on() {
    let report = batch::sqs(messages(4)).run(only_even).await;
    assert_eq!(outcomes(&report), "sfsf");
    assert!(!report.is_done());
    assert_eq!(reported(report), ["m-1", "m-3"]);
}

async fn only_even(n: Message<u64>) -> Result<(), String> {
    if n.body.is_multiple_of(2) { Ok(()) } else { Err(format!("{} is odd", n.body)) }
}

#[tokio::test]
async fn no_failure_is_an_empty_list() {
    let report = batch::sqs(messages(2)).run(succeed::<SqsRecord>).await;
    assert!(report.is_done());
    let reply = report.into_reply().unwrap();
    assert_eq!(serde_json::to_string(&reply).unwrap(), r#"{"batchItemFailures":[]}"#);
}

async fn succeed<R>(_: R) -> Result<(), Infallible> {
    Ok(())
}

async fn fail<R>(_: R) -> Result<(), &'static str> {
    Err("no")
}

#[tokio::test]
async fn a_reply_has_the_form_that_lambda_reads() {
    let reply = batch::sqs(messages(1)).run(fail::<SqsRecord>).await.into_reply().unwrap();
    assert_eq!(
        serde_json::to_string(&reply).unwrap(),
        r#"{"batchItemFailures":[{"itemIdentifier":"m-0"}]}"#
    );
    let batch = batch::kafka(topic("A7")).partial_response();
    let reply = batch.run(fail::<KafkaRecord>).await.into_reply().unwrap();
    assert_eq!(
        serde_json::to_string(&reply).unwrap(),
        r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"orders-A","offset":7}}]}"#
    );
}

#[tokio::test]
async fn a_record_that_cannot_be_parsed_fails_alone_and_its_handler_does_not_run() {
    let log = Log::default();
    let report = batch::sqs(messages(3))
        .run(async |body: Message<Small>| {
            log.write(body.body.0.to_string());
            Ok::<_, Infallible>(())
        })
        .await;
    assert_eq!((outcomes(&report).as_str(), log.text().as_str()), ("ssf", "0 1"));
    let (_, outcome) = report.records().nth(2).unwrap();
    assert!(matches!(
        outcome.error().unwrap().error().downcast_ref(),
        Some(ParseError::Json { .. })
    ));
}

/// 0 or 1.
#[derive(Debug, serde::Deserialize)]
#[serde(try_from = "u64")]
struct Small(u64);

impl TryFrom<u64> for Small {
    type Error = String;

    fn try_from(n: u64) -> Result<Self, String> {
        if n < 2 { Ok(Self(n)) } else { Err(format!("{n} is large")) }
    }
}

#[tokio::test]
async fn a_panic_fails_its_record_alone() {
    for concurrency in [1, 3] {
        let report = batch::sqs(messages(4))
            .concurrency(concurrency)
            .run(async |n: Message<u64>| {
                assert_ne!(n.body, 1, "the one");
                tokio::task::yield_now().await;
                assert_ne!(n.body, 2, "the other");
                Ok::<_, Infallible>(())
            })
            .await;
        assert_eq!(outcomes(&report), "sffs");
        let (_, outcome) = report.records().nth(1).unwrap();
        let message = outcome.error().unwrap().to_string();
        assert!(
            message.starts_with("the record handler panicked: ") && message.contains("the one")
        );
    }
}

#[tokio::test]
async fn a_panic_before_there_is_a_future_fails_its_record_alone() {
    fn panics_at_once(n: Message<u64>) -> impl Future<Output = Result<(), Infallible>> {
        assert_ne!(n.body, 0);
        ready(Ok(()))
    }
    let report = batch::sqs(messages(2)).run(panics_at_once).await;
    assert_eq!(outcomes(&report), "fs");
}

#[tokio::test]
async fn a_panic_during_parsing_fails_only_its_record() {
    #[derive(serde::Deserialize)]
    #[serde(from = "u64")]
    struct Panics;

    impl From<u64> for Panics {
        fn from(n: u64) -> Self {
            assert_ne!(n, 0);
            Self
        }
    }
    let report = batch::sqs(messages(2)).run(succeed::<Message<Panics>>).await;
    assert_eq!(outcomes(&report), "fs");
}

#[tokio::test]
async fn a_batch_of_failures_is_not_an_error_unless_configured() {
    let report = batch::sqs(messages(2)).run(fail::<SqsRecord>).await;
    assert_eq!(reported(report), ["m-0", "m-1"]);

    let failing = || batch::sqs(messages(2)).fail_when_all_failed();
    let error = error(failing().run(fail::<SqsRecord>).await);
    assert!(matches!(error, Error::AllFailed { total: 2, .. }), "{error:?}");
    assert!(error.is_retryable());
    let told = Diagnostic::from(error);
    assert_eq!(told.error_type, "Powertools.BatchAllFailed");
    assert_eq!(told.error_message, "none of 2 records was handled: no");

    assert_eq!(reported(failing().run(only_even).await), ["m-1"]);
    let empty = batch::sqs(messages(0)).fail_when_all_failed();
    assert!(reported(empty.run(fail::<SqsRecord>).await).is_empty());
}

#[tokio::test]
async fn all_or_nothing_is_an_error_when_any_record_failed() {
    let report = batch::sqs(messages(3)).all_or_nothing().run(only_even).await;
    assert_eq!(outcomes(&report), "sfs");
    let error = error(report);
    assert!(matches!(error, Error::Incomplete { unfinished: 1, total: 3, .. }), "{error:?}");
    assert_eq!(
        Diagnostic::from(error).error_message,
        "1 of 3 records were not handled, m-1 the first of them: 1 is odd"
    );

    let report = batch::sqs(messages(3)).all_or_nothing().run(succeed::<SqsRecord>).await;
    assert!(reported(report).is_empty());
}

#[tokio::test]
async fn kafka_is_all_or_nothing_unless_its_mapping_takes_partial_responses() {
    let last_fails = async |n: batch::KafkaMessage<String>| match n.body.as_str() {
        "B2" => Err("no"),
        _ => Ok(()),
    };
    let whole = batch::kafka(topic("A1 B2")).run(last_fails).await;
    assert!(matches!(error(whole), Error::Incomplete { unfinished: 1, total: 2, .. }));
    let partial = batch::kafka(topic("A1 B2")).partial_response().run(last_fails).await;
    assert_eq!(reported(partial), [json!({ "partition": "orders-B", "offset": 2 })]);
}

#[tokio::test]
async fn records_that_share_an_id_are_reported_once_if_any_of_them_failed() {
    let event = fifo("A1 B1 A1 C1 C1");
    let calls = Log::default();
    let report = batch::sqs(event)
        .run(async |name: Message<String>| {
            calls.write(name.body.clone());
            let again = calls.text().matches(&name.body).count() > 1;
            if again || name.body == "C1" { Err("no") } else { Ok(()) }
        })
        .await;
    assert_eq!(outcomes(&report), "ssffn");
    assert_eq!(reported(report), ["A1", "C1"]);
}

#[tokio::test]
async fn a_permanent_record_goes_to_the_sink_and_counts_as_done() {
    let taken = Log::default();
    let log = taken.clone();
    let report = batch::sqs(fifo("A1 A2 B1"))
        .permanent_sink(move |record: SqsRecord, error| {
            log.write(format!("{}: {error}", record.body().unwrap()));
            async { Ok::<_, Infallible>(()) }
        })
        .run(async |name: Message<String>| match name.body.as_str() {
            "A1" => Err(RecordError::permanent("never")),
            _ => Ok(()),
        })
        .await;
    assert_eq!(outcomes(&report), "pss", "the group goes on behind a record that was taken");
    assert_eq!(taken.text(), r#""A1": never"#);
    assert!(report.is_done());
    assert!(reported(report).is_empty());
}

#[tokio::test]
async fn a_stream_continues_after_a_record_that_the_sink_accepted() {
    let report = batch::kinesis(stream("A1 A2 B1"))
        .permanent_sink(|_, _| async { Ok::<_, Infallible>(()) })
        .run(async |name: batch::KinesisMessage<String>| match name.body.as_str() {
            "A1" => Err(RecordError::permanent("never")),
            "B1" => Err("later")?,
            _ => Ok(()),
        })
        .await;
    assert_eq!(outcomes(&report), "psf");
    assert_eq!(reported(report), ["B1"]);
}

#[tokio::test]
async fn a_record_is_reported_if_the_sink_fails_or_panics() {
    let sinks = ["fails", "panics", "panics at once"];
    for sink in sinks {
        let report = batch::sqs(messages(2))
            .permanent_sink(move |_, _| {
                assert_ne!(sink, "panics at once");
                async move {
                    assert_ne!(sink, "panics");
                    Err("the sink is full")
                }
            })
            .run(async |n: Message<u64>| match n.body {
                0 => Err(RecordError::permanent("never")),
                _ => Ok(()),
            })
            .await;
        assert_eq!(outcomes(&report), "fs", "{sink}");
        assert_eq!(reported(report), ["m-0"], "{sink}");
    }
}

#[tokio::test]
async fn without_a_sink_a_permanent_record_is_reported() {
    let permanent = async |_: SqsRecord| Err::<(), _>(RecordError::permanent("never"));
    let (lines, _guard) = crate::logging::start(crate::logging::logging());
    let report = batch::sqs(messages(2)).run(permanent).await;
    assert_eq!(outcomes(&report), "ff");
    let (_, outcome) = report.records().next().unwrap();
    assert!(outcome.error().unwrap().is_permanent());
    assert_eq!(reported(report), ["m-0", "m-1"]);

    // Each failure is logged, and the missing sink once for the batch.
    let lines = lines.json();
    let said = |text: &str| {
        lines.iter().filter(|line| line["message"].as_str().unwrap().contains(text)).count()
    };
    assert_eq!((said("no permanent_sink"), said("record failed")), (1, 2), "{lines:#?}");
    let failed = lines.iter().find(|line| line["message"] == "a record failed").unwrap();
    assert_eq!((&failed["record"], &failed["exception"]), (&json!("m-0"), &json!("never")));
}

#[tokio::test]
async fn records_that_a_failure_prevented_do_not_count_as_out_of_time() {
    let (lines, _guard) = crate::logging::start(crate::logging::logging());
    let report = batch::kinesis(stream("A1 B1")).run(fail::<KinesisRecord>).await;
    assert_eq!(outcomes(&report), "fn");
    let lines = lines.json();
    let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(
        messages,
        ["a record failed", "records of a batch did not start because of a failure"]
    );
    assert_eq!(lines[1]["not_started"], 1);
}

/// A part of a record that was stopped is why that record failed, and its failure why others did not start.
#[tokio::test(start_paused = true)]
async fn a_guard_in_a_record_is_not_what_prevents_others() {
    const SECOND: Duration = Duration::from_secs(1);

    let (lines, _guard) = crate::logging::start(crate::logging::logging());
    let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
    let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
    let handler = async |_: KinesisRecord| {
        let work = pending::<Result<(), lambda_runtime::Error>>();
        Deadline::current().run(2 * SECOND, work).await
    };
    let report = invocation.scope(batch::kinesis(stream("A1 B1")).run(handler)).await;
    assert_eq!(outcomes(&report), "fn");
    let lines = lines.json();
    let last = lines.last().unwrap();
    assert_eq!(last["message"], "records of a batch did not start because of a failure");
}

#[tokio::test]
async fn parse_errors_are_permanent_only_with_the_option() {
    let batch = || batch::sqs(messages(1)).permanent_sink(|_, _| async { Ok::<_, Infallible>(()) });
    let report = batch().run(succeed::<Message<String>>).await;
    assert_eq!(outcomes(&report), "f");

    let report = batch()
        .permanent_if(|error| error.is::<ParseError>())
        .run(succeed::<Message<String>>)
        .await;
    assert_eq!(outcomes(&report), "p");
}

/// While a service is down, good records fail to be parsed.
#[tokio::test]
async fn an_error_that_another_attempt_can_parse_is_never_permanent_by_its_class() {
    #[derive(Debug, thiserror::Error)]
    #[error("no order")]
    struct NoOrder(#[source] ParseError);

    let down = || ParseError::BodyUnavailable("down".into());
    let gone = || ParseError::BodyGone;
    let cases: [(RecordError, &str); 6] = [
        (down().into(), "f"),
        (ParseError::Other(Box::new(down())).into(), "f"),
        (NoOrder(down()).into(), "f"),
        (anyhow::Error::from(down()).context("no order").into(), "f"),
        (gone().into(), "p"),
        (NoOrder(gone()).into(), "p"),
    ];
    for (error, expected) in cases {
        let report = batch::sqs(messages(1))
            .permanent_sink(|_, _| async { Ok::<_, Infallible>(()) })
            .permanent_if(|_| true)
            .run(async |_: SqsRecord| Err(error.clone()))
            .await;
        assert_eq!(outcomes(&report), expected, "{error}");
    }
}

#[tokio::test]
async fn the_hook_sees_each_outcome_as_it_happens() {
    let log = Log::default();
    let report = batch::sqs(fifo("A1 A2 B1"))
        .on_outcome(|record, outcome| {
            let name = record.identifier().unwrap();
            log.write(format!("{name}:{}", matches!(outcome, Outcome::Succeeded)));
        })
        .run(async |name: Message<String>| {
            log.write(&name.body);
            if name.body == "A1" { Err("no") } else { Ok(()) }
        })
        .await;
    assert_eq!(log.text(), "A1 A1:false B1 B1:true A2:false");
    assert_eq!(outcomes(&report), "fns");
}

#[tokio::test]
async fn a_hook_that_panics_changes_nothing() {
    let hook = |_: &SqsRecord, _: &Outcome| panic!("the hook");
    let report = batch::sqs(messages(3)).on_outcome(hook).run(only_even).await;
    assert_eq!(outcomes(&report), "sfs");
}

#[tokio::test]
async fn the_last_attempt_is_known_with_the_receive_count() {
    let log = Log::default();
    let event = |count| {
        let message = powertools::testing::events::SqsMessage::from(json!(1)).receive_count(count);
        super::parse::<SqsEvent>(
            powertools::testing::events::sqs("orders").message(message).build(),
        )
    };
    for (count, max) in [(1, Some(3)), (3, Some(3)), (4, Some(3)), (9, None)] {
        let mut batch = batch::sqs(event(count));
        if let Some(max) = max {
            batch = batch.max_receive_count(max);
        }
        let report = batch
            .run(async |n: Message<u64>| {
                assert_eq!(n.receive_count(), Some(count));
                log.write(n.is_last_attempt().to_string());
                Ok::<_, Infallible>(())
            })
            .await;
        assert!(report.is_done());
    }
    assert_eq!(log.text(), "false true true false");
}

#[tokio::test]
async fn every_source_has_handlers_for_the_raw_record() {
    assert!(batch::sqs(messages(1)).run(succeed::<SqsRecord>).await.is_done());
    assert!(batch::kinesis(stream("A1")).run(succeed::<KinesisRecord>).await.is_done());
    assert!(batch::dynamodb(changes("A1")).run(succeed::<DynamoDbRecord>).await.is_done());
    assert!(batch::kafka(topic("A1")).run(succeed::<KafkaRecord>).await.is_done());
}

#[test]
fn the_future_of_a_batch_can_be_spawned_and_can_borrow() {
    fn is_send<T: Send>(_: &T) {}
    fn is_static<T: Send + 'static>(_: &T) {}

    let local = String::from("local");
    let hook = |_: &SqsRecord, _: &Outcome| drop(local.clone());
    let future =
        batch::sqs(messages(1)).concurrency(2).on_outcome(hook).run(|message: Message<u64>| {
            let local = &local;
            async move {
                tokio::task::yield_now().await;
                Err::<(), _>(format!("{local} {}", message.body))
            }
        });
    is_send(&future);
    is_static(&batch::sqs(messages(1)).concurrency(2).run(only_even));
    is_static(&batch::kinesis(stream("A1")).run(succeed::<KinesisRecord>));
    is_static(&batch::dynamodb(changes("A1")).run(succeed::<batch::Change<u8>>));
    is_static(&batch::kafka(topic("A1")).run(succeed::<KafkaRecord>));
}

fn refused() -> powertools::idempotency::Outcome {
    powertools::idempotency::Outcome::Refused(None)
}

/// Does not compile if one of them can be dropped without a warning.
#[tokio::test]
#[deny(unfulfilled_lint_expectations)]
async fn what_holds_failures_must_be_used() {
    #[expect(unused_must_use)]
    batch::sqs(messages(1)).run(succeed::<SqsRecord>).await;
    #[expect(unused_must_use)]
    batch::sqs(messages(1)).run(succeed::<SqsRecord>).await.into_reply().unwrap();
    #[expect(unused_must_use)]
    RecordError::permanent("declined");
    #[expect(unused_must_use)]
    refused();
}
