use serde_json::{Map, Value, json};

use super::{base64, percent_encode};
use crate::testing::identifiers;

/// Starts the task by which a job of S3 Batch Operations has the object `key` of a bucket processed,
/// in version 2.0 of the schema.
pub fn s3_batch(bucket: impl Into<String>, key: &str) -> S3BatchTask {
    S3BatchTask { bucket: bucket.into(), key: key.to_owned(), arguments: Map::new() }
}

/// A task of S3 Batch Operations. Created by [`s3_batch`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct S3BatchTask {
    bucket: String,
    key: String,
    arguments: Map<String, Value>,
}

impl S3BatchTask {
    /// Sets an argument of the job.
    pub fn argument(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.arguments.insert(name.into(), value.into().into());
        self
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        let id = base64(identifiers::request_id());
        json!({
            "invocationSchemaVersion": "2.0",
            "invocationId": id,
            "job": { "id": identifiers::request_id(), "userArguments": self.arguments },
            "tasks": [{
                "taskId": base64(identifiers::request_id()),
                "s3Key": percent_encode(&self.key, "/").replace("%20", "+"),
                "s3VersionId": null,
                "s3Bucket": self.bucket,
            }],
        })
    }
}
