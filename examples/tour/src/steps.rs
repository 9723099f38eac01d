//! The events and their expected outcomes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_runtime::Error;
use powertools::Powertools;
use powertools::idempotency::{Idempotency, TransactStore};
use powertools::metrics::{Metrics, Namespace};
use powertools::parameters::{Memory, Parameters};
use powertools::testing::{Event, FakeRuntime, Outcome};
use serde_json::{Value, json};

use crate::function::{BUSY, Cards, Parcel, Receipt, SLOW, Shop, UNLUCKY, charge, ship};

/// The expected outcome of an event.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    /// The function ran and returned a receipt.
    Ran,
    /// The receipt of an earlier run was returned, and nothing ran.
    Replayed,
    /// The function ran, and the caller received this error.
    Failed(&'static str),
    /// Nothing ran, and the caller received this error.
    Rejected(&'static str),
}

/// Delivers every event. Returns true if each had the expected outcome.
///
/// `shelves` is the table in which parcels are put. `records` returns a [`line()`] for each record in the
/// store, and `parcels` the number of parcels.
pub(crate) async fn deliver<S: TransactStore>(
    store: S,
    shelves: &str,
    records: impl AsyncFn() -> Result<Vec<String>, Error>,
    parcels: impl AsyncFn() -> Result<usize, Error>,
) -> Result<bool, Error> {
    let cards = Arc::new(Cards::default());
    let idempotency = Idempotency::new(store)?;
    let shop = Shop { idempotency, cards: cards.clone(), shelves: shelves.into() };

    let shipping = FakeRuntime::new().function_name("shipping");
    let shop_of_shipping = shop.clone();
    let function = Powertools::new(move |event| ship(shop_of_shipping.clone(), event));
    let _shipping = shipping.run(function.run());

    let secrets = Memory::new();
    cards.rotate_key(&secrets, "the first key");
    let measured = Arc::new(Mutex::new(Vec::new()));
    let lines = measured.clone();
    let metrics = Metrics::new().namespace(Namespace::from_static("Tour")).writer(move |line| {
        lines.lock().expect("no holder panics").push(String::from_utf8_lossy(line).into_owned());
    });

    let lambda = FakeRuntime::new().function_name("orders").concurrency(2);
    let function = Powertools::new(move |event| charge(shop.clone(), event))
        .metrics(metrics)
        .parameters(Parameters::new().source(secrets.clone()));
    let _function = lambda.run(function.run());
    let mut tour = Tour { lambda, cards, number: 0, as_expected: true };

    println!("delivered to the function              outcome\n");
    tour.event("an order", order("o-1", 100), Expected::Ran).await;
    tour.event("the same order again", order("o-1", 100), Expected::Replayed).await;
    let changed = Expected::Rejected("Powertools.IdempotencyPayloadChanged");
    tour.event("its id with another amount", order("o-1", 250), changed).await;
    let missing = Expected::Rejected("Powertools.IdempotencyKeyMissing");
    tour.event("an order without an id", json!({ "amount": 100 }), missing).await;

    tour.two_at_once(order(BUSY, 30)).await;
    tour.event("the rejected one, sent again", order(BUSY, 30), Expected::Replayed).await;

    let failed = Expected::Failed("HandlerError");
    tour.event("an order whose payment fails", order(UNLUCKY, 40), failed).await;
    tour.event("the same order again", order(UNLUCKY, 40), Expected::Ran).await;

    let stopped = Expected::Failed("Powertools.IdempotencyOutOfTime");
    let late = Event::new(order(SLOW, 50)).timeout(Duration::from_secs(1));
    tour.event("an order that takes too long", late, stopped).await;
    tour.event("the same order again", order(SLOW, 50), Expected::Ran).await;

    tour.cards.rotate_key(&secrets, "the second key");
    tour.event("an order after the key rotated", order("o-5", 60), Expected::Ran).await;

    tour.lambda = shipping;
    tour.event("a parcel for shelf A", shipment("o-1", "A"), Expected::Ran).await;
    tour.event("the same parcel again", shipment("o-1", "A"), Expected::Replayed).await;
    let refused = Expected::Failed("Powertools.IdempotencyTransactionRefused");
    tour.event("another one for shelf A", shipment(BUSY, "A"), refused).await;
    tour.event("the same for shelf B", shipment(BUSY, "B"), Expected::Ran).await;

    println!("\nthe records at the end\n");
    for line in records().await? {
        println!("  {line}");
    }
    let (started, payments) = (tour.cards.started(), tour.cards.payments());
    let parcels = parcels().await?;
    let measured = std::mem::take(&mut *measured.lock().expect("no holder panics"));
    println!("\nthe last of {} lines of metrics\n", measured.len());
    println!("  {}", measured.last().map_or("", |line| line.trim_end()));
    println!(
        "\n16 deliveries, {started} runs, {payments} payments for 5 orders, {parcels} parcels for 2"
    );
    let counts = (started, payments, counted(&measured, "Payments"), parcels);
    Ok(tour.as_expected && counts == (10, 5, 5, 2))
}

/// Returns the sum of a metric in these lines.
fn counted(lines: &[String], name: &str) -> u64 {
    let values = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    values.filter_map(|line| line[name].as_u64()).sum()
}

/// Formats a record.
pub(crate) fn line(key: &str, status: &str, result: &str) -> String {
    let key: String = key.chars().take(28).collect();
    format!("{key}…  {status}  {result}")
}

fn order(id: &str, amount: u64) -> Value {
    json!({ "order_id": id, "amount": amount })
}

fn shipment(id: &str, shelf: &str) -> Value {
    json!({ "order_id": id, "shelf": shelf })
}

struct Tour {
    lambda: FakeRuntime,
    cards: Arc<Cards>,
    number: u32,
    as_expected: bool,
}

impl Tour {
    async fn event(&mut self, what: &str, event: impl Into<Event>, expected: Expected) {
        let before = self.cards.started();
        let outcome = self.lambda.invoke(event).await;
        let ran = self.cards.started() > before;
        self.report(what, &outcome, ran, expected);
    }

    /// Sends the same event twice. The first one is not completed before the other one has its
    /// outcome.
    async fn two_at_once(&mut self, event: Value) {
        let (a, b) = (self.lambda.send(event.clone()), self.lambda.send(event));
        let (rejected, winner) = tokio::select! {
            rejected = a.outcome() => (rejected, b),
            rejected = b.outcome() => (rejected, a),
        };
        self.cards.proceed.notify_one();
        let won = winner.outcome().await;
        self.report("an order, twice at once: one", &won, true, Expected::Ran);
        let expected = Expected::Rejected("Powertools.IdempotencyInProgress");
        self.report("and the other", &rejected, false, expected);
    }

    fn report(&mut self, what: &str, outcome: &Outcome, ran: bool, expected: Expected) {
        let (verb, detail) = match (outcome, outcome.error_type()) {
            (Outcome::Response(_), _) => {
                let is_parcel = outcome.json::<Value>().get("shelf").is_some();
                let detail = if is_parcel {
                    let Parcel { order_id, shelf } = outcome.json();
                    format!("a parcel for {order_id} on shelf {shelf}")
                } else {
                    let Receipt { order_id, charged, payment } = outcome.json();
                    let order_id = order_id.unwrap_or_default();
                    format!("payment {payment}: {charged} for {order_id}")
                };
                (if ran { "ran" } else { "replayed" }, detail)
            }
            (_, Some(error)) => (if ran { "failed" } else { "rejected" }, error.to_owned()),
            (_, None) => ("?", format!("{outcome:?}")),
        };
        let wanted = match expected {
            Expected::Ran => ("ran", None),
            Expected::Replayed => ("replayed", None),
            Expected::Failed(error) => ("failed", Some(error)),
            Expected::Rejected(error) => ("rejected", Some(error)),
        };
        self.number += 1;
        println!("  {:>2}  {what:<32} {verb:<9} {detail}", self.number);
        if let Some(diagnostic) = outcome.diagnostic() {
            println!("      {}", diagnostic.error_message);
        }
        if (verb, outcome.error_type()) != wanted {
            println!("      EXPECTED {expected:?}");
            self.as_expected = false;
        }
    }
}
