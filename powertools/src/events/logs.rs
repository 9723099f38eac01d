use std::borrow::Cow;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::compression::{decompress, largest};
use super::decode::decode;
use super::error::{from_json, in_layer};
use super::memory::{Reservation, reserve};
use super::{Body, HasNaturalKey, NaturalKey, ParseError};

/// The event of a CloudWatch Logs subscription.
///
/// Its data is decoded and decompressed as the event is read, within the memory of the function.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct CloudWatchLogsEvent {
    /// What the subscription sent.
    #[serde(rename = "awslogs", deserialize_with = "data")]
    pub logs: CloudWatchLogs,
}

/// What a CloudWatch Logs subscription sends: log events of one log stream, or a control message.
///
/// Through a Kinesis stream it is `KinesisMessage<CloudWatchLogs>`.
///
/// ```
/// use powertools::events::{CloudWatchLogsEvent, Text};
/// use powertools::testing::events;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let event = events::cloudwatch_logs("/aws/lambda/orders").message("hello").build();
/// let event: CloudWatchLogsEvent = serde_json::from_value(event)?;
/// for line in &event.logs.events {
///     println!("{}: {}", event.logs.log_group, line.parse::<Text>()?);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Subscription")]
#[non_exhaustive]
pub struct CloudWatchLogs {
    /// The log group.
    pub log_group: String,
    /// The log stream.
    pub log_stream: String,
    /// The account that owns the log group.
    pub owner: String,
    /// The names of the subscription filters that the events passed.
    pub subscription_filters: Vec<String>,
    /// The log events, in their order. A control message has none.
    pub events: Vec<LogEvent>,
    /// True for a control message, by which CloudWatch checks that its destination can be reached.
    pub is_control_message: bool,
    /// The memory that it may take, if it has been decompressed here.
    _reserved: Reservation,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    message_type: Option<String>,
    log_group: Option<String>,
    log_stream: Option<String>,
    owner: Option<String>,
    subscription_filters: Option<Vec<String>>,
    log_events: Vec<LogEvent>,
}

/// A log event of a CloudWatch Logs subscription.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct LogEvent {
    /// The id, which is the same when the event is delivered again.
    pub id: Option<String>,
    /// The line that was logged.
    pub message: String,
    /// What the pattern of the filter extracted.
    pub extracted_fields: Option<HashMap<String, Option<String>>>,
    timestamp: Option<u64>,
}

impl LogEvent {
    /// Returns when the event happened, to the millisecond.
    #[must_use]
    pub fn at(&self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(self.timestamp?))
    }

    /// Reads the line as a `T`.
    ///
    /// # Errors
    ///
    /// Returns [`ParseError::Json`] if it is invalid JSON or not of the type `T`.
    pub fn parse<T: Body>(&self) -> Result<T, ParseError> {
        T::from_text(&self.message)
    }
}

impl From<Subscription> for CloudWatchLogs {
    fn from(sent: Subscription) -> Self {
        let is_control_message = sent.message_type.as_deref() == Some("CONTROL_MESSAGE");
        Self {
            log_group: sent.log_group.unwrap_or_default(),
            log_stream: sent.log_stream.unwrap_or_default(),
            owner: sent.owner.unwrap_or_default(),
            subscription_filters: sent.subscription_filters.unwrap_or_default(),
            // Its text is that of CloudWatch and no line of the group.
            events: if is_control_message { Vec::new() } else { sent.log_events },
            is_control_message,
            _reserved: None,
        }
    }
}

/// The id of the log event.
impl HasNaturalKey for LogEvent {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.id.as_deref()])
    }
}

/// The data of the event, in base64 and compressed.
#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
}

fn data<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CloudWatchLogs, D::Error> {
    let Data { data } = Data::deserialize(deserializer)?;
    let read = || -> Result<CloudWatchLogs, ParseError> {
        let json = decompress(decode(&data)?, largest)?;
        let reserved = reserve(&json)?;
        Ok(CloudWatchLogs { _reserved: reserved, ..from_json(&json)? })
    };
    read().map_err(|error| D::Error::custom(in_layer("the data of CloudWatch Logs", &error)))
}

#[cfg(test)]
mod tests {
    use crate::testing::events::cloudwatch_logs;

    use super::*;

    fn event(message: &str) -> Result<CloudWatchLogsEvent, serde_json::Error> {
        serde_json::from_value(cloudwatch_logs("/aws/lambda/f").message(message).build())
    }

    #[test]
    fn data_that_would_fill_the_memory_is_an_error() {
        // A few KB when it is compressed.
        let error = event(&",".repeat(800_000)).unwrap_err().to_string();
        let expected = "the data of CloudWatch Logs cannot be read: parsing the record may take ";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn memory_is_reserved_while_the_event_is_processed() {
        assert!(event("a line").unwrap().logs._reserved.is_none());
        assert!(event(&"a line".repeat(5_000)).unwrap().logs._reserved.is_some());
    }
}
