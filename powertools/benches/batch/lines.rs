use std::hint::black_box;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent as TheirEvent};
use bytes::Bytes;
use lambda_runtime::{Context, Diagnostic, Error, LambdaEvent, LambdaInvocation};
use powertools::batch::{self, Message};
use powertools::events::{SqsEvent, SqsRecord};
use powertools::testing::{self, in_process};
use powertools::{Invocation, Powertools};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use tower::{Service, service_fn};

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
        target: Target::Ratio(0.42),
        records: RECORDS,
        prepare: || event_to_reply(RECORDS, 18),
    },
    Line {
        name: "event to reply, real handles",
        target: Target::Ratio(0.42),
        records: RECORDS,
        prepare: || event_to_reply(RECORDS, 412),
    },
    Line {
        name: "events of 10 records",
        target: Target::Ratio(0.5),
        records: RECORDS,
        prepare: || event_to_reply(10, 412),
    },
    Line {
        name: "events of 1 record",
        target: Target::Ratio(0.6),
        records: RECORDS,
        prepare: || event_to_reply(1, 412),
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
    for records in [1, 10, RECORDS] {
        let event = Bytes::from(event(records, 412));
        let mut replies = Vec::new();
        block_on(async {
            replies.push(ours().call(invocation(&event, &context())).await.unwrap());
            replies.push(by_hand().call(invocation(&event, &context())).await.unwrap());
        });
        let failures = replies[0].windows(14).filter(|bytes| bytes == b"itemIdentifier").count();
        assert_eq!(failures as u64, records / 1_000);
        assert_eq!(replies[0], replies[1]);
    }
}

/// Runs `work` as in a function: on one thread.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(work)
}

/// As `lambda_runtime` does it.
pub(crate) fn parse<T: for<'de> Deserialize<'de>>(event: &[u8]) -> T {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(event)).unwrap()
}

/// What the runtime has of an event when its bytes have arrived.
pub(crate) fn invocation(event: &Bytes, context: &Context) -> LambdaInvocation {
    let (parts, ()) = http::Response::new(()).into_parts();
    LambdaInvocation { parts, body: event.clone(), context: context.clone() }
}

pub(crate) fn context() -> Context {
    testing::invocation().remaining(Duration::from_secs(600)).context()
}

/// A function with `Powertools`, as the runtime calls it.
pub(crate) fn ours() -> impl Service<LambdaInvocation, Response = Vec<u8>, Error = Diagnostic> {
    let handler = async |event: LambdaEvent<SqsEvent>| {
        let charge = |order: Message<Order>| order.body.charge();
        batch::sqs(event.payload).run(charge).await.into_reply()
    };
    in_process::function(Powertools::new(handler))
}

/// The usual loop, as `lambda_runtime` calls it.
pub(crate) fn by_hand() -> impl Service<LambdaInvocation, Response = Vec<u8>, Error = Diagnostic> {
    in_process::handler_alone(service_fn(async |event: LambdaEvent<TheirEvent>| {
        let mut reply = SqsBatchResponse::default();
        for record in event.payload.records {
            let body = record.body.as_deref().unwrap_or_default();
            let result = match serde_json::from_str::<Order>(body) {
                Ok(order) => order.charge().await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if black_box(result).is_err() {
                reply.add_failure(record.message_id.unwrap_or_default());
            }
        }
        Ok::<_, Error>(reply)
    }))
}

/// From the bytes of events, with so many records each, to those of their replies.
fn event_to_reply(records: u64, receipt_handle: usize) -> (Side, Side) {
    let bytes = Bytes::from(event(records, receipt_handle));
    let events = RECORDS / records;
    (side(bytes.clone(), events, ours), side(bytes, events, by_hand))
}

fn side<S>(event: Bytes, events: u64, function: fn() -> S) -> Side
where
    S: Service<LambdaInvocation, Response = Vec<u8>, Error = Diagnostic> + 'static,
{
    Box::new(move || {
        let context = context();
        let invocations: Vec<_> = (0..events).map(|_| invocation(&event, &context)).collect();
        let mut function = function();
        block_on(timed(async || {
            for invocation in invocations {
                black_box(function.call(black_box(invocation)).await.unwrap());
            }
        }))
    })
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
            block_on(Invocation::new(&Context::default()).scope(timed(async || {
                let batch = batch::sqs(event).concurrency(concurrency);
                let report = batch.run(async |record: SqsRecord| handle(record)).await;
                report.into_reply().unwrap()
            })))
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
