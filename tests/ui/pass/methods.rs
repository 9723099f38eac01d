//! Methods, associated functions, and what stands inside a function.

#![deny(warnings)]
#![allow(dead_code)]

use std::sync::Arc;

use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

struct Orders<T> {
    records: Records,
    latest: T,
}

impl<T: Clone + serde::Serialize + serde::de::DeserializeOwned> Orders<T> {
    #[idempotent(key = id, with = self.records, name = "shared")]
    async fn shared(&self, id: &str) -> Result<T, Error> {
        Ok(self.latest.clone())
    }

    #[idempotent(key = id, with = self.records, name = "exclusive")]
    async fn exclusive(&mut self, id: u64, latest: T) -> Result<(), Error> {
        self.latest = latest;
        Ok(())
    }

    #[idempotent(key = id, with = self.records, name = "by_value")]
    pub async fn by_value(mut self, id: u64, latest: T) -> Result<T, Error> {
        self.latest = latest;
        Ok(self.latest)
    }

    #[idempotent(key = id, with = self.records, name = "counted")]
    pub(crate) async fn counted(self: Arc<Self>, id: u64) -> Result<T, Error> {
        Ok(self.latest.clone())
    }

    #[idempotent(key = latest, with = records)]
    async fn associated(records: &Records, latest: T) -> Result<T, Error> {
        let orders = Self { records: records.clone(), latest };
        Ok(orders.latest)
    }
}

trait Charge {
    async fn charge(&self, id: u64) -> Result<u64, Error>;

    fn sent(&self, id: u64) -> impl Future<Output = Result<u64, Error>> + Send;

    #[idempotent(key = id, with = records, name = "provided")]
    async fn provided(&self, records: &Records, id: u64) -> Result<u64, Error> {
        self.charge(id).await
    }
}

impl Charge for Orders<u64> {
    #[idempotent(key = id, with = self.records, name = "charge")]
    async fn charge(&self, id: u64) -> Result<u64, Error> {
        Ok(self.latest)
    }

    #[idempotent(key = id, with = self.records, name = "sent")]
    async fn sent(&self, id: u64) -> Result<u64, Error> {
        Ok(self.latest)
    }
}

fn outer() {
    async fn helper() -> u64 {
        7
    }

    #[idempotent(key = id, with = records)]
    async fn nested(records: &Records, id: u64) -> Result<u64, Error> {
        #[idempotent(key = id, with = records, name = "inner")]
        async fn inner(records: &Records, id: u64) -> Result<u64, Error> {
            Ok(id)
        }

        inner(records, id).await?;
        Ok(helper().await)
    }

    let _ = nested;
}

#[idempotent(key = left, with = records)]
async fn recursive(records: &Records, left: u64) -> Result<u64, Error> {
    if left == 0 { Ok(0) } else { Box::pin(recursive(records, left - 1)).await }
}

fn main() {}
