//! The events of `aws_lambda_events`.

use ::aws_lambda_events::alb::AlbTargetGroupRequest;
use ::aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use ::aws_lambda_events::dynamodb::EventRecord as DynamoDbRecord;
use ::aws_lambda_events::eventbridge::EventBridgeEvent;
use ::aws_lambda_events::kinesis::KinesisEventRecord;
use ::aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use ::aws_lambda_events::s3::{S3Event, S3EventRecord};
use ::aws_lambda_events::sns::{SnsEvent, SnsRecord};
use ::aws_lambda_events::sqs::SqsMessage;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::events::event_bridge::SCHEDULER;
use crate::events::http::of_headers;
use crate::events::natural::of_the_only;
use crate::events::{HasNaturalKey, NaturalKey};

impl HasNaturalKey for SqsMessage {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.message_id.as_deref()])
    }
}

impl HasNaturalKey for KinesisEventRecord {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.event_source_arn.as_deref(), self.event_id.as_deref()])
    }
}

impl HasNaturalKey for DynamoDbRecord {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([Some(self.event_id.as_str())])
    }
}

impl HasNaturalKey for S3EventRecord {
    fn natural_key(&self) -> NaturalKey {
        let (bucket, object) = (&self.s3.bucket, &self.s3.object);
        NaturalKey::new([
            bucket.name.as_deref(),
            object.key.as_deref(),
            object.sequencer.as_deref(),
            self.event_name.as_deref(),
        ])
    }
}

impl HasNaturalKey for S3Event {
    fn natural_key(&self) -> NaturalKey {
        of_the_only(&self.records)
    }
}

impl HasNaturalKey for SnsRecord {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([Some(self.sns.message_id.as_str())])
    }
}

impl HasNaturalKey for SnsEvent {
    fn natural_key(&self) -> NaturalKey {
        of_the_only(&self.records)
    }
}

impl<T: Serialize + DeserializeOwned> HasNaturalKey for EventBridgeEvent<T> {
    fn natural_key(&self) -> NaturalKey {
        if self.source == SCHEDULER {
            let schedule = self.resources.iter().flatten().next();
            // As it was sent: RFC 3339 with a `Z`.
            let time = self.time.map(|time| format!("{time:?}"));
            return NaturalKey::new([schedule.map(String::as_str), time.as_deref()]);
        }
        NaturalKey::new([self.id.as_deref()])
    }
}

impl HasNaturalKey for ApiGatewayProxyRequest {
    fn natural_key(&self) -> NaturalKey {
        of_headers([&self.headers, &self.multi_value_headers])
    }
}

impl HasNaturalKey for ApiGatewayV2httpRequest {
    fn natural_key(&self) -> NaturalKey {
        of_headers([&self.headers])
    }
}

impl HasNaturalKey for LambdaFunctionUrlRequest {
    fn natural_key(&self) -> NaturalKey {
        of_headers([&self.headers])
    }
}

impl HasNaturalKey for AlbTargetGroupRequest {
    fn natural_key(&self) -> NaturalKey {
        of_headers([&self.headers, &self.multi_value_headers])
    }
}
