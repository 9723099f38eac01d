//! Records that wait, as most do: for a table, for another service.

use std::future::Future;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use powertools::batch;
use powertools::events::{SqsEvent, SqsRecord};
use serde_json::json;
use tokio::sync::oneshot;

use crate::lines::block_on;
use crate::table::median;

const RECORDS: usize = 100;
const CONCURRENCY: usize = 10;
const WAIT: Duration = Duration::from_millis(20);
/// What it takes if nothing but the records takes time, and nothing waits for nothing.
const BEST: Duration = Duration::from_millis(200);
const SAMPLES: usize = 15;

/// Answers each request 20 ms after it came.
///
/// A thread keeps the time: the timer of tokio counts whole milliseconds and rounds up, which is
/// 5 % of these by itself.
struct Service(mpsc::Sender<(Instant, oneshot::Sender<()>)>);

impl Service {
    fn start() -> Self {
        let (requests, received) = mpsc::channel::<(Instant, oneshot::Sender<()>)>();
        thread::spawn(move || {
            // All take as long, so the next to be answered is the next that came.
            for (due, answer) in received {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                // A request that nobody waits for any more is none.
                let _ = answer.send(());
            }
        });
        Self(requests)
    }

    async fn call(&self) {
        let (answer, answered) = oneshot::channel();
        self.0.send((Instant::now() + WAIT, answer)).expect("it runs");
        answered.await.expect("it answers");
    }
}

/// Messages of a FIFO queue in groups, side by side.
fn event(queue: &str) -> SqsEvent {
    let record = |n: usize| {
        json!({
            "messageId": n.to_string(),
            "body": "{}",
            "attributes": { "MessageGroupId": format!("group {}", n % CONCURRENCY) },
            "eventSourceARN": format!("arn:aws:sqs:us-east-1:123456789012:{queue}"),
        })
    };
    let records: Vec<_> = (0..RECORDS).map(record).collect();
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

async fn ours(queue: &str, service: &Service) {
    let batch = batch::sqs(event(queue)).concurrency(CONCURRENCY);
    let report = batch
        .run(async |_: SqsRecord| {
            service.call().await;
            Ok::<_, String>(())
        })
        .await;
    assert!(report.is_done());
}

async fn by_hand(service: &Service) {
    stream::iter(0..RECORDS).map(|_| service.call()).buffer_unordered(CONCURRENCY).count().await;
}

fn time(work: impl Future<Output = ()>) -> f64 {
    let start = Instant::now();
    block_on(work);
    start.elapsed().as_secs_f64() / BEST.as_secs_f64()
}

#[expect(clippy::print_stdout, reason = "what a bench is for")]
pub(crate) fn print() {
    let service = Service::start();
    let mut samples = Vec::new();
    for _ in 0..SAMPLES {
        samples.push([
            time(ours("orders", &service)),
            time(ours("orders.fifo", &service)),
            time(by_hand(&service)),
        ]);
    }
    let row = |side: usize| median(samples.iter().map(|sample| sample[side]));
    println!();
    println!("100 records that wait 20 ms each, 10 side by side, as a part of 200 ms:");
    println!();
    println!("| SQS | FIFO with 10 groups | by hand, without order | target |");
    println!("|----:|--------------------:|-----------------------:|-------:|");
    println!("| {:.3} | {:.3} | {:.3} | 1.05 |", row(0), row(1), row(2));
}
