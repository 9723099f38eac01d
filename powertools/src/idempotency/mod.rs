//! Work that is done once, however often its event arrives.

mod cache;
mod codec;
mod engine;
mod error;
mod json;
mod layer;
mod operation;
mod options;
mod record;
mod replay;

#[cfg(feature = "jmespath")]
mod jmespath;

pub mod store;

#[cfg(feature = "jmespath")]
pub use self::jmespath::{JmesPath, JmesPathError};

pub use self::cache::LocalCache;
pub use self::codec::{HashFunction, KeyCodec};
pub use self::error::Error;
pub use self::json::{Json, JsonError, Number};
pub use self::layer::{IdempotencyLayer, IdempotencyService};
pub use self::operation::{Call, Operation, default_name};
pub use self::options::{
    Builder, Idempotency, OnInterrupt, OnMissingKey, OnSaveFailure, WhileInProgress,
};
pub use self::record::{Data, EpochMillis, EpochSeconds, Key, Owner, Record, Status};
pub use self::replay::Replay;
pub use self::store::{MemoryStore, Store, StoreError, StoreErrorKind};
