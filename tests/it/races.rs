//! Many duplicates of one event at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use powertools::idempotency::WhileInProgress;
use powertools::idempotency::transaction::{Item, Put, Update};
use powertools::idempotency::{Commit, Error, Idempotency, RedisStore, Store, TransactStore};
use powertools::testing::invocation;
use powertools_tests::emulators::{Emulator, RedisKind};
use powertools_tests::{items, scale};
use serde_json::Value;
use tokio::sync::Barrier;

const DUPLICATES: usize = 64;
/// How many execution environments they come to; each has connections of its own.
const ENVIRONMENTS: usize = 8;
/// Long enough for the slowest emulator to serve all of them.
const LONG: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_duplicates_one_runs_and_the_others_are_rejected_or_replayed() {
    for emulator in Emulator::busy() {
        let table = emulator.create_table(&["id"]).await;
        race(&emulator.name(), || emulator.store(&table), scale(3, 200), charge()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_duplicates_on_redis_one_runs() {
    for kind in RedisKind::all() {
        let server = kind.start(&[]);
        let store = || RedisStore::new(&server.url()).unwrap();
        race(kind.name(), store, scale(3, 200), charge()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_duplicates_that_commit_one_has_its_effects() {
    for emulator in Emulator::busy().into_iter().filter(Emulator::has_transactions) {
        let (records, shop) =
            (emulator.create_table(&["id"]).await, emulator.create_table(&["id"]).await);
        // moto copies a table for each transaction.
        let rounds = scale(3, 20);
        let store = || emulator.store(&records);
        race(&emulator.name(), store, rounds, charge_and_count(&shop)).await;
        let all = items::all(&emulator.client(), &shop).await;
        let is_count = |item: &&Value| item["id"]["S"] == "count";
        let count = all.iter().find(is_count).expect("there were orders");
        assert_eq!(count["orders"]["N"], rounds.to_string(), "{}", emulator.name());
        assert_eq!(all.len(), 1 + rounds, "{}", emulator.name());
    }
}

/// What a handler does with an order: idempotent work, which counts its runs.
type Charge<S> = Arc<
    dyn Fn(Idempotency<S>, String, Arc<AtomicU32>) -> BoxFuture<'static, Charged> + Send + Sync,
>;
type Charged = Result<String, Error>;

fn charge<S: Store>() -> Charge<S> {
    Arc::new(|idempotency, order, runs| {
        async move {
            let work = async { Ok(receipt(&order, &runs)) };
            idempotency.run("charge", &order, work).await
        }
        .boxed()
    })
}

/// Puts the order into the table, and counts the orders there.
fn charge_and_count<S: TransactStore>(shop: &str) -> Charge<S> {
    let shop = shop.to_owned();
    Arc::new(move |idempotency, order, runs| {
        let put = Put::new(&shop, Item::new().set("id", order.as_str()));
        let count = Update::new(&shop, Item::new().set("id", "count")).add("orders", 1);
        async move {
            let call = idempotency.operation("charge").key(&order)?;
            let work = async { Ok(Commit::new(receipt(&order, &runs)).put(put).update(count)) };
            call.commit(work).await
        }
        .boxed()
    })
}

fn receipt(order: &str, runs: &AtomicU32) -> String {
    let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
    format!("{order}, run {run}")
}

/// Lets duplicates race, in environments with a store each.
async fn race<S: Store + Clone>(
    name: &str,
    store: impl Fn() -> S,
    rounds: usize,
    charge: Charge<S>,
) {
    let environments: Vec<_> = (0..ENVIRONMENTS).map(|_| Environment::new(store())).collect();
    let race = Race { name: name.to_owned(), charge, refused: AtomicUsize::new(0) };
    let mut overloaded = 0;
    for round in 0..rounds {
        while !race.run(&environments, format!("order-{round}-{overloaded}")).await {
            overloaded += 1;
            assert!(overloaded <= 3 + rounds / 20, "{name} answers too little");
        }
    }
    // Else they came one after the other, and nothing was shown.
    assert_ne!(race.refused.into_inner(), 0, "no race on {name}");
}

/// An execution environment: a client, and what a handler does for those who wait and those who
/// do not.
struct Environment<S> {
    fail: Idempotency<S>,
    wait: Idempotency<S>,
}

impl<S: Store + Clone> Environment<S> {
    fn new(store: S) -> Self {
        let with = |policy| {
            let builder = Idempotency::builder(store.clone()).while_in_progress(policy);
            builder.build().unwrap()
        };
        Self { fail: with(WhileInProgress::Fail), wait: with(WhileInProgress::Wait(LONG / 3)) }
    }
}

struct Race<S> {
    name: String,
    charge: Charge<S>,
    refused: AtomicUsize,
}

impl<S: Store> Race<S> {
    /// Lets all duplicates go at once, half of them ready to wait.
    ///
    /// Returns false if none won: that happens when neither the winning claim nor its release is answered,
    /// and the claim holds until its lease ends.
    async fn run(&self, environments: &[Environment<S>], order: String) -> bool {
        let runs = Arc::new(AtomicU32::new(0));
        let start = Arc::new(Barrier::new(DUPLICATES));
        let duplicates = (0..DUPLICATES).map(|number| {
            let environment = &environments[number % ENVIRONMENTS];
            // Both kinds in every environment.
            let waits = (number / ENVIRONMENTS).is_multiple_of(2);
            let idempotency = if waits { &environment.wait } else { &environment.fail }.clone();
            let (charge, start) = (self.charge.clone(), start.clone());
            let (order, runs) = (order.clone(), runs.clone());
            let charge = move || charge(idempotency.clone(), order.clone(), runs.clone());
            tokio::spawn(async move {
                start.wait().await;
                let mut unanswered = 0;
                let outcome = deliver(charge, &mut unanswered).await;
                (waits, outcome, unanswered)
            })
        });

        let outcomes = join_all(duplicates.collect::<Vec<_>>()).await;
        let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
        let unanswered = outcomes.iter().any(|(_, _, unanswered)| *unanswered > 0);
        if unanswered && runs.load(Ordering::SeqCst) == 0 {
            return false;
        }
        assert_eq!(runs.load(Ordering::SeqCst), 1, "{order} on {}", self.name);
        for (waits, outcome, _) in outcomes {
            match (waits, outcome) {
                (_, Ok(answer)) => assert_eq!(answer, format!("{order}, run 1")),
                (false, Err(Error::InProgress { .. })) => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                }
                (waits, Err(error)) => {
                    panic!("{order} on {}, waits: {waits}: {error:?}", self.name)
                }
            }
        }
        true
    }
}

/// Delivers an order, and again as long as the emulator is too busy to answer: that is not what is
/// tested here.
async fn deliver(
    charge: impl Fn() -> BoxFuture<'static, Charged>,
    unanswered: &mut usize,
) -> Charged {
    loop {
        let invocation = invocation().remaining(LONG).build();
        match invocation.scope(charge()).await {
            Err(Error::Store(error)) if error.is_retryable() => *unanswered += 1,
            Err(Error::CommitUnknown { .. }) => *unanswered += 1,
            outcome => return outcome,
        }
    }
}
