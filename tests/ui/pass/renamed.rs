//! The crate and the attribute under other names.

#![deny(warnings)]
#![allow(dead_code)]

mod vendor {
    pub mod toolkit {
        pub use powertools::*;
    }
}

use vendor::toolkit::idempotency::{Error, Idempotency, MemoryStore};
use vendor::toolkit::idempotent as once;

type Records = Idempotency<MemoryStore>;

#[once(crate = crate::vendor::toolkit, key = id, with = records)]
async fn renamed(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

/// Seen beside each other, or the second would be refused.
#[vendor::toolkit::idempotent(key = id, with = records, crate = vendor::toolkit)]
#[vendor::toolkit::deadline(reserve = "1s", crate = vendor::toolkit)]
async fn stacked(records: &Records, id: u64) -> Result<u64, lambda_runtime::Error> {
    Ok(id)
}

macro_rules! handler {
    ($name:ident, $key:expr, $result:ty) => {
        #[once(key = $key, with = records, crate = vendor::toolkit)]
        async fn $name(records: &Records, id: u64) -> $result {
            Ok(id)
        }
    };
}

const KEY: &str = "a";

handler!(by_a_macro, KEY, Result<u64, Error>);

fn main() {}
