//! Requests of a client without the SDK.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::action::Action;
use super::requests::{Failure, Get, Reply, Requests};
use super::{Builder, DynamoDbStore, Schema};
use crate::idempotency::transaction::Item;

mod answer;
mod builder;
mod call;
mod client;
mod endpoint;
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc", feature = "tls-fips"))]
mod provider;
mod retry;
mod wire;

pub use self::builder::LeanClientBuilder;
pub use self::client::LeanClient;

impl DynamoDbStore {
    /// Creates a store in `table`, whose partition key is `id`, with a client other than the SDK's.
    ///
    /// Records, conditions and errors are the same; see [`LeanClient`] for what differs.
    #[must_use]
    pub fn lean(client: LeanClient, table: impl Into<String>) -> Self {
        Self::with_schema(Arc::new(client), Schema::new(table.into()))
    }

    /// Creates a builder for a table with another key or other attribute names, with a client other
    /// than the SDK's.
    pub fn lean_builder(client: LeanClient, table: impl Into<String>) -> Builder {
        Builder::new(Arc::new(client), table.into())
    }
}

impl Requests for LeanClient {
    fn region(&self) -> Option<&str> {
        Some(self.region())
    }

    fn write<'a>(&'a self, action: Action<'a>, timeout: Duration) -> Reply<'a, ()> {
        Box::pin(async move {
            let operation = wire::operation(action.kind)?;
            self.call(operation, action.table, wire::write(&action)?, timeout).await.map(drop)
        })
    }

    fn read<'a>(&'a self, get: Get<'a>, timeout: Duration) -> Reply<'a, Option<Item>> {
        Box::pin(async move {
            let body = self.call("GetItem", get.table, wire::get(&get)?, timeout).await?;
            answer::item(&body)
        })
    }

    fn transact<'a>(
        &'a self,
        actions: Vec<Action<'a>>,
        token: &'a str,
        timeout: Duration,
    ) -> Reply<'a, ()> {
        Box::pin(async move {
            let body = wire::transact(&actions, token)?;
            let first = actions.first().map(|action| action.table).unwrap_or_default();
            self.call("TransactWriteItems", first, body, timeout).await.map(drop)
        })
    }
}

/// The body of a request or of a response.
type Body = Result<Bytes, Failure>;
