use std::future::Future;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lambda_runtime::Context;
use powertools::Invocation;
use powertools::idempotency::{Error, Idempotency, LocalCache, MemoryStore};
use sha2::{Digest, Sha256};

use crate::by_hand::{ByHand, Cache, derive};
use crate::order::Order;

/// Two ways to do the same work. Each does it so often and says how long that took.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    /// How many times as long as the floor it may take.
    pub(crate) target: f64,
    pub(crate) ours: fn(u64) -> Duration,
    pub(crate) floor: fn(u64) -> Duration,
}

pub(crate) const LINES: &[Line] = &[
    Line { name: "first call", target: 1.8, ours: first::ours, floor: first::floor },
    Line { name: "replay", target: 1.8, ours: replay::ours, floor: replay::floor },
    Line {
        name: "first call, order as result",
        target: 3.0,
        ours: first_whole::ours,
        floor: first_whole::floor,
    },
    Line {
        name: "replay, order as result",
        target: 3.0,
        ours: replay_whole::ours,
        floor: replay_whole::floor,
    },
    Line { name: "order as key", target: 3.0, ours: key::ours, floor: key::floor },
    Line { name: "local cache hit", target: 1.9, ours: cached::ours, floor: cached::floor },
];

const NAME: &str = "charge";

/// How many records a store has at most, so that neither side works on a huge map.
const CHUNK: u64 = 1_000;

/// Both sides must do the same.
pub(crate) fn check() {
    let order = Order::new(1);
    let idempotency = idempotency();
    let call = idempotency.operation(NAME).key(&order.order_id).unwrap();
    assert_eq!(call.derived_key().unwrap().as_str(), derive(NAME, &order.order_id));
}

fn idempotency() -> Idempotency<MemoryStore> {
    Idempotency::new(MemoryStore::new()).unwrap()
}

/// Runs `work` as in a function: on one thread, inside an invocation.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(Invocation::new(&Context::default()).scope(work))
}

/// First calls: each order is new.
mod first {
    use super::*;

    pub(super) fn ours(count: u64) -> Duration {
        chunks(count, idempotency, async |idempotency, order| {
            let work = async { Ok::<_, Error>(order.charge()) };
            idempotency.run(NAME, &order.order_id, work).await.unwrap()
        })
    }

    pub(super) fn floor(count: u64) -> Duration {
        chunks(count, ByHand::default, async |by_hand, order| {
            by_hand.run(NAME, &order.order_id, async { order.charge() }).await
        })
    }
}

/// Replays of one order.
mod replay {
    use super::*;

    pub(super) fn ours(count: u64) -> Duration {
        repeated(count, idempotency(), async |idempotency, order| {
            let work = async { Ok::<_, Error>(order.charge()) };
            idempotency.run(NAME, &order.order_id, work).await.unwrap()
        })
    }

    pub(super) fn floor(count: u64) -> Duration {
        repeated(count, ByHand::default(), async |by_hand, order| {
            by_hand.run(NAME, &order.order_id, async { order.charge() }).await
        })
    }
}

/// First calls whose result is the whole order.
mod first_whole {
    use super::*;

    pub(super) fn ours(count: u64) -> Duration {
        chunks(count, idempotency, async |idempotency, order| {
            let work = async { Ok::<_, Error>(order.clone()) };
            idempotency.run(NAME, &order.order_id, work).await.unwrap()
        })
    }

    pub(super) fn floor(count: u64) -> Duration {
        chunks(count, ByHand::default, async |by_hand, order| {
            by_hand.run(NAME, &order.order_id, async { order.clone() }).await
        })
    }
}

/// Replays of one order, which is the result.
mod replay_whole {
    use super::*;

    pub(super) fn ours(count: u64) -> Duration {
        repeated(count, idempotency(), async |idempotency, order| {
            let work = async { Ok::<_, Error>(order.clone()) };
            idempotency.run(NAME, &order.order_id, work).await.unwrap()
        })
    }

    pub(super) fn floor(count: u64) -> Duration {
        repeated(count, ByHand::default(), async |by_hand, order| {
            by_hand.run(NAME, &order.order_id, async { order.clone() }).await
        })
    }
}

/// The whole order as the key; the floor does no more than write it and hash it.
mod key {
    use super::*;

    pub(super) fn ours(count: u64) -> Duration {
        let idempotency = idempotency();
        let order = Order::new(1);
        let start = Instant::now();
        for _ in 0..count {
            _ = black_box(idempotency.operation(NAME).key(black_box(&order)).unwrap());
        }
        start.elapsed()
    }

    pub(super) fn floor(count: u64) -> Duration {
        let order = Order::new(1);
        let start = Instant::now();
        for _ in 0..count {
            black_box(Sha256::digest(serde_json::to_vec(black_box(&order)).unwrap()));
        }
        start.elapsed()
    }
}

/// Replays from the local cache.
mod cached {
    use super::*;

    const ENTRIES: NonZeroUsize = NonZeroUsize::new(100).unwrap();

    pub(super) fn ours(count: u64) -> Duration {
        let cache = LocalCache::new(ENTRIES, 1 << 20);
        let idempotency = Idempotency::builder(MemoryStore::new()).local_cache(cache).build();
        repeated(count, idempotency.unwrap(), async |idempotency, order| {
            let work = async { Ok::<_, Error>(order.charge()) };
            idempotency.run(NAME, &order.order_id, work).await.unwrap()
        })
    }

    pub(super) fn floor(count: u64) -> Duration {
        repeated(count, Cache::new(ENTRIES), async |cache, order| {
            cache.get(NAME, &order.order_id).unwrap_or_else(|| {
                let receipt = order.charge();
                cache.put(NAME, &order.order_id, &receipt);
                receipt
            })
        })
    }
}

/// Times `call` for `count` different orders, with a new store after every chunk of them.
fn chunks<S, T>(
    count: u64,
    store: impl Fn() -> S,
    call: impl AsyncFn(&S, &Order) -> T,
) -> Duration {
    let orders: Vec<Order> = (0..count.min(CHUNK)).map(Order::new).collect();
    block_on(async {
        let mut time = Duration::ZERO;
        let mut left = count;
        while left > 0 {
            let chunk = left.min(CHUNK);
            let store = store();
            let start = Instant::now();
            for order in &orders[..chunk as usize] {
                black_box(call(&store, black_box(order)).await);
            }
            time += start.elapsed();
            left -= chunk;
        }
        time
    })
}

/// Times `call` for one order again and again, after a first time.
fn repeated<S, T>(count: u64, store: S, call: impl AsyncFn(&S, &Order) -> T) -> Duration {
    let order = Order::new(1);
    block_on(async {
        call(&store, &order).await;
        let start = Instant::now();
        for _ in 0..count {
            black_box(call(&store, black_box(&order)).await);
        }
        start.elapsed()
    })
}
