//! What reading the events of streams takes, beside the same work written by hand on `aws_lambda_events` and
//! `apache-avro`.
//!
//! Each side is measured as the CPU time of its thread, in turns, and the median of the ratios is printed: a
//! busy machine slows both sides.

use std::hint::black_box;
use std::time::{Duration, Instant};

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use apache_avro::{AvroSchema, Schema};
use aws_lambda_events::dynamodb::Event as TheirChanges;
use aws_lambda_events::kafka::KafkaEvent as TheirTopic;
use aws_lambda_events::kinesis::KinesisEvent as TheirStream;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lambda_runtime::Context;
use powertools::Invocation;
use powertools::batch::{self, Change, KafkaMessage, KinesisMessage, Message};
use powertools::events::{Avro, DynamoDbEvent, KafkaEvent, KinesisEvent, Schemas, SqsEvent};
use powertools::testing::events::{self, KafkaRecord, KinesisRecord};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const RECORDS: usize = 10_000;
const SAMPLES: usize = 21;

#[derive(Debug, Deserialize, Serialize, AvroSchema)]
struct Order {
    number: i64,
    customer: String,
    currency: String,
    items: Vec<Item>,
}

#[derive(Debug, Deserialize, Serialize, AvroSchema)]
struct Item {
    sku: String,
    qty: i32,
    price: f64,
}

fn order(number: usize) -> Order {
    let item = |n: i32| Item { sku: format!("A-{n}"), qty: 1 + n % 3, price: 9.99 };
    let number = number.try_into().unwrap();
    Order {
        number,
        customer: "customer-1042".to_owned(),
        currency: "EUR".to_owned(),
        items: (0..3).map(item).collect(),
    }
}

/// Handles an order. None fails, since a stream ends there.
fn charge(number: i64) -> Result<(), &'static str> {
    if black_box(number) < 0 { Err("it failed") } else { Ok(()) }
}

#[expect(clippy::print_stdout, reason = "what a bench is for")]
fn main() {
    println!("| line | target | ratio | ours, ns a record | floor |\n|---|--:|--:|--:|--:|");
    measure("Kinesis, event to reply", 0.7, &kinesis());
    measure("DynamoDB, event to reply", 0.7, &dynamodb());
    measure("Kafka, event to reply", 0.7, &kafka());
    measure("KPL, beside the same records not aggregated", 1.3, &kpl());
    measure("Avro, beside apache-avro", 1.2, &avro());
    spawned();
}

type Side = Box<dyn Fn() -> usize>;

/// Returns true unless the arguments name other lines.
fn is_wanted(name: &str) -> bool {
    let mut names = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).peekable();
    names.peek().is_none() || names.any(|part| name.contains(&*part))
}

fn samples() -> usize {
    if std::env::args().any(|arg| arg == "--test") { 1 } else { SAMPLES }
}

/// Prints the ratio of both sides, which find as many failures.
#[expect(clippy::print_stdout, reason = "what a bench is for")]
fn measure(name: &str, target: f64, (ours, floor): &(Side, Side)) {
    if !is_wanted(name) {
        return;
    }
    assert_eq!(ours(), floor(), "{name}");
    let mut pairs: Vec<_> = (0..samples())
        .map(|turn| {
            if turn % 2 == 0 {
                let ours = timed(ours);
                (ours, timed(floor))
            } else {
                let floor = timed(floor);
                (timed(ours), floor)
            }
        })
        .collect();
    pairs.sort_by(|(a, b), (c, d)| (a / b).total_cmp(&(c / d)));
    let (ours, floor) = pairs[pairs.len() / 2];
    println!("| {name} | {target} | {:.2} | {ours:.0} | {floor:.0} |", ours / floor);
}

/// Prints how much faster records that compute are on two cores, by the time that passes: pairs of runs in turns.
#[expect(clippy::print_stdout, reason = "what a bench is for")]
fn spawned() {
    const COMPUTING: usize = 200;

    if !is_wanted("spawned") {
        return;
    }
    let queue = (0..COMPUTING).fold(events::sqs("images"), |queue, n| queue.message(json!(n)));
    let event: SqsEvent = serde_json::from_value(queue.build()).unwrap();
    let resize = async |number: Message<u64>| {
        let mut hash = number.body + 1;
        for _ in 0..1_000_000 {
            hash = black_box(hash).wrapping_mul(6_364_136_223_846_793_005).rotate_left(17);
        }
        if black_box(hash) == 0 { Err("it failed") } else { Ok(()) }
    };
    let mut cores = tokio::runtime::Builder::new_multi_thread();
    let cores = cores.worker_threads(2).enable_time().build().unwrap();
    let invocation = || Invocation::new(&Context::default());
    let alone = || {
        let work = batch::sqs(event.clone()).run(resize);
        assert!(cores.block_on(invocation().scope(work)).is_done());
    };
    let spread = || {
        let work = batch::sqs(event.clone()).concurrency(2).run_spawned(resize);
        assert!(cores.block_on(invocation().scope(work)).is_done());
    };
    let time = |work: &dyn Fn()| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    let mut ratios: Vec<_> = (0..samples())
        .map(|_| {
            let before = time(&alone);
            let spread = time(&spread);
            f64::midpoint(before, time(&alone)) / spread
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let (median, best) = (ratios[ratios.len() / 2], ratios[ratios.len() - 1]);
    println!("\nspawned on two cores: {median:.2} times as fast, {best:.2} at best (target 1.8)");
}

fn timed(side: &Side) -> f64 {
    let start = cpu_time();
    black_box(side());
    (cpu_time() - start).as_secs_f64() * 1e9 / RECORDS as f64
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(Invocation::new(&Context::default()).scope(work))
}

/// As `lambda_runtime` does it.
fn parse<T: for<'de> Deserialize<'de>>(event: &[u8]) -> T {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(event)).unwrap()
}

fn bytes(event: &Value) -> Vec<u8> {
    serde_json::to_vec(event).unwrap()
}

/// The bytes of a reply that reports these records.
fn reply(failed: &[impl Serialize]) -> Vec<u8> {
    let failures: Vec<_> = failed.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    bytes(&json!({ "batchItemFailures": failures }))
}

fn kinesis() -> (Side, Side) {
    let records = (0..RECORDS).fold(events::kinesis("orders"), |records, n| {
        records.record(KinesisRecord::json(format!("k-{}", n % 100), json!(order(n))))
    });
    let event = bytes(&records.build());
    let other = event.clone();
    let ours = move || {
        let handler = async |order: KinesisMessage<Order>| charge(order.body.number);
        let batch = batch::kinesis(parse::<KinesisEvent>(&event));
        let reply = block_on(batch.run(handler)).into_reply().unwrap();
        black_box(serde_json::to_vec(&reply).unwrap());
        reply.batch_item_failures.len()
    };
    let floor = move || {
        let event: TheirStream = parse(&other);
        let mut failed = Vec::new();
        for record in event.records {
            let order: Result<Order, _> = serde_json::from_slice(&record.kinesis.data);
            if !order.is_ok_and(|order| charge(order.number).is_ok()) {
                failed.push(record.kinesis.sequence_number);
                break;
            }
        }
        black_box(reply(&failed));
        failed.len()
    };
    (Box::new(ours), Box::new(floor))
}

fn dynamodb() -> (Side, Side) {
    let records = (0..RECORDS).fold(events::dynamodb("orders"), |records, n| {
        records.insert(json!({ "id": format!("o-{n}") }), json!(order(n)))
    });
    let event = bytes(&records.build());
    let other = event.clone();
    let ours = move || {
        let handler = async |change: Change<Order>| {
            charge(change.new.as_ref().map_or(-1, |order| order.number))
        };
        let batch = batch::dynamodb(parse::<DynamoDbEvent>(&event));
        let reply = block_on(batch.run(handler)).into_reply().unwrap();
        black_box(serde_json::to_vec(&reply).unwrap());
        reply.batch_item_failures.len()
    };
    let floor = move || {
        let event: TheirChanges = parse(&other);
        let mut failed = Vec::new();
        for record in event.records {
            let order: Result<Order, _> = serde_dynamo::from_item(record.change.new_image);
            if !order.is_ok_and(|order| charge(order.number).is_ok()) {
                failed.push(record.change.sequence_number);
                break;
            }
        }
        black_box(reply(&failed));
        failed.len()
    };
    (Box::new(ours), Box::new(floor))
}

fn kafka_event(value: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let records = (0..RECORDS).fold(events::kafka("orders"), |records, n| {
        records.record(KafkaRecord::new(value(n)).partition((n % 10).try_into().unwrap()))
    });
    bytes(&records.build())
}

fn kafka() -> (Side, Side) {
    let event = kafka_event(|n| serde_json::to_vec(&order(n)).unwrap());
    let other = event.clone();
    let ours = move || {
        let handler = async |order: KafkaMessage<Order>| charge(order.body.number);
        let batch = batch::kafka(parse::<KafkaEvent>(&event)).partial_response();
        let reply = block_on(batch.run(handler)).into_reply().unwrap();
        black_box(serde_json::to_vec(&reply).unwrap());
        reply.batch_item_failures.len()
    };
    let floor = move || {
        by_hand(&other, |value| {
            serde_json::from_slice::<Order>(value).ok().map(|order| order.number)
        })
    };
    (Box::new(ours), Box::new(floor))
}

/// Handles the records of a topic with the usual loop.
fn by_hand(event: &[u8], read: impl Fn(&[u8]) -> Option<i64>) -> usize {
    let event: TheirTopic = parse(event);
    let mut failed = Vec::new();
    for (partition, records) in event.records {
        for record in records {
            let value =
                BASE64_STANDARD.decode(record.value.unwrap_or_default()).unwrap_or_default();
            if read(&value).is_none_or(|number| charge(number).is_err()) {
                failed.push(json!({ "partition": partition, "offset": record.offset }));
                break;
            }
        }
    }
    black_box(reply(&failed));
    failed.len()
}

fn kpl() -> (Side, Side) {
    let user = |n: usize| (format!("k-{}", n % 100), serde_json::to_vec(&order(n)).unwrap());
    let aggregated = (0..RECORDS / 100).fold(events::kinesis("orders"), |records, batch| {
        let users: Vec<_> = (0..100).map(|n| user(100 * batch + n)).collect();
        let users = users.iter().map(|(key, data)| KinesisRecord::new(key, data.clone()));
        records.record(KinesisRecord::aggregated(users))
    });
    let alone = (0..RECORDS).map(user).fold(events::kinesis("orders"), |records, (key, data)| {
        records.record(KinesisRecord::new(&key, data))
    });
    let side = |event: Value| -> Side {
        let event = bytes(&event);
        Box::new(move || {
            let handler = async |order: KinesisMessage<Order>| charge(order.body.number);
            let batch = batch::kinesis(parse::<KinesisEvent>(&event));
            let report = block_on(batch.run(handler));
            assert_eq!(report.records().len(), RECORDS);
            black_box(serde_json::to_vec(&report.into_reply().unwrap()).unwrap()).len()
        })
    };
    (side(aggregated.build()), side(alone.build()))
}

fn avro() -> (Side, Side) {
    let writer = Order::get_schema();
    let text = serde_json::to_string(&writer).unwrap();
    let write = GenericDatumWriter::builder(&writer).build().unwrap();
    let datum = |n: usize| {
        let datum = write.write_ser_to_vec(&order(n)).unwrap();
        [&[0, 0, 0, 0, 7][..], &datum].concat()
    };
    let event = kafka_event(datum);
    let other = event.clone();
    let schemas = Schemas::new().schema(7, text.as_str());
    let ours = move || {
        let handler = async |order: KafkaMessage<Avro<Order>>| charge(order.body.number);
        let report = block_on(async {
            let event = parse::<KafkaEvent>(&event).with_schemas(&schemas).await;
            batch::kafka(event).partial_response().run(handler).await
        });
        let reply = report.into_reply().unwrap();
        black_box(serde_json::to_vec(&reply).unwrap());
        reply.batch_item_failures.len()
    };
    let writer = Schema::parse_str(&text).unwrap();
    let reader = Order::get_schema();
    let floor = move || {
        let read = GenericDatumReader::builder(&writer).reader_schema(&reader).build().unwrap();
        by_hand(&other, |value| {
            let value = read.read_value(&mut value.get(5..)?).ok()?;
            apache_avro::from_value::<Order>(&value).ok().map(|order| order.number)
        })
    };
    (Box::new(ours), Box::new(floor))
}
