use powertools::idempotent;

#[idempotent(key = id, with = records)]
struct Order;

#[idempotent(key = id, with = records)]
impl Order {
    const LIMIT: u64 = 7;
}

#[idempotent(key = id, with = records)]
const LIMIT: u64 = 7;

#[idempotent(key = id, with = records)]
mod orders {}

fn main() {
    let _ = (Order, Order::LIMIT, LIMIT);
}
