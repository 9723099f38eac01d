use serde_json::{Value, json};

use crate::testing::identifiers::{self, ACCOUNT, REGION};

/// Starts an event of `source` on the event bus, such as `("orders", "OrderPlaced", json)`.
pub fn event_bridge(
    source: impl Into<String>,
    detail_type: impl Into<String>,
    detail: Value,
) -> EventBridgeEvent {
    EventBridgeEvent {
        id: identifiers::request_id(),
        source: source.into(),
        detail_type: detail_type.into(),
        detail,
        time: "2026-01-01T00:00:00Z".to_owned(),
        resources: Vec::new(),
    }
}

/// Starts the event of a schedule of EventBridge Scheduler that has no input. Its resource is the
/// schedule.
pub fn schedule(name: &str) -> EventBridgeEvent {
    let arn = format!("arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{name}");
    event_bridge("aws.scheduler", "Scheduled Event", Value::String("{}".to_owned())).resource(arn)
}

/// An event on the event bus. Created by [`event_bridge`].
///
/// ```
/// use powertools::testing::events;
/// use serde_json::json;
///
/// let event = events::event_bridge("orders", "OrderPlaced", json!({ "order": 7 })).build();
/// assert_eq!(event["detail-type"], "OrderPlaced");
/// assert_eq!(event["detail"]["order"], 7);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct EventBridgeEvent {
    id: String,
    source: String,
    detail_type: String,
    detail: Value,
    time: String,
    resources: Vec<String>,
}

impl EventBridgeEvent {
    /// Sets the id. Defaults to a new one.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets the time, such as `2026-01-01T00:00:00Z`.
    pub fn time(mut self, time: impl Into<String>) -> Self {
        self.time = time.into();
        self
    }

    /// Adds the ARN of something that the event is about.
    pub fn resource(mut self, arn: impl Into<String>) -> Self {
        self.resources.push(arn.into());
        self
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        json!({
            "version": "0",
            "id": self.id,
            "detail-type": self.detail_type,
            "source": self.source,
            "account": ACCOUNT,
            "time": self.time,
            "region": REGION,
            "resources": self.resources,
            "detail": self.detail,
        })
    }
}
