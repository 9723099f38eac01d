//! The events of `aws_lambda_events`.

use ::aws_lambda_events::alb::AlbTargetGroupRequest;
use ::aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use ::aws_lambda_events::dynamodb::EventRecord as DynamoDbRecord;
use ::aws_lambda_events::eventbridge::EventBridgeEvent;
use ::aws_lambda_events::kafka::KafkaRecord;
use ::aws_lambda_events::kinesis::KinesisEventRecord;
use ::aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use ::aws_lambda_events::s3::{S3Event, S3EventRecord};
use ::aws_lambda_events::sns::{SnsEvent, SnsRecord};
use ::aws_lambda_events::sqs::SqsMessage;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::events::http::of_headers;
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

impl HasNaturalKey for KafkaRecord {
    fn natural_key(&self) -> NaturalKey {
        let partition = self.topic.as_ref().map(|topic| format!("{topic}-{}", self.partition));
        NaturalKey::new([partition.as_deref(), Some(&self.offset.to_string())])
    }
}

impl HasNaturalKey for S3EventRecord {
    fn natural_key(&self) -> NaturalKey {
        let (bucket, object) = (&self.s3.bucket, &self.s3.object);
        NaturalKey::new([
            bucket.name.as_deref(),
            object.key.as_deref(),
            object.sequencer.as_deref(),
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

fn of_the_only<R: HasNaturalKey>(records: &[R]) -> NaturalKey {
    match records {
        [record] => record.natural_key(),
        _ => NaturalKey::absent(),
    }
}
