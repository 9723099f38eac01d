//! Events in the shape in which AWS sends them.
//!
//! Each builder ends in the event's JSON, for [`FakeRuntime`](super::FakeRuntime) as it is, or
//! through `serde_json::from_value` for a handler that is called as a function. Ids are new in
//! every event; times are the first moment of 2026.
//!
//! ```
//! use powertools::testing::events::{self, SqsMessage};
//! use serde_json::json;
//!
//! let event = events::sqs("orders")
//!     .message(json!({ "order": 7 }))
//!     .message(SqsMessage::from("not JSON").receive_count(3))
//!     .build();
//!
//! assert_eq!(event["Records"][0]["body"], r#"{"order":7}"#);
//! assert_eq!(event["Records"][1]["attributes"]["ApproximateReceiveCount"], "3");
//! ```

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest as _, Md5};

use crate::hex::hex;

mod appsync;
mod bedrock_agent;
mod cognito;
mod custom_resource;
mod document_db;
mod dynamodb;
mod event_bridge;
mod firehose;
mod http;
mod kafka;
mod kinesis;
mod logs;
mod mq;
mod s3;
mod s3_batch;
mod sns;
mod sqs;
mod step_functions;

pub use appsync::{
    AppSyncChannelEvent, AppSyncResolverEvent, appsync_authorizer, appsync_events, appsync_resolver,
};
pub use bedrock_agent::{BedrockAgentEvent, bedrock_function, bedrock_operation};
pub use cognito::{CognitoEvent, cognito};
pub use custom_resource::{CustomResourceEvent, custom_resource};
pub(super) use document_db::envelope as document_db_envelope;
pub use document_db::{DocumentDbChanges, document_db};
pub use dynamodb::{DynamoDbRecords, dynamodb};
pub use event_bridge::{
    EventBridgeEvent, SchedulerAttributes, event_bridge, s3_object_created, s3_object_deleted,
    schedule, scheduler_context,
};
pub use firehose::{FirehoseRecords, firehose};
pub use http::{
    HttpRequest, api_gateway_v1, api_gateway_v2, function_url, load_balancer, vpc_lattice,
    vpc_lattice_v1, web_socket,
};
pub(super) use kafka::Cluster as KafkaCluster;
pub use kafka::{KafkaRecord, KafkaRecords, kafka};
pub(super) use kinesis::piped;
pub use kinesis::{KinesisRecord, KinesisRecords, kinesis};
pub use logs::{CloudWatchLogsMessages, cloudwatch_logs};
pub use mq::{ActiveMqMessages, RabbitMqMessages, active_mq, rabbit_mq};
pub(super) use mq::{active_mq_envelope, rabbit_mq_envelope};
pub use s3::{S3Records, s3};
pub use s3_batch::{S3BatchTask, s3_batch};
pub use sns::{SnsNotification, sns};
pub use sqs::{SqsMessage, SqsMessages, sqs};
pub use step_functions::{StepFunctionsTask, step_functions_context};

/// The time of every event, in the forms that the sources write.
const TIME: &str = "2026-01-01T00:00:00.000Z";
const TIME_SECONDS: u64 = 1_767_225_600;
const TIME_MILLIS: u64 = TIME_SECONDS * 1000;

/// The time of every event, since 1970.
pub(super) const START: Duration = Duration::from_secs(TIME_SECONDS);

fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn md5_bytes(bytes: impl AsRef<[u8]>) -> [u8; 16] {
    Md5::digest(bytes).into()
}

fn md5(bytes: impl AsRef<[u8]>) -> String {
    hex(&md5_bytes(bytes))
}

/// Writes `text` for a URL. Letters, digits and `-_.~` stay, and so does what is in `kept`.
fn percent_encode(text: &str, kept: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let char = char::from(byte);
        if byte.is_ascii_alphanumeric() || "-_.~".contains(char) || kept.contains(char) {
            encoded.push(char);
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
