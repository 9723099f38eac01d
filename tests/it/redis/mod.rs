//! The store on Redis and Valkey, on real servers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use powertools::idempotency::{Builder, Error, Idempotency, RedisStore};
use powertools::testing::invocation;
use powertools_tests::emulators::{RedisKind, RedisServer};
use powertools_tests::wire::Wire;
use redis::cluster::ClusterClient;

mod bad_input;
mod clusters;
mod failovers;
mod faults;
mod flows;
mod records;
mod takeovers;
mod tls;

const SECOND: Duration = Duration::from_secs(1);

/// A cluster of some nodes, and a store in it.
pub(crate) async fn cluster(kind: &RedisKind, nodes: usize) -> (Vec<RedisServer>, RedisStore) {
    let servers: Vec<_> = (0..nodes).map(|_| kind.start_node()).collect();
    for (index, server) in servers.iter().enumerate() {
        let (first, end) = (index * 16_384 / nodes, (index + 1) * 16_384 / nodes);
        let (first, last) = (first.to_string(), (end - 1).to_string());
        server.command::<()>(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
        server.meet(&servers[0]);
    }
    let known = format!("cluster_known_nodes:{nodes}\r");
    for server in &servers {
        let is_ready = |info: &str| {
            info.contains("cluster_state:ok")
                && info.contains("cluster_slots_ok:16384")
                && info.contains(&known)
        };
        while !is_ready(&server.command::<String>(&["CLUSTER", "INFO"])) {
            tokio::time::sleep(SECOND / 100).await;
        }
    }
    let client = ClusterClient::new(servers.iter().map(RedisServer::url)).unwrap();
    let connection = client.get_async_connection().await.unwrap();
    (servers, RedisStore::with_connection(connection, "orders"))
}

/// A function with a server of its own, and a proxy in front of it.
struct World {
    server: RedisServer,
    wire: Wire,
    store: RedisStore,
    idempotency: Idempotency<RedisStore>,
    runs: AtomicU32,
}

impl World {
    async fn new(kind: &RedisKind) -> Self {
        Self::with(kind, &[], |options| options).await
    }

    async fn with(
        kind: &RedisKind,
        arguments: &[&str],
        options: impl FnOnce(Builder<RedisStore>) -> Builder<RedisStore>,
    ) -> Self {
        let server = kind.start(arguments);
        let wire = Wire::before(server.port()).await;
        let store = RedisStore::new(&url(&wire)).unwrap();
        let idempotency = options(Idempotency::builder(store.clone())).build().unwrap();
        Self { server, wire, store, idempotency, runs: AtomicU32::new(0) }
    }

    /// Charges an order, and returns how often that was done.
    async fn charge(&self, order: &str) -> Result<String, Error> {
        self.charge_within(30 * SECOND, order).await
    }

    async fn charge_within(&self, remaining: Duration, order: &str) -> Result<String, Error> {
        self.run(remaining, order, async { Ok(self.count()) }).await
    }

    fn count(&self) -> String {
        format!("run {}", self.runs.fetch_add(1, Ordering::SeqCst) + 1)
    }

    async fn run<E: From<Error>>(
        &self,
        remaining: Duration,
        order: &str,
        work: impl Future<Output = Result<String, E>>,
    ) -> Result<String, E> {
        let invocation = invocation().remaining(remaining).build();
        invocation.scope(self.idempotency.run("charge", order, work)).await
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }

    /// The record of an order.
    fn record(&self, order: &str) -> Option<String> {
        self.server.get(&self.key(order))
    }

    /// The key of an order.
    fn key(&self, order: &str) -> String {
        let call = self.idempotency.operation("charge").key(order).unwrap();
        call.derived_key().unwrap().as_str().to_owned()
    }
}

/// The URL of a proxy.
fn url(wire: &Wire) -> String {
    format!("redis://127.0.0.1:{}", wire.port())
}
