use serde_json::{Value, json};

use super::{TIME, md5, percent_encode};
use crate::testing::identifiers::{self, REGION};

/// Starts notifications from the bucket `name`.
pub fn s3(name: impl Into<String>) -> S3Records {
    S3Records { bucket: name.into(), records: Vec::new() }
}

/// Notifications from a bucket. Created by [`s3`].
///
/// Object keys are written as S3 writes them, which surprises many: for a URL, and with `+` for
/// a space.
///
/// ```
/// use powertools::testing::events;
///
/// let event = events::s3("uploads").created("photos/red car.jpg", 1024).build();
/// assert_eq!(event["Records"][0]["s3"]["object"]["key"], "photos/red+car.jpg");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct S3Records {
    bucket: String,
    records: Vec<Value>,
}

impl S3Records {
    /// Adds `ObjectCreated:Put` of an object of `size` bytes.
    pub fn created(self, key: &str, size: u64) -> Self {
        let object = json!({ "size": size, "eTag": md5(key) });
        self.record("ObjectCreated:Put", key, object)
    }

    /// Adds `ObjectRemoved:Delete`.
    pub fn removed(self, key: &str) -> Self {
        self.record("ObjectRemoved:Delete", key, json!({}))
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        json!({ "Records": self.records })
    }

    /// Creates the test notice that S3 sends when the notifications of a bucket are configured.
    #[must_use]
    pub fn test_notice(self) -> Value {
        let id = identifiers::next();
        json!({
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": TIME,
            "Bucket": self.bucket,
            "RequestId": format!("{id:016X}"),
            "HostId": format!("{id:064x}"),
        })
    }

    fn record(mut self, event: &str, key: &str, mut object: Value) -> Self {
        let id = identifiers::next();
        object["key"] = percent_encode(key, "/ ").replace(' ', "+").into();
        object["sequencer"] = format!("{id:018X}").into();
        self.records.push(json!({
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": REGION,
            "eventTime": TIME,
            "eventName": event,
            "userIdentity": { "principalId": "AWS:AIDAIENQZJOLO23YVJ4VO" },
            "requestParameters": { "sourceIPAddress": "192.0.2.1" },
            "responseElements": {
                "x-amz-request-id": format!("{id:016X}"),
                "x-amz-id-2": format!("{id:064x}"),
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "notification",
                "bucket": {
                    "name": self.bucket,
                    "ownerIdentity": { "principalId": "A3NL1KOZZKExample" },
                    "arn": format!("arn:aws:s3:::{}", self.bucket),
                },
                "object": object,
            },
        }));
        self
    }
}
