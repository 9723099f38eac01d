//! The events, and what is expected of each.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::Error;
use powertools::Powertools;
use powertools::idempotency::{Idempotency, Store};
use powertools::testing::{Event, FakeRuntime, Outcome};
use serde_json::{Value, json};

use crate::function::{BUSY, Cards, Receipt, SLOW, Shop, UNLUCKY, charge};

/// What is expected of an event.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    /// The function ran and gave a receipt.
    Ran,
    /// The receipt of an earlier run came back, and nothing ran.
    Replayed,
    /// The function ran, and the caller got this error.
    Failed(&'static str),
    /// Nothing ran, and the caller got this error.
    Refused(&'static str),
}

/// Delivers every event; true if each had the expected outcome.
///
/// `records` gives a [`line()`] for each record in the store.
pub(crate) async fn deliver<S: Store>(
    store: S,
    records: impl AsyncFn() -> Result<Vec<String>, Error>,
) -> Result<bool, Error> {
    let cards = Arc::new(Cards::default());
    let shop = Shop { records: Idempotency::new(store)?, cards: cards.clone() };

    let lambda = FakeRuntime::new().function_name("orders").concurrency(2);
    let function = Powertools::new(move |event| charge(shop.clone(), event));
    let _function = lambda.run(function.run());
    let mut tour = Tour { lambda, cards, number: 0, as_expected: true };

    println!("delivered to the function              what came of it\n");
    tour.event("an order", order("o-1", 100), Expected::Ran).await;
    tour.event("the same order again", order("o-1", 100), Expected::Replayed).await;
    let changed = Expected::Refused("Powertools.IdempotencyPayloadChanged");
    tour.event("its id with another amount", order("o-1", 250), changed).await;
    let missing = Expected::Refused("Powertools.IdempotencyKeyMissing");
    tour.event("an order without an id", json!({ "amount": 100 }), missing).await;

    tour.two_at_once(order(BUSY, 30)).await;
    tour.event("the refused one, sent again", order(BUSY, 30), Expected::Replayed).await;

    let failed = Expected::Failed("HandlerError");
    tour.event("an order whose payment fails", order(UNLUCKY, 40), failed).await;
    tour.event("the same order again", order(UNLUCKY, 40), Expected::Ran).await;

    let cut = Expected::Failed("Powertools.IdempotencyOutOfTime");
    let late = Event::new(order(SLOW, 50)).timeout(Duration::from_secs(1));
    tour.event("an order that takes too long", late, cut).await;
    tour.event("the same order again", order(SLOW, 50), Expected::Ran).await;

    println!("\nthe records at the end\n");
    for line in records().await? {
        println!("  {line}");
    }
    let (begun, payments) = (tour.cards.begun(), tour.cards.payments());
    println!("\n11 deliveries, {begun} runs, {payments} payments for 4 orders");
    Ok(tour.as_expected && (begun, payments) == (6, 4))
}

/// How a record is shown.
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
        let before = self.cards.begun();
        let outcome = self.lambda.invoke(event).await;
        let ran = self.cards.begun() > before;
        self.report(what, &outcome, ran, expected);
    }

    /// Sends the same event twice; the one that comes first is not done before the other is.
    async fn two_at_once(&mut self, event: Value) {
        let (a, b) = (self.lambda.send(event.clone()), self.lambda.send(event));
        let (refused, winner) = tokio::select! {
            refused = a.outcome() => (refused, b),
            refused = b.outcome() => (refused, a),
        };
        self.cards.go_on.notify_one();
        let won = winner.outcome().await;
        self.report("an order, twice at once: one", &won, true, Expected::Ran);
        let expected = Expected::Refused("Powertools.IdempotencyInProgress");
        self.report("and the other", &refused, false, expected);
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
            (_, Some(error)) => (if ran { "failed" } else { "refused" }, error.to_owned()),
            (_, None) => ("?", format!("{outcome:?}")),
        };
        let wanted = match expected {
            Expected::Ran => ("ran", None),
            Expected::Replayed => ("replayed", None),
            Expected::Failed(error) => ("failed", Some(error)),
            Expected::Refused(error) => ("refused", Some(error)),
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
