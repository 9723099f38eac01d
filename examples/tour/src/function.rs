//! The order function.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use lambda_runtime::{Error, LambdaEvent};
use powertools::idempotency::{Idempotency, Store};
use powertools::idempotent;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// An order as a customer sends it.
#[derive(Deserialize)]
pub(crate) struct Order {
    order_id: Option<String>,
    amount: u64,
}

/// The reply to the customer.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Receipt {
    pub(crate) order_id: Option<String>,
    pub(crate) charged: u64,
    pub(crate) payment: u32,
}

/// The dependencies of the function, created at start.
pub(crate) struct Shop<S> {
    pub(crate) idempotency: Idempotency<S>,
    pub(crate) cards: Arc<Cards>,
}

impl<S> Clone for Shop<S> {
    fn clone(&self) -> Self {
        Self { idempotency: self.idempotency.clone(), cards: self.cards.clone() }
    }
}

/// Charges the customer's card, once for each order.
#[idempotent(
    key = event.payload.order_id,
    payload = event.payload.amount,
    with = shop.idempotency,
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

/// The card service, whose effect must not happen twice.
#[derive(Default)]
pub(crate) struct Cards {
    /// The orders whose payments were started.
    started: Mutex<Vec<String>>,
    payments: AtomicU32,
    /// Lets the payment for [`BUSY`] continue.
    pub(crate) proceed: Notify,
}

/// An order whose payment waits for a signal.
pub(crate) const BUSY: &str = "o-2";
/// An order whose first payment fails.
pub(crate) const UNLUCKY: &str = "o-3";
/// An order whose first payment never ends.
pub(crate) const SLOW: &str = "o-4";

impl Cards {
    /// Returns the number of payments that were started.
    pub(crate) fn started(&self) -> usize {
        self.started.lock().expect("no holder panics").len()
    }

    /// Returns the number of payments that were completed.
    pub(crate) fn payments(&self) -> u32 {
        self.payments.load(Ordering::Relaxed)
    }

    async fn charge(&self, order_id: &str) -> Result<u32, Error> {
        let first = {
            let mut started = self.started.lock().expect("no holder panics");
            let first = !started.iter().any(|order| order == order_id);
            started.push(order_id.to_owned());
            first
        };
        match order_id {
            BUSY => self.proceed.notified().await,
            UNLUCKY if first => return Err("the card service cannot be reached".into()),
            SLOW if first => pending().await,
            _ => {}
        }
        Ok(self.payments.fetch_add(1, Ordering::Relaxed) + 1)
    }
}
