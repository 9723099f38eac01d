//! The visibility timeouts of messages that failed, changed by the client of the SDK.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_sqs::config::{BehaviorVersion, Config, Region};
use powertools::batch::{self, Message, RecordError};
use powertools::events::SqsEvent;
use powertools_tests::emulators::Emulator;
use serde_json::{Value, json};

use super::client::Queue;

// The example of `Batch::change_visibility`.
include!("../../../powertools/docs/examples/change_visibility.rs");

fn client(emulator: &Emulator) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
        .endpoint_url(emulator.endpoint())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

#[tokio::test]
async fn messages_that_ask_for_it_are_visible_after_their_own_time() {
    let Some(emulator) = Emulator::first() else { return };
    let queue = Queue::create(&emulator, None).await;
    let client = client(&emulator);
    // More than a request takes.
    let bodies: Vec<_> = (0..14).map(|n| json!(n)).collect();
    queue.send(&bodies).await;
    let mut messages = Vec::new();
    while messages.len() < bodies.len() {
        messages.extend(queue.receive(Duration::from_secs(600)).await);
    }
    let event: SqsEvent = serde_json::from_value(super::event(&messages)).unwrap();

    let fail = async |n: Message<u64>| {
        let busy = RecordError::retry("the shop is busy");
        Err::<(), _>(match n.body {
            0..12 => busy.retry_after(Duration::ZERO),
            12 => busy.retry_after(Duration::from_secs(300)),
            _ => busy,
        })
    };
    let report = batch::sqs(event)
        .change_visibility(|changes| change(&client, queue.url(), changes))
        .run(fail)
        .await;
    assert_eq!(report.into_reply().unwrap().batch_item_failures.len(), bodies.len());

    // Those whose time is over are there again, and the others wait.
    let mut again: Vec<Value> = Vec::new();
    loop {
        let messages = queue.receive(Duration::from_secs(600)).await;
        if messages.is_empty() {
            break;
        }
        let body = |message: &Value| serde_json::from_str(message["Body"].as_str().unwrap());
        again.extend(messages.iter().map(|message| body(message).unwrap()));
    }
    again.sort_by_key(Value::as_u64);
    assert_eq!(again, bodies[..12]);
}
