//! The events of AWS services as typed values, and the keys that identify them.
//!
//! A type here reads what AWS sends: members that are missing, null or unknown are accepted where
//! AWS leaves them out. Each type deserialises with any `serde` deserialiser, also inside an enum
//! that is `#[serde(untagged)]`, with or without [`Powertools`](crate::Powertools).
//!
//! [`batch`](mod@crate::batch) processes the events that are batches, and [`natural`] returns the key
//! by which a source identifies a delivery.

mod natural;
mod step_functions;

#[cfg(feature = "events")]
mod appsync;
#[cfg(feature = "aws-lambda-events")]
mod aws_lambda_events;
#[cfg(feature = "events")]
mod bedrock_agent;
#[cfg(feature = "batch")]
mod body;
#[cfg(feature = "events")]
mod cognito;
#[cfg(feature = "batch")]
pub(crate) mod compression;
#[cfg(feature = "batch")]
mod de;
#[cfg(feature = "batch")]
mod decode;
#[cfg(feature = "events")]
pub(crate) mod document_db;
#[cfg(feature = "batch")]
pub(crate) mod dynamodb;
#[cfg(feature = "batch")]
pub(crate) mod error;
#[cfg(feature = "events")]
mod event_bridge;
#[cfg(feature = "events")]
mod firehose;
#[cfg(feature = "events")]
mod http;
#[cfg(any(feature = "http", feature = "__otel"))]
#[cfg_attr(not(feature = "http"), allow(dead_code))]
pub(crate) mod http_event;
#[cfg(feature = "batch")]
pub(crate) mod kafka;
#[cfg(feature = "batch")]
pub(crate) mod kinesis;
#[cfg(feature = "events")]
pub(crate) mod large_body;
#[cfg(feature = "events")]
mod logs;
#[cfg(feature = "batch")]
pub(crate) mod memory;
#[cfg(feature = "events")]
pub(crate) mod mq;
#[cfg(feature = "batch")]
mod record_id;
#[cfg(feature = "events")]
mod s3;
#[cfg(feature = "events")]
mod s3_batch;
#[cfg(feature = "events")]
mod s3_detail;
#[cfg(feature = "events")]
mod sns;
#[cfg(feature = "batch")]
pub(crate) mod sqs;

#[cfg(feature = "events")]
pub use self::appsync::{
    AppSyncAuthorization, AppSyncAuthorizer, AppSyncAuthorizerContext, AppSyncEvents,
    AppSyncEventsInfo, AppSyncEventsReply, AppSyncIdentity, AppSyncInfo, AppSyncMessage,
    AppSyncRequest, AppSyncResolver, AppSyncResult,
};
#[cfg(feature = "events")]
pub use self::bedrock_agent::{
    BedrockAction, BedrockAgent, BedrockAgentInfo, BedrockParameter, BedrockReply,
};
#[cfg(feature = "batch")]
pub use self::body::{Body, Text};
#[cfg(feature = "events")]
pub use self::cognito::{
    CognitoAnswerRequest, CognitoCaller, CognitoChallenge, CognitoChallengeRequest,
    CognitoChallengeResult, CognitoClaims, CognitoClaimsV2, CognitoCreateAuthChallenge,
    CognitoCustomMessage, CognitoCustomSender, CognitoDefineAuthChallenge, CognitoGroups,
    CognitoMessage, CognitoMessageRequest, CognitoMigratedUser, CognitoMigrationRequest,
    CognitoNextChallenge, CognitoNoResponse, CognitoPostAuthentication, CognitoPostConfirmation,
    CognitoPreAuthentication, CognitoPreSignUp, CognitoPreTokenGeneration,
    CognitoPreTokenGenerationV2, CognitoRequest, CognitoSenderRequest, CognitoSignUp,
    CognitoTokenClaims, CognitoTokenRequest, CognitoTokens, CognitoTokensV2, CognitoTrigger,
    CognitoUserMigration, CognitoVerdict, CognitoVerifyAuthChallenge,
};
#[cfg(feature = "batch")]
pub(crate) use self::de::from_slice;
#[cfg(feature = "events")]
pub use self::document_db::{DocumentDbEvent, DocumentDbRecord};
#[cfg(feature = "batch")]
pub use self::dynamodb::{ChangeKind, DynamoDbEvent, DynamoDbRecord};
#[cfg(feature = "batch")]
pub use self::error::ParseError;
#[cfg(feature = "events")]
pub use self::event_bridge::{EventBridge, SchedulerContext};
#[cfg(feature = "events")]
pub use self::firehose::{FirehoseEvent, FirehoseRecord};
#[cfg(feature = "avro")]
pub use self::kafka::Avro;
#[cfg(feature = "protobuf")]
pub use self::kafka::{ANY_MESSAGE, Proto};
#[cfg(feature = "batch")]
pub use self::kafka::{
    Json, KafkaData, KafkaEvent, KafkaIdentifier, KafkaRecord, NoSource, SchemaId, SchemaSource,
    Schemas,
};
#[cfg(feature = "batch")]
pub use self::kinesis::{KinesisEvent, KinesisRecord};
#[cfg(feature = "events")]
pub use self::large_body::S3Pointer;
#[cfg(feature = "events")]
pub use self::logs::{CloudWatchLogs, CloudWatchLogsEvent, LogEvent};
#[cfg(feature = "events")]
pub use self::mq::{ActiveMqEvent, ActiveMqRecord, RabbitMqEvent, RabbitMqRecord};
pub use self::natural::{HasNaturalKey, NaturalKey, natural};
#[cfg(feature = "batch")]
pub use self::record_id::RecordId;
#[cfg(feature = "events")]
pub use self::s3::{S3Notification, S3Record};
#[cfg(feature = "events")]
pub use self::s3_batch::{S3BatchEvent, S3BatchJob, S3BatchTask};
#[cfg(feature = "events")]
pub use self::s3_detail::S3Detail;
#[cfg(feature = "events")]
pub use self::sns::{Sns, SnsEvent, SnsRecord};
#[cfg(feature = "batch")]
pub use self::sqs::{MessageAttribute, SqsEvent, SqsRecord};
pub use self::step_functions::StepFunctionsContext;
#[cfg(not(feature = "batch"))]
pub(crate) use serde_json::from_slice;
