//! The order function.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use lambda_runtime::{Error, LambdaEvent};
use powertools::idempotency::{Idempotency, Store};
use powertools::idempotent;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// What a customer sends.
#[derive(Deserialize)]
pub(crate) struct Order {
    order_id: Option<String>,
    amount: u64,
}

/// What the customer gets.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Receipt {
    pub(crate) order_id: Option<String>,
    pub(crate) charged: u64,
    pub(crate) payment: u32,
}

/// What the function works with, made once.
pub(crate) struct Shop<S> {
    pub(crate) records: Idempotency<S>,
    pub(crate) cards: Arc<Cards>,
}

impl<S> Clone for Shop<S> {
    fn clone(&self) -> Self {
        Self { records: self.records.clone(), cards: self.cards.clone() }
    }
}

/// Charges the customer's card, once for each order.
#[idempotent(
    key = event.payload.order_id,
    payload = event.payload.amount,
    with = shop.records,
    name = "orders.charge"
)]
pub(crate) async fn charge<S: Store>(
    shop: Shop<S>,
    event: LambdaEvent<Order>,
) -> Result<Receipt, Error> {
    let Order { order_id, amount } = event.payload;
    let payment = shop.cards.charge(order_id.as_deref().unwrap_or_default()).await?;
    Ok(Receipt { order_id, charged: amount, payment })
}

/// The card service: the side effect that must not happen twice.
#[derive(Default)]
pub(crate) struct Cards {
    /// The orders for which a payment was begun.
    begun: Mutex<Vec<String>>,
    payments: AtomicU32,
    /// Lets the payment for [`BUSY`] go on.
    pub(crate) go_on: Notify,
}

/// An order whose payment waits for a sign.
pub(crate) const BUSY: &str = "o-2";
/// An order whose first payment fails.
pub(crate) const UNLUCKY: &str = "o-3";
/// An order whose first payment never ends.
pub(crate) const SLOW: &str = "o-4";

impl Cards {
    /// How many payments were begun.
    pub(crate) fn begun(&self) -> usize {
        self.begun.lock().expect("nothing panics in here").len()
    }

    /// How many payments were made.
    pub(crate) fn payments(&self) -> u32 {
        self.payments.load(Ordering::Relaxed)
    }

    async fn charge(&self, order_id: &str) -> Result<u32, Error> {
        let first = {
            let mut begun = self.begun.lock().expect("nothing panics in here");
            let first = !begun.iter().any(|order| order == order_id);
            begun.push(order_id.to_owned());
            first
        };
        match order_id {
            BUSY => self.go_on.notified().await,
            UNLUCKY if first => return Err("the card service cannot be reached".into()),
            SLOW if first => pending().await,
            _ => {}
        }
        Ok(self.payments.fetch_add(1, Ordering::Relaxed) + 1)
    }
}
