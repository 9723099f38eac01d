//! The worst that happens in production, on every emulator.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use powertools::idempotency::{Builder, DynamoDbStore, Error, Idempotency};
use powertools::testing::invocation;
use powertools_tests::emulators::Emulator;
use powertools_tests::items;
use powertools_tests::proxy::{Fault, Proxy};
use serde_json::Value;

mod clocks;
mod crossing;
mod expired;
mod killed;
mod network;
mod renewals;
mod reported;
mod zombies;

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Does the same on every emulator, concurrently, and then with the other client. Names the one that
/// fails.
async fn on_each(test: impl AsyncFn(&Emulator)) {
    for emulators in Emulator::all().chunk_by(|a, b| a.via() == b.via()) {
        at_once(emulators, Emulator::name, &test).await;
    }
}

/// Does the same on each of these, concurrently. Names the one that fails.
async fn at_once<T>(all: &[T], name: impl Fn(&T) -> String, test: impl AsyncFn(&T)) {
    let tests = all.iter().map(|one| AssertUnwindSafe(test(one)).catch_unwind());
    for (one, outcome) in all.iter().zip(join_all(tests).await) {
        if let Err(panic) = outcome {
            eprintln!("on {}", name(one));
            resume_unwind(panic);
        }
    }
}

/// A function with a table of its own, and a proxy in front of it.
struct World {
    emulator: Emulator,
    table: String,
    proxy: Proxy,
    idempotency: Idempotency<DynamoDbStore>,
    runs: AtomicU32,
}

impl World {
    async fn new(emulator: &Emulator) -> Self {
        Self::with(emulator, |options| options).await
    }

    async fn with(
        emulator: &Emulator,
        options: impl FnOnce(Builder<DynamoDbStore>) -> Builder<DynamoDbStore>,
    ) -> Self {
        let table = emulator.create_table(&["id"]).await;
        let proxy = Proxy::before(emulator.endpoint()).await;
        let builder = Idempotency::builder(emulator.via().store(proxy.endpoint(), &table));
        let idempotency = options(builder).build().unwrap();
        Self { emulator: emulator.clone(), table, proxy, idempotency, runs: AtomicU32::new(0) }
    }

    /// Another function on the same table, which the proxy leaves alone.
    fn other(
        &self,
        options: impl FnOnce(Builder<DynamoDbStore>) -> Builder<DynamoDbStore>,
    ) -> Idempotency<DynamoDbStore> {
        let store = self.emulator.store(&self.table);
        options(Idempotency::builder(store)).build().unwrap()
    }

    /// Lets the next requests for `operation` go wrong.
    fn next(&self, times: usize, operation: &str, fault: &Fault) {
        for _ in 0..times {
            self.proxy.next(operation, fault.clone());
        }
    }

    /// Charges one order, and returns how often that was done.
    async fn charge(&self) -> Result<String, Error> {
        self.charge_within(30 * SECOND).await
    }

    async fn charge_within(&self, remaining: Duration) -> Result<String, Error> {
        let work = async {
            let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
            Ok(format!("run {run}"))
        };
        self.run(remaining, work).await
    }

    async fn run<E: From<Error>>(
        &self,
        remaining: Duration,
        work: impl Future<Output = Result<String, E>>,
    ) -> Result<String, E> {
        let invocation = invocation().remaining(remaining).build();
        invocation.scope(self.idempotency.run("charge", "order-1", work)).await
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }

    async fn records(&self) -> Vec<Value> {
        items::all(&self.emulator.client(), &self.table).await
    }

    async fn only_record(&self) -> Value {
        let [record] = &self.records().await[..] else { panic!("there is one record") };
        record.clone()
    }
}

/// The number that an attribute holds.
fn number(attribute: &Value) -> u64 {
    let digits = attribute["N"].as_str().unwrap_or_else(|| panic!("not a number: {attribute}"));
    digits.parse().unwrap()
}
