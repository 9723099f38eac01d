//! The functions: one charges orders, the other one ships them.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use lambda_runtime::{Error, LambdaEvent};
use powertools::idempotency::transaction::{Commit, Item, Put};
use powertools::idempotency::{Idempotency, Store, TransactStore};
use powertools::parameters::{Memory, Secret};
use powertools::{idempotent, metrics};
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

/// An order that is ready to be sent.
#[derive(Deserialize)]
pub(crate) struct Shipment {
    order_id: String,
    shelf: String,
}

/// Where the parcel of an order is.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Parcel {
    pub(crate) order_id: String,
    pub(crate) shelf: String,
}

/// The dependencies of the functions, created at start.
pub(crate) struct Shop<S> {
    pub(crate) idempotency: Idempotency<S>,
    pub(crate) cards: Arc<Cards>,
    /// The table of the shelves, which hold one parcel each.
    pub(crate) shelves: Arc<str>,
}

impl<S> Clone for Shop<S> {
    fn clone(&self) -> Self {
        let Self { idempotency, cards, shelves } = self;
        let (idempotency, cards) = (idempotency.clone(), cards.clone());
        Self { idempotency, cards, shelves: shelves.clone() }
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

/// Puts the parcel of an order on a shelf, exactly once: the shelf is written in one transaction with
/// the record of the work.
#[idempotent(
    key = event.payload.order_id,
    with = shop.idempotency,
    name = "orders.ship",
    transaction
)]
pub(crate) async fn ship<S: TransactStore>(
    shop: Shop<S>,
    event: LambdaEvent<Shipment>,
) -> Result<Commit<Parcel>, Error> {
    let Shipment { order_id, shelf } = event.payload;
    shop.cards.note(&order_id);
    let parcel = Item::new().set("id", shelf.clone()).set("order", order_id.clone());
    let put = Put::new(&*shop.shelves, parcel).if_absent("id");
    Ok(Commit::new(Parcel { order_id, shelf }).put(put))
}

/// The key that the function shows to the card service.
static CARD_KEY: Secret<String> = Secret::plain(CARD_KEY_NAME);
const CARD_KEY_NAME: &str = "cards/key";

/// The card service, whose effect must not happen twice.
#[derive(Default)]
pub(crate) struct Cards {
    /// The only key that it accepts.
    key: Mutex<String>,
    /// The orders whose payments or shipments were started.
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
    /// Returns the number of payments and shipments that were started.
    pub(crate) fn started(&self) -> usize {
        self.started.lock().expect("no holder panics").len()
    }

    /// Returns the number of payments that were completed.
    pub(crate) fn payments(&self) -> u32 {
        self.payments.load(Ordering::Relaxed)
    }

    /// Notes that work for an order was started. Returns true if it is the first.
    fn note(&self, order_id: &str) -> bool {
        let mut started = self.started.lock().expect("no holder panics");
        let first = !started.iter().any(|order| order == order_id);
        started.push(order_id.to_owned());
        first
    }

    /// Replaces the key, in the service and in the place of secrets. The function is not notified.
    pub(crate) fn rotate_key(&self, secrets: &Memory, key: &str) {
        secrets.put(CARD_KEY_NAME, key);
        key.clone_into(&mut self.key.lock().expect("no holder panics"));
    }

    fn accepts(&self, key: &str) -> bool {
        *self.key.lock().expect("no holder panics") == key
    }

    /// Logs in with the key in the cache, and with a new one if that was rotated.
    async fn log_in(&self) -> Result<(), Error> {
        let mut key = CARD_KEY.get().await?;
        if !self.accepts(&key) {
            key = CARD_KEY.refresh_if(|cached| *cached == *key).await?;
        }
        if self.accepts(&key) { Ok(()) } else { Err("the card service rejects the key".into()) }
    }

    async fn charge(&self, order_id: &str) -> Result<u32, Error> {
        self.log_in().await?;
        let first = self.note(order_id);
        match order_id {
            BUSY => self.proceed.notified().await,
            UNLUCKY if first => return Err("the card service cannot be reached".into()),
            SLOW if first => pending().await,
            _ => {}
        }
        metrics::count("Payments", 1);
        Ok(self.payments.fetch_add(1, Ordering::Relaxed) + 1)
    }
}
