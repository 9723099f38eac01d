//! A function with 16 workers: 10,000 different keys, then 10,000 replays, on the real runtime.
//!
//! The floor is the same function without idempotency. See the README beside this.

use std::cell::Cell;
use std::env;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::idempotency::{Claim, Completion, Outcome, Read, Release, Renewal};
use powertools::idempotency::{Idempotency, MemoryStore, Record, Store, StoreError};
use powertools::testing::FakeRuntime;
use serde_json::{Value, json};

const WORKERS: u32 = 16;

fn main() {
    // `cargo test --benches` only wants to know that it works.
    let events = if env::args().any(|arg| arg == "--bench") { 10_000 } else { 32 };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime can be had").block_on(run(events));
}

async fn run(events: usize) {
    let bare = Phase::measure(events, &Function::default(), 2).await;
    let function = Function { idempotency: Some(Arc::new(idempotency())), ..Function::default() };
    let ours = Phase::measure(events, &function, 2).await;

    print(&[
        ("without idempotency, 10,000 keys", &bare[0]),
        ("first calls, 10,000 keys", &ours[0]),
        ("without idempotency, again", &bare[1]),
        ("replays, the same keys", &ours[1]),
    ]);
}

fn idempotency() -> Idempotency<Timed> {
    Idempotency::new(Timed(MemoryStore::new())).expect("the options are right")
}

/// A handler that measures itself.
#[derive(Clone, Default)]
struct Function {
    idempotency: Option<Arc<Idempotency<Timed>>>,
    /// What each event took in the handler, and what of that in the store.
    times: Arc<Mutex<Vec<(Duration, Duration)>>>,
}

impl Function {
    async fn handle(self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        STORE.scope(Cell::default(), self.timed(event.payload)).await
    }

    async fn timed(self, event: Value) -> Result<Value, Error> {
        let start = Instant::now();
        let result = self.charge(event).await?;
        let time = start.elapsed();
        let store = STORE.with(Cell::get);
        self.times.lock().expect("nothing panics").push((time, store));
        Ok(result)
    }

    async fn charge(&self, event: Value) -> Result<Value, Error> {
        let order = event["order_id"].clone();
        let work = async { Ok(json!({ "order_id": event["order_id"], "status": "charged" })) };
        match &self.idempotency {
            Some(idempotency) => idempotency.run("charge", &order, work).await,
            None => work.await,
        }
    }
}

/// All events once.
struct Phase {
    time: Duration,
    /// What each event took in the handler outside of the store, in order.
    latencies: Vec<Duration>,
    store: Duration,
}

impl Phase {
    /// Sends each of so many events, and all of them again as often as there are `phases`.
    async fn measure(events: usize, function: &Function, phases: usize) -> Vec<Self> {
        let lambda = FakeRuntime::new().concurrency(WORKERS);
        let handler = function.clone();
        let _function = lambda.run(async move {
            let handle = move |event: LambdaEvent<Value>| handler.clone().handle(event);
            Powertools::new(handle).run().await
        });
        // Starts the workers.
        for number in 0..WORKERS {
            lambda.invoke(json!({ "order_id": format!("warm-up-{number}") })).await;
        }

        let mut measured = Vec::new();
        for _ in 0..phases {
            function.times.lock().expect("nothing panics").clear();
            let start = Instant::now();
            let sent: Vec<_> = (0..events)
                .map(|number| lambda.send(json!({ "order_id": format!("order-{number}") })))
                .collect();
            for event in sent {
                assert!(event.outcome().await.response().is_some(), "the function succeeds");
            }
            measured.push(Self::new(start.elapsed(), function));
        }
        measured
    }

    fn new(time: Duration, function: &Function) -> Self {
        let times = function.times.lock().expect("nothing panics");
        let mut latencies: Vec<_> = times.iter().map(|(time, store)| *time - *store).collect();
        latencies.sort();
        Self { time, latencies, store: times.iter().map(|(_, store)| store).sum() }
    }

    fn percentile(&self, percent: f64) -> f64 {
        let index = (self.latencies.len() - 1) as f64 * percent / 100.0;
        self.latencies[index as usize].as_secs_f64() * 1e6
    }
}

#[expect(clippy::print_stdout, reason = "what a bench is for")]
fn print(rows: &[(&str, &Phase)]) {
    println!("| {:32} | events/s | p50 µs | p90 µs | p99 µs | max µs | store µs |", "");
    println!("|{:-<34}|---------:|-------:|-------:|-------:|-------:|---------:|", "");
    for (name, phase) in rows {
        let count = phase.latencies.len() as f64;
        let [p50, p90, p99, max] = [50.0, 90.0, 99.0, 100.0].map(|p| phase.percentile(p));
        println!(
            "| {name:32} | {:8.0} | {p50:6.1} | {p90:6.1} | {p99:6.1} | {max:6.0} | {:8.2} |",
            count / phase.time.as_secs_f64(),
            phase.store.as_secs_f64() * 1e6 / count,
        );
    }
}

tokio::task_local! {
    /// What the current event has spent in the store.
    static STORE: Cell<Duration>;
}

/// A store that knows what it takes.
#[derive(Debug)]
struct Timed(MemoryStore);

async fn timed<T>(call: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let answer = call.await;
    STORE.with(|spent| spent.set(spent.get() + start.elapsed()));
    answer
}

impl Store for Timed {
    fn scope(&self) -> &str {
        self.0.scope()
    }

    async fn claim(&self, claim: &Claim) -> Result<Outcome, StoreError> {
        timed(self.0.claim(claim)).await
    }

    async fn complete(&self, completion: &Completion) -> Result<Outcome, StoreError> {
        timed(self.0.complete(completion)).await
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Outcome, StoreError> {
        timed(self.0.renew(renewal)).await
    }

    async fn release(&self, release: &Release) -> Result<Outcome, StoreError> {
        timed(self.0.release(release)).await
    }

    async fn read(&self, read: &Read) -> Result<Option<Record>, StoreError> {
        timed(self.0.read(read)).await
    }
}
