//! A table of DynamoDB, for the records of functions in other processes.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use hyper::Method;
use serde_json::{Value, json};

use crate::server::{REGION, Server};

/// The emulator that the other packages of the toolkit test their stores on.
static DYNAMODB: LazyLock<Server> =
    LazyLock::new(|| Server::start("../../tests/src/emulators/serve_moto.py"));

/// A table with the key `id`.
pub(crate) struct Table {
    name: String,
}

impl Table {
    /// Creates one that no other test has.
    pub(crate) async fn create() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);

        let name = format!("records-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let request = json!({
            "TableName": name,
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
        });
        call("CreateTable", request).await;
        Self { name }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the URL of its DynamoDB.
    pub(crate) fn endpoint(&self) -> &'static str {
        DYNAMODB.url()
    }

    /// Returns the items as DynamoDB writes them.
    pub(crate) async fn items(&self) -> Vec<Value> {
        let request = json!({ "TableName": self.name, "ConsistentRead": true });
        let page = call("Scan", request).await;
        page["Items"].as_array().expect("a page has items").clone()
    }
}

async fn call(operation: &str, request: Value) -> Value {
    // The region of a table is that of the signature. Nobody verifies it.
    let scope = format!("key/20260101/{REGION}/dynamodb/aws4_request");
    let signature =
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none");
    let headers = [
        ("authorization", &*signature),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", &format!("DynamoDB_20120810.{operation}")),
    ];
    DYNAMODB.call(Method::POST, "/", &headers, request.to_string()).await
}
