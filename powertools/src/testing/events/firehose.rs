use serde_json::{Value, json};

use super::{TIME_MILLIS, base64};
use crate::testing::identifiers::{self, ACCOUNT, REGION};

/// Starts the records that the Firehose stream `name` has transformed.
pub fn firehose(name: impl Into<String>) -> FirehoseRecords {
    FirehoseRecords { name: name.into(), records: Vec::new() }
}

/// Records of a Firehose stream. Created by [`firehose`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct FirehoseRecords {
    name: String,
    records: Vec<Value>,
}

impl FirehoseRecords {
    /// Adds a record with these bytes as its data.
    pub fn record(mut self, data: impl AsRef<[u8]>) -> Self {
        self.records.push(json!({
            "recordId": format!("{:056}000000", identifiers::next()),
            "approximateArrivalTimestamp": TIME_MILLIS,
            "data": base64(data),
        }));
        self
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        json!({
            "invocationId": identifiers::request_id(),
            "deliveryStreamArn": format!("arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{}", self.name),
            "region": REGION,
            "records": self.records,
        })
    }
}
