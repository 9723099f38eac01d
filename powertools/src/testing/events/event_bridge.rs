use serde_json::{Value, json};

use crate::testing::identifiers::{self, ACCOUNT, REGION};

/// The time of every event, as EventBridge writes it.
const TIME: &str = "2026-01-01T00:00:00Z";

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
        time: TIME.to_owned(),
        resources: Vec::new(),
    }
}

/// Starts the event of a schedule of EventBridge Scheduler that has no input. Its resource is the
/// schedule.
pub fn schedule(name: &str) -> EventBridgeEvent {
    event_bridge("aws.scheduler", "Scheduled Event", Value::String("{}".to_owned()))
        .resource(schedule_arn(name))
}

fn schedule_arn(name: &str) -> String {
    format!("arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{name}")
}

/// Starts the event that S3 sends to EventBridge when an object of this size in bytes is created.
///
/// ```
/// use powertools::testing::events;
///
/// let event = events::s3_object_created("uploads", "a b/ä.jpg", 7).build();
/// assert_eq!(event["detail"]["object"]["key"], "a b/ä.jpg");
/// ```
pub fn s3_object_created(bucket: &str, key: &str, size: u64) -> EventBridgeEvent {
    let mut event = s3_object(bucket, key, "Object Created", "PutObject");
    event.detail["object"]["size"] = size.into();
    event
}

/// Starts the event that S3 sends to EventBridge when an object is deleted for good.
pub fn s3_object_deleted(bucket: &str, key: &str) -> EventBridgeEvent {
    let mut event = s3_object(bucket, key, "Object Deleted", "DeleteObject");
    event.detail["deletion-type"] = "Permanently Deleted".into();
    event
}

fn s3_object(bucket: &str, key: &str, detail_type: &str, reason: &str) -> EventBridgeEvent {
    let id = identifiers::next();
    let detail = json!({
        "version": "0",
        "bucket": { "name": bucket },
        "object": { "key": key, "sequencer": format!("{id:018X}") },
        "request-id": format!("{id:016X}"),
        "requester": ACCOUNT,
        "source-ip-address": "192.0.2.1",
        "reason": reason,
    });
    event_bridge("aws.s3", detail_type, detail).resource(format!("arn:aws:s3:::{bucket}"))
}

/// Starts the context attributes of a schedule of EventBridge Scheduler, for the member of an input
/// that a handler reads as a [`SchedulerContext`](crate::events::SchedulerContext).
///
/// ```
/// use powertools::testing::events;
/// use serde_json::json;
///
/// let event = json!({ "schedule": events::scheduler_context("daily").build(), "report": "daily" });
/// assert_eq!(event["schedule"]["scheduled_time"], "2026-01-01T00:00:00Z");
/// ```
pub fn scheduler_context(name: &str) -> SchedulerAttributes {
    SchedulerAttributes { schedule: schedule_arn(name), time: TIME.to_owned(), attempt: 1 }
}

/// The context attributes of a schedule. Created by [`scheduler_context`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct SchedulerAttributes {
    schedule: String,
    time: String,
    attempt: u32,
}

impl SchedulerAttributes {
    /// Sets the time for which it was scheduled, such as `2026-01-01T00:00:00Z`.
    pub fn time(mut self, time: impl Into<String>) -> Self {
        self.time = time.into();
        self
    }

    /// Sets the number of the attempt, from 1.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// Creates the value of the member. The execution id is new, as it is in each attempt.
    #[must_use]
    pub fn build(self) -> Value {
        json!({
            "schedule_arn": self.schedule,
            "scheduled_time": self.time,
            "execution_id": identifiers::request_id(),
            "attempt_number": self.attempt.to_string(),
        })
    }
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
