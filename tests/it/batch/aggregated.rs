//! Records that the Kinesis Producer Library aggregated.

use std::convert::Infallible;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use powertools::batch::{self, KinesisMessage};
use powertools::events::{KinesisEvent, KinesisRecord, ParseError, natural};
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::testing::events::{self, KinesisRecord as Sent};
use powertools_tests::vectors::kinesis_aggregates;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Log, base64, outcomes, parse, reported};

/// A stream of records named by their partition key and a number. Those in parentheses are one
/// aggregate: `A1 (A2 B1) C1`. The sequence numbers count from 1.
fn stream(names: &str) -> KinesisEvent {
    let mut event = events::kinesis("clicks");
    let mut open: Option<Vec<Sent>> = None;
    let mut number = 0;
    for name in names.split(' ') {
        if name.starts_with('(') {
            open = Some(Vec::new());
        }
        let plain = name.trim_matches(['(', ')']);
        let mut record = Sent::json(&plain[..1], json!(plain));
        if let Some(records) = &mut open {
            records.push(record);
            if !name.ends_with(')') {
                continue;
            }
            record = Sent::aggregated(open.take().unwrap());
        }
        number += 1;
        event = event.record(record.sequence_number(number.to_string()));
    }
    parse(event.build())
}

/// An event of one record with this data.
fn of_data(data: impl AsRef<[u8]>) -> KinesisEvent {
    parse(events::kinesis("s").record(Sent::new("outer", data.as_ref().to_vec())).build())
}

fn user_records(data: &[u8]) -> Result<Vec<KinesisRecord>, ParseError> {
    of_data(data).records[0].user_records()
}

#[test]
fn what_a_real_producer_aggregates_is_taken_apart_and_written_alike() {
    let decode = |value: &Value| BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
    for case in kinesis_aggregates() {
        let name = &case["name"];
        let expected = case["records"].as_array().unwrap();
        let aggregate = decode(&case["aggregate"]);
        let read = user_records(&aggregate).unwrap();
        assert_eq!(read.len(), expected.len(), "{name}");
        for (index, (read, sent)) in std::iter::zip(&read, expected).enumerate() {
            assert_eq!(read.partition_key(), sent["partition_key"].as_str(), "{name}");
            assert_eq!(read.explicit_hash_key(), sent["explicit_hash_key"].as_str(), "{name}");
            assert_eq!(read.data().unwrap(), decode(&sent["data"]), "{name}");
            assert_eq!(read.sub_sequence_number(), Some(index));
            assert!(!read.is_aggregated());
        }
        let written = Sent::aggregated(expected.iter().map(|sent| {
            let record = Sent::new(sent["partition_key"].as_str().unwrap(), decode(&sent["data"]));
            match sent["explicit_hash_key"].as_str() {
                Some(key) => record.explicit_hash_key(key),
                None => record,
            }
        }));
        let event: KinesisEvent = parse(events::kinesis("s").record(written).build());
        assert_eq!(event.records[0].stream_data().unwrap(), aggregate, "{name}");
    }
}

#[tokio::test]
async fn each_record_of_an_aggregate_is_processed_as_one() {
    let log = Log::default();
    let report = batch::kinesis(stream("A1 (A2 B1) C1"))
        .run(async |record: KinesisMessage<String>| {
            log.write(format!("{}:{}", record.body, record.partition_key().unwrap()));
            Ok::<_, Infallible>(())
        })
        .await;
    assert_eq!(outcomes(&report), "ssss");
    assert_eq!(log.text(), "A1:A A2:A B1:B C1:C");
    assert!(reported(report).is_empty());
}

#[tokio::test]
async fn the_failure_of_an_inner_record_reports_the_number_of_the_outer_one() {
    let report = batch::kinesis(stream("A1 (A2 B1 A3) C1"))
        .run(
            async |record: KinesisMessage<String>| {
                if record.body == "B1" { Err("no") } else { Ok(()) }
            },
        )
        .await;
    assert_eq!(outcomes(&report), "ssfnn");
    assert_eq!(reported(report), ["2"]);
}

/// B runs beside the first A; the second A waits for the first, although one aggregate has them all.
#[tokio::test]
async fn order_is_kept_within_the_inner_partition_key() {
    let log = Log::default();
    let report = batch::kinesis(stream("(A1 A2 B1)"))
        .concurrency(3)
        .run(async |record: KinesisMessage<String>| {
            log.write(format!("+{}", record.body));
            for _ in 0..if record.body == "A1" { 5 } else { 1 } {
                tokio::task::yield_now().await;
            }
            log.write(format!("-{}", record.body));
            Ok::<_, Infallible>(())
        })
        .await;
    assert_eq!(outcomes(&report), "sss");
    assert_eq!(log.text(), "+A1 +B1 -B1 -A1 +A2 -A2");
}

/// What succeeded in an aggregate is delivered again with it.
#[tokio::test]
async fn idempotent_inner_records_are_each_processed_once() {
    let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
    let log = Log::default();
    let run = async |fails: bool| {
        let batch = batch::kinesis(stream("(A1 A2 B1) A3"));
        let batch = batch.idempotent(idempotency.clone(), "click", |work, record| {
            work.key(&natural::<KinesisMessage<String>>(record))
        });
        let handler = async |record: KinesisMessage<String>| {
            log.write(record.body.clone());
            if fails && record.body == "B1" { Err("no") } else { Ok(()) }
        };
        reported(batch.run(handler).await)
    };
    assert_eq!(run(true).await, ["1"]);
    assert!(run(false).await.is_empty());
    assert_eq!(log.text(), "A1 A2 B1 B1 A3");
}

#[test]
fn inner_records_have_keys_of_their_own_and_others_keep_theirs() {
    let event = stream("(A1 A1) A1");
    let inner = event.records[0].user_records().unwrap();
    let keys = inner.iter().map(|record| serde_json::to_string(&natural(record)).unwrap());
    let keys: Vec<_> = keys.collect();
    assert!(keys[0].ends_with(r#":1","0"]"#) && keys[1].ends_with(r#":1","1"]"#), "{keys:?}");
    let plain = event.records[1].user_records().unwrap();
    assert_eq!(natural(&plain[0]), natural(&event.records[1]));
    assert_eq!(plain[0].sub_sequence_number(), None);
}

/// The checksum is wrong: nothing in it can be trusted. The record before it is done.
#[tokio::test]
async fn a_broken_aggregate_fails_alone_with_an_error_that_names_the_kpl() {
    let aggregate = stream("(A1 A2)").records[0].stream_data().unwrap();
    let changed = |place: usize| {
        let mut data = aggregate.clone();
        data[place] ^= 1;
        data
    };
    let cut = |length: usize| aggregate[..length].to_vec();
    let length = aggregate.len();
    for (data, problem) in [
        (changed(10), "its checksum is not that of its message"),
        (changed(length - 1), "its checksum is not that of its message"),
        (cut(length - 1), "its checksum is not that of its message"),
        (cut(19), "it has no checksum"),
        (cut(4), "it has no checksum"),
    ] {
        let mut event = events::kinesis("s").record(Sent::json("A", json!("A1")));
        event = event.record(Sent::new("B", data.clone()).sequence_number("7"));
        let event: KinesisEvent = parse(event.build());
        let sent = event.records[1].stream_data().unwrap();
        assert_eq!(sent, data, "a sink can keep it");

        let run = batch::kinesis(event.clone())
            .run(async |_: KinesisMessage<Value>| Ok::<_, Infallible>(()));
        let report = run.await;
        assert_eq!(outcomes(&report), "sf");
        let error = report.records().last().unwrap().1.error().unwrap().to_string();
        assert!(
            error.contains("Kinesis Producer Library (KPL)") && error.contains(problem),
            "{error}"
        );
        assert_eq!(reported(report), ["7"]);

        // Whoever takes the record finds the same.
        let taken =
            batch::kinesis(event).run(async |record: KinesisRecord| record.data().map(drop));
        assert_eq!(reported(taken.await), ["7"]);
    }
}

#[test]
fn other_data_is_no_aggregate() {
    for data in [&b""[..], b"{}", b"\xf3\x89\x9a", b"\xf3\x89\x9a\xc3 and more than a checksum"] {
        let event = of_data(data);
        assert!(!event.records[0].is_aggregated(), "{data:?}");
        assert_eq!(event.records[0].data().unwrap(), data);
    }
    assert!(of_data(b"\xf3\x89\x9a\xc2").records[0].is_aggregated());
}

#[test]
fn the_data_of_a_whole_aggregate_is_not_taken_for_that_of_a_record() {
    let event = stream("(A1 A2)");
    assert!(event.records[0].is_aggregated());
    let error = event.records[0].data().unwrap_err();
    assert!(matches!(error, ParseError::Aggregated { .. }));
    assert!(error.to_string().ends_with("take the records that `user_records` returns"), "{error}");
}

#[tokio::test]
async fn an_aggregate_of_nothing_is_done() {
    let event = events::kinesis("s").record(Sent::aggregated([])).record(Sent::json("A", json!(1)));
    let run = batch::kinesis(parse::<KinesisEvent>(event.build()))
        .run(async |_: KinesisMessage<u8>| Ok::<_, Infallible>(()));
    let report = run.await;
    assert_eq!(outcomes(&report), "s");
    assert!(reported(report).is_empty());
}

/// A record as a producer may send it: partition key, explicit hash key, data.
type Any = (String, Option<String>, Vec<u8>);

fn any_records() -> impl Strategy<Value = Vec<Any>> {
    let data = prop::collection::vec(any::<u8>(), 0..200);
    prop::collection::vec(("[a-cä😀]{1,2}", prop::option::of("[0-9]{1,2}"), data), 1..40)
}

fn aggregate(records: &[Any]) -> Vec<u8> {
    let sent = records.iter().map(|(key, hash, data)| {
        let record = Sent::new(key, Bytes::from(data.clone()));
        hash.iter().fold(record, |record, hash| record.explicit_hash_key(hash))
    });
    let event: KinesisEvent = parse(events::kinesis("s").record(Sent::aggregated(sent)).build());
    event.records[0].stream_data().unwrap()
}

proptest! {
    #[test]
    fn records_survive_their_aggregation(records in any_records()) {
        let read = user_records(&aggregate(&records)).unwrap();
        let read: Vec<Any> = read
            .iter()
            .map(|record| {
                let [key, hash] = [record.partition_key(), record.explicit_hash_key()];
                (key.unwrap().to_owned(), hash.map(str::to_owned), record.data().unwrap())
            })
            .collect();
        prop_assert_eq!(read, records);
    }

    /// A change is found by the checksum, or it makes other data of it; no record is lost or changed.
    #[test]
    fn a_damaged_aggregate_is_one_record_that_fails_or_other_data(
        records in any_records(),
        place: prop::sample::Index,
        change in 1..=255u8,
        cut: bool,
    ) {
        let mut data = aggregate(&records);
        let place = place.index(data.len());
        if cut {
            data.truncate(place);
        } else {
            data[place] ^= change;
        }
        let event = of_data(&data);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let report = runtime.block_on(
            batch::kinesis(event).run(async |record: KinesisRecord| record.data().map(drop)),
        );
        let expected = if data.starts_with(b"\xf3\x89\x9a\xc2") { "f" } else { "s" };
        prop_assert_eq!(outcomes(&report), expected);
        prop_assert_eq!(base64(&data), base64(report.records().next().unwrap().0.stream_data().unwrap()));
    }
}
