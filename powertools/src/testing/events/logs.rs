use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{TIME_MILLIS, base64};
use crate::testing::identifiers::{self, ACCOUNT};

/// Starts the event of a subscription to the log group `name`.
pub fn cloudwatch_logs(name: impl Into<String>) -> CloudWatchLogsMessages {
    CloudWatchLogsMessages { group: name.into(), is_control: false, events: Vec::new() }
}

/// Log events of a CloudWatch Logs subscription. Created by [`cloudwatch_logs`].
///
/// ```
/// use powertools::testing::events;
///
/// let event = events::cloudwatch_logs("/aws/lambda/orders").message("hello").build();
/// assert!(event["awslogs"]["data"].is_string());
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct CloudWatchLogsMessages {
    group: String,
    is_control: bool,
    events: Vec<Value>,
}

impl CloudWatchLogsMessages {
    /// Adds a log event with this line.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.events.push(json!({
            "id": format!("{:056}", identifiers::next()),
            "timestamp": TIME_MILLIS,
            "message": message.into(),
        }));
        self
    }

    /// Makes it the message by which CloudWatch checks that its destination can be reached.
    pub fn control_message(mut self) -> Self {
        self.is_control = true;
        self.message("CWL CONTROL MESSAGE: Checking health of destination.")
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        json!({ "awslogs": { "data": base64(self.compressed()) } })
    }

    /// Creates what a Kinesis stream receives, as the data of its record.
    ///
    /// # Panics
    ///
    /// Panics if there is no memory to compress it.
    #[must_use]
    pub fn compressed(self) -> Vec<u8> {
        let message = json!({
            "messageType": if self.is_control { "CONTROL_MESSAGE" } else { "DATA_MESSAGE" },
            "owner": ACCOUNT,
            "logGroup": self.group,
            "logStream": "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
            "subscriptionFilters": ["all"],
            "logEvents": self.events,
        });
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(message.to_string().as_bytes())
            .and_then(|()| gzip.finish())
            .expect("memory can be written")
    }
}
