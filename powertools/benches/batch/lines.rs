use std::future::Future;
use std::hint::black_box;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent as TheirEvent};
use lambda_runtime::Context;
use powertools::Invocation;
use powertools::batch::{self, Message};
use powertools::events::{SqsEvent, SqsRecord};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;

use crate::messages::{Order, event};

type Side = Box<dyn Fn() -> Duration>;

/// Two ways to do the same work. Each does it once and says how long that took.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) target: Target,
    /// How many records one run handles.
    pub(crate) records: u64,
    /// Makes ours, and the floor.
    pub(crate) prepare: fn() -> (Side, Side),
}

/// What a line may take.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// So many times its floor.
    Ratio(f64),
    /// So many nanoseconds a record.
    Nanoseconds(f64),
}

const RECORDS: u64 = 10_000;

pub(crate) const LINES: &[Line] = &[
    Line {
        name: "event to reply",
        target: Target::Ratio(0.75),
        records: RECORDS,
        prepare: || event_to_reply(18),
    },
    Line {
        name: "event to reply, real handles",
        target: Target::Ratio(0.75),
        records: RECORDS,
        prepare: || event_to_reply(412),
    },
    Line {
        name: "engine",
        target: Target::Nanoseconds(100.0),
        records: RECORDS,
        prepare: || engine(1),
    },
    Line {
        name: "engine at concurrency 10",
        target: Target::Nanoseconds(300.0),
        records: RECORDS,
        prepare: || engine(10),
    },
];

/// Both sides must say the same.
pub(crate) fn check() {
    let event = event(RECORDS, 412);
    let ours = block_on(ours(&event));
    assert_eq!(ours, block_on(by_hand(&event)));
    assert_eq!(ours.windows(14).filter(|bytes| bytes == b"itemIdentifier").count(), 10);
}

/// Runs `work` as in a function: on one thread, inside an invocation.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(Invocation::new(&Context::default()).scope(work))
}

/// As `lambda_runtime` does it.
pub(crate) fn parse<T: for<'de> Deserialize<'de>>(event: &[u8]) -> T {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(event)).unwrap()
}

pub(crate) async fn ours(event: &[u8]) -> Vec<u8> {
    let report =
        batch::sqs(parse::<SqsEvent>(event)).run(|order: Message<Order>| order.body.charge()).await;
    serde_json::to_vec(&report.into_reply().unwrap()).unwrap()
}

pub(crate) async fn by_hand(event: &[u8]) -> Vec<u8> {
    let event: TheirEvent = parse(event);
    let mut reply = SqsBatchResponse::default();
    for record in event.records {
        let result = match serde_json::from_str::<Order>(record.body.as_deref().unwrap_or_default())
        {
            Ok(order) => order.charge().await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if black_box(result).is_err() {
            reply.add_failure(record.message_id.unwrap_or_default());
        }
    }
    serde_json::to_vec(&reply).unwrap()
}

fn event_to_reply(receipt_handle: usize) -> (Side, Side) {
    let bytes = event(RECORDS, receipt_handle);
    let other = bytes.clone();
    (
        Box::new(move || block_on(timed(async || ours(black_box(&bytes)).await))),
        Box::new(move || block_on(timed(async || by_hand(black_box(&other)).await))),
    )
}

/// The time of this thread on a CPU: other programs do not count.
async fn timed<T>(work: impl AsyncFnOnce() -> T) -> Duration {
    let start = cpu_time();
    black_box(work().await);
    cpu_time() - start
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

/// The engine alone, with records that are there already, beside a loop.
fn engine(concurrency: usize) -> (Side, Side) {
    let event: SqsEvent = parse(&event(RECORDS, 18));
    let other = event.clone();
    (
        Box::new(move || {
            let event = event.clone();
            block_on(timed(async || {
                let batch = batch::sqs(event).concurrency(concurrency);
                let report = batch.run(async |record: SqsRecord| handle(record)).await;
                report.into_reply().unwrap()
            }))
        }),
        Box::new(move || {
            let event = other.clone();
            block_on(timed(async || {
                let mut failed = Vec::new();
                for record in event.records {
                    if handle(record.clone()).is_err() {
                        failed.push(record.message_id().map(str::to_owned));
                    }
                }
                failed
            }))
        }),
    )
}

fn handle(record: SqsRecord) -> Result<(), String> {
    black_box(record.body());
    Ok(())
}
