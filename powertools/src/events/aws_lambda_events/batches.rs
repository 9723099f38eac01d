//! Batches from the types of `aws_lambda_events`.

use std::sync::Arc;
use std::time::SystemTime;

use ::aws_lambda_events::event::{dynamodb, kafka, kinesis, sqs};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::events::kafka::add_partition;
use crate::events::{self, DynamoDbEvent, KafkaEvent, KinesisEvent, SqsEvent};

/// Attributes are serialised as JSON and parsed again only when they are read.
impl From<sqs::SqsEvent> for SqsEvent {
    fn from(event: sqs::SqsEvent) -> Self {
        let records = event.records.into_iter().map(|message| events::sqs::Fields {
            message_id: message.message_id.as_deref().map(Into::into),
            receipt_handle: message.receipt_handle.map(Into::into),
            body: message.body.map(Into::into),
            md5_of_body: message.md5_of_body.map(Into::into),
            attributes: raw(&message.attributes),
            message_attributes: raw(&message.message_attributes),
            queue_arn: message.event_source_arn.map(Into::into),
            other_source: other(events::sqs::SOURCES, message.event_source),
        });
        Self { records: records.map(Into::into).collect() }
    }
}

/// `aws_lambda_events` does not read time windows: take [`KinesisEvent`] itself where the event
/// source mapping may have one.
///
/// Times are wrong: `aws_lambda_events` 1.2.1 reads the fraction of a second as a number of
/// milliseconds, such as .98 s as .098 s. So
/// [`arrived_at`](crate::events::KinesisRecord::arrived_at) must be part of no key and no age.
impl From<kinesis::KinesisEvent> for KinesisEvent {
    fn from(event: kinesis::KinesisEvent) -> Self {
        let records = event.records.into_iter().map(|record| {
            let kinesis = record.kinesis;
            events::kinesis::Fields {
                stream_arn: record.event_source_arn.map(Into::into),
                event_id: record.event_id.as_deref().map(Into::into),
                is_piped: false,
                kinesis: events::kinesis::Kinesis {
                    sequence_number: Some(kinesis.sequence_number.as_str().into()),
                    partition_key: Some(kinesis.partition_key.into()),
                    data: Some(STANDARD.encode(&kinesis.data.0).into()),
                    arrived: seconds(kinesis.approximate_arrival_timestamp.0.into()),
                },
                other_source: other(events::kinesis::SOURCES, record.event_source),
            }
        });
        Self { records: records.map(Into::into).collect(), has_window: false, is_piped: false }
    }
}

/// `aws_lambda_events` does not read time windows: take [`DynamoDbEvent`] itself where the event
/// source mapping may have one.
///
/// Times are inexact: `aws_lambda_events` 1.2.1 drops the fraction of a second. So
/// [`created_at`](crate::events::DynamoDbRecord::created_at) must be part of no key and no age.
impl From<dynamodb::Event> for DynamoDbEvent {
    fn from(event: dynamodb::Event) -> Self {
        let image = |image: &serde_dynamo::Item| raw(image).filter(|image| image.get() != "{}");
        let records = event.records.into_iter().map(|record| {
            let change = record.change;
            events::dynamodb::Fields {
                event_id: Some(record.event_id.as_str().into()),
                is_piped: false,
                event_name: Some(record.event_name.into()),
                stream_arn: record.event_source_arn.map(Into::into),
                user_identity: record.user_identity.as_ref().and_then(raw),
                change: events::dynamodb::Images {
                    sequence_number: change.sequence_number.as_deref().map(Into::into),
                    keys: image(&change.keys),
                    new: image(&change.new_image),
                    old: image(&change.old_image),
                    created: seconds(change.approximate_creation_date_time.into()),
                    precision: None,
                },
                other_source: other(events::dynamodb::SOURCES, record.event_source),
            }
        });
        Self { records: records.map(Into::into).collect(), has_window: false, is_piped: false }
    }
}

/// Times are inexact: `aws_lambda_events` 1.2.1 reads about half of all timestamps as 1 ms earlier.
/// So the records have no [natural key](crate::events::natural), and
/// [`timestamp`](crate::events::KafkaRecord::timestamp) must be part of no key and no age. Take
/// [`KafkaEvent`] itself for both.
///
/// `aws_lambda_events` does not read `keySchemaMetadata` and `valueSchemaMetadata` either. With a schema registry on
/// the event source mapping, which removes the ids from the data, take [`KafkaEvent`] itself: a converted record
/// names no schema, and where its data begins as Confluent's or Glue's does, with the byte 0 for example, its first
/// bytes are taken for an id.
impl From<kafka::KafkaEvent> for KafkaEvent {
    fn from(event: kafka::KafkaEvent) -> Self {
        let mut records = Vec::new();
        let mut partitions: Vec<_> = event.records.into_iter().collect();
        partitions.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (partition, of_partition) in partitions {
            let fields = of_partition.into_iter().map(|record| events::kafka::Fields {
                offset: Some(record.offset),
                topic: record.topic.map(Into::into),
                timestamp: Some(record.timestamp.timestamp_millis()),
                key: record.key.map(Into::into),
                value: record.value.map(Into::into),
                headers: raw(&record.headers),
                ..Default::default()
            });
            // Without a cluster there is no natural key, which inexact times must not be part of.
            add_partition(&mut records, &partition, None, fields.map(Arc::new).collect());
        }
        let other_source = other(events::kafka::SOURCES, event.event_source);
        Self { records, other_source, is_piped: false }
    }
}

/// The name of a source, if it is none of those `expected`.
fn other(expected: &[&str], found: Option<String>) -> Option<Box<str>> {
    found.filter(|found| !expected.contains(&found.as_str())).map(Into::into)
}

/// JSON of what was JSON before; an error would be one of no memory.
fn raw<T: Serialize>(value: &T) -> Option<Box<RawValue>> {
    to_raw_value(value).ok()
}

fn seconds(time: SystemTime) -> Option<f64> {
    Some(time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64())
}
