//! The clients that a store can have.

use powertools::idempotency::{DynamoDbStore, DynamoDbStoreBuilder, LeanClient};

/// The client that makes the requests of a store. Both have to pass the same tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The client of the SDK.
    Sdk,
    /// This toolkit's own client.
    Lean,
}

impl Via {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sdk, Self::Lean];

    /// Returns a store in `table`, in a DynamoDB that answers on plain HTTP.
    #[must_use]
    pub fn store(self, endpoint: &str, table: impl Into<String>) -> DynamoDbStore {
        match self {
            Self::Sdk => DynamoDbStore::new(crate::client(endpoint), table),
            Self::Lean => DynamoDbStore::lean(lean(endpoint), table),
        }
    }

    /// Returns a builder of such a store, for a table with other names.
    pub fn builder(self, endpoint: &str, table: impl Into<String>) -> DynamoDbStoreBuilder {
        match self {
            Self::Sdk => DynamoDbStore::builder(crate::client(endpoint), table),
            Self::Lean => DynamoDbStore::lean_builder(lean(endpoint), table),
        }
    }
}

fn lean(endpoint: &str) -> LeanClient {
    LeanClient::builder()
        .region("eu-central-1")
        .credentials("key", "secret", None)
        .endpoint_url(endpoint)
        .build()
        .expect("the settings are valid")
}
