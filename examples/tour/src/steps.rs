//! The events and their expected outcomes.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::Error;
use powertools::Powertools;
use powertools::idempotency::{Idempotency, Store};
use powertools::testing::{Event, FakeRuntime, Outcome};
use serde_json::{Value, json};

use crate::function::{BUSY, Cards, Receipt, SLOW, Shop, UNLUCKY, charge};

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
/// `records` returns a [`line()`] for each record in the store.
pub(crate) async fn deliver<S: Store>(
    store: S,
    records: impl AsyncFn() -> Result<Vec<String>, Error>,
) -> Result<bool, Error> {
    let cards = Arc::new(Cards::default());
    let shop = Shop { idempotency: Idempotency::new(store)?, cards: cards.clone() };

    let lambda = FakeRuntime::new().function_name("orders").concurrency(2);
    let function = Powertools::new(move |event| charge(shop.clone(), event));
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

    println!("\nthe records at the end\n");
    for line in records().await? {
        println!("  {line}");
    }
    let (started, payments) = (tour.cards.started(), tour.cards.payments());
    println!("\n11 deliveries, {started} runs, {payments} payments for 4 orders");
    Ok(tour.as_expected && (started, payments) == (6, 4))
}

/// Formats a record.
pub(crate) fn line(key: &str, status: &str, result: &str) -> String {
    let key: String = key.chars().take(28).collect();
    format!("{key}…  {status}  {result}")
}

fn order(id: &str, amount: u64) -> Value {
    json!({ "order_id": id, "amount": amount })
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
                let receipt: Receipt = outcome.json();
                let Receipt { order_id, charged, payment } = receipt;
                let order_id = order_id.unwrap_or_default();
                let verb = if ran { "ran" } else { "replayed" };
                (verb, format!("payment {payment}: {charged} for {order_id}"))
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
