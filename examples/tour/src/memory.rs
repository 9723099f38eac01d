//! Runs the tour with records in memory.

use lambda_runtime::Error;
use powertools::idempotency::{Data, MemoryStore};

use crate::steps;

pub(crate) async fn tour() -> Result<bool, Error> {
    let store = MemoryStore::new();
    let records = async || {
        let lines = store.snapshot().into_iter().map(|(key, record)| {
            let result = match &record.data {
                Some(Data::Text(json)) => json,
                _ => "",
            };
            steps::line(&key, record.status.as_str(), result)
        });
        Ok(lines.collect())
    };
    steps::deliver(store.clone(), records).await
}
