use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use powertools_tests::emulators::Emulator;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// A queue of an emulator, by the JSON protocol of SQS.
pub(super) struct Queue {
    endpoint: String,
    url: String,
}

impl Queue {
    /// A queue that no other test has, with a dead-letter queue if one is given.
    pub(super) async fn create(emulator: &Emulator, dead_letters: Option<(&Self, usize)>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);

        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{}-{count}", std::process::id());
        let endpoint = emulator.endpoint().to_owned();
        let mut queue = Self { endpoint, url: String::new() };
        let mut attributes = json!({});
        if let Some((dead_letters, count)) = dead_letters {
            let policy = json!({ "deadLetterTargetArn": dead_letters.arn().await, "maxReceiveCount": count });
            attributes = json!({ "RedrivePolicy": policy.to_string() });
        }
        let request = json!({ "QueueName": name, "Attributes": attributes });
        let created = queue.call("CreateQueue", request).await;
        created["QueueUrl"].as_str().unwrap().clone_into(&mut queue.url);
        queue
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) async fn send(&self, bodies: &[Value]) {
        for bodies in bodies.chunks(10) {
            let entry = |(n, body): (usize, &Value)| json!({ "Id": n.to_string(), "MessageBody": body.to_string() });
            let entries: Vec<_> = bodies.iter().enumerate().map(entry).collect();
            let sent = self.call("SendMessageBatch", json!({ "Entries": entries })).await;
            assert_eq!(sent["Successful"].as_array().unwrap().len(), bodies.len(), "{sent}");
        }
    }

    /// Takes up to ten messages, which then are invisible for so long.
    pub(super) async fn receive(&self, visibility: Duration) -> Vec<Value> {
        let request = json!({
            "MaxNumberOfMessages": 10,
            "VisibilityTimeout": visibility.as_secs(),
            "WaitTimeSeconds": 0,
            "AttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        });
        let received = self.call("ReceiveMessage", request).await;
        received["Messages"].as_array().cloned().unwrap_or_default()
    }

    pub(super) async fn delete(&self, messages: impl Iterator<Item = &Value>) {
        let entry = |(n, message): (usize, &Value)| json!({ "Id": n.to_string(), "ReceiptHandle": message["ReceiptHandle"] });
        let entries: Vec<_> = messages.enumerate().map(entry).collect();
        if !entries.is_empty() {
            self.call("DeleteMessageBatch", json!({ "Entries": entries })).await;
        }
    }

    /// How many messages there are, visible or not.
    pub(super) async fn len(&self) -> usize {
        let attributes = self.attributes().await;
        ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            .map(|name| attributes[name].as_str().unwrap().parse::<usize>().unwrap())
            .iter()
            .sum()
    }

    /// The bodies of all messages, which then are gone.
    pub(super) async fn drain(&self) -> Vec<Value> {
        let mut bodies = Vec::new();
        loop {
            let messages = self.receive(Duration::from_secs(600)).await;
            if messages.is_empty() {
                return bodies;
            }
            let body = |message: &Value| serde_json::from_str(message["Body"].as_str().unwrap());
            bodies.extend(messages.iter().map(|message| body(message).unwrap()));
            self.delete(messages.iter()).await;
        }
    }

    pub(super) async fn arn(&self) -> Value {
        self.attributes().await["QueueArn"].clone()
    }

    async fn attributes(&self) -> Value {
        let request = json!({ "AttributeNames": ["All"] });
        self.call("GetQueueAttributes", request).await["Attributes"].clone()
    }

    async fn call(&self, operation: &str, mut request: Value) -> Value {
        if !self.url.is_empty() {
            request["QueueUrl"] = self.url.clone().into();
        }
        let headers = [
            ("x-amz-target", format!("AmazonSQS.{operation}")),
            ("content-type", "application/x-amz-json-1.0".to_owned()),
        ];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let body = send(&self.endpoint, "sqs", "POST", "/", &headers, request.to_string()).await;
        if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() }
    }
}

/// Sends a request to a service of an emulator, and returns the body of its response.
pub(super) async fn send(
    endpoint: &str,
    service: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> String {
    let address = endpoint.trim_start_matches("http://");
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", address)
        // Names the service for the emulator, which checks no signature.
        .header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/{service}/aws4_request, \
                 SignedHeaders=host, Signature=none"
            ),
        );
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    assert!(status.is_success(), "{service} {path}: {status}: {body}");
    body
}
