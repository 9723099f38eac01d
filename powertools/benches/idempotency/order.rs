use serde::{Deserialize, Serialize};

/// What the function is called with. Its members are not in the order of canonical JSON.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Order {
    pub(crate) order_id: String,
    customer: String,
    currency: String,
    items: Vec<Item>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Item {
    sku: String,
    qty: u32,
    price: f64,
}

/// What the function answers with.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Receipt {
    order_id: String,
    cents: u64,
    status: String,
}

impl Order {
    /// An order of ten items.
    pub(crate) fn new(number: u64) -> Self {
        let items = (0..10)
            .map(|item| Item {
                sku: format!("A-{item}"),
                qty: 1 + item % 3,
                price: f64::from(999 + 10 * item) / 100.0,
            })
            .collect();
        Self {
            order_id: format!("order-{number:06}"),
            customer: "customer-1042".to_owned(),
            currency: "EUR".to_owned(),
            items,
        }
    }

    /// The work that is to be done once.
    pub(crate) fn charge(&self) -> Receipt {
        Receipt { order_id: self.order_id.clone(), cents: 17_385, status: "charged".to_owned() }
    }
}
