use serde::{Deserialize, Serialize};

use super::{HasNaturalKey, NaturalKey};

/// The source of events that EventBridge Scheduler sends by itself.
pub(super) const SCHEDULER: &str = "aws.scheduler";

/// An event of an EventBridge bus, or of a schedule, with its detail as a `T`.
///
/// It is also what a queue or a topic receives of a rule: `Message<EventBridge<T>>`,
/// `Message<Sns<EventBridge<T>>>`.
///
/// A schedule of EventBridge Scheduler without an input sends the *string* `{}` as its detail: take
/// `EventBridge<serde::de::IgnoredAny>`. One with an input sends that input alone: see
/// [`SchedulerContext`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct EventBridge<T = serde_json::Value> {
    /// The id of the event. It is the same when the event is delivered again, or replayed from an
    /// archive.
    pub id: Option<String>,
    /// The name that the sender gives itself.
    pub source: String,
    /// What `detail` describes, as the sender names it.
    pub detail_type: String,
    /// When the event happened, in RFC 3339.
    pub time: Option<String>,
    /// The account that sent it.
    pub account: Option<String>,
    /// The region in which it was sent.
    pub region: Option<String>,
    /// The ARNs of what the event is about.
    #[serde(default)]
    pub resources: Vec<String>,
    /// What happened.
    pub detail: T,
}

/// The id of the event; of a schedule, its ARN and the time for which it was scheduled.
impl<T> HasNaturalKey for EventBridge<T> {
    fn natural_key(&self) -> NaturalKey {
        if self.source == SCHEDULER {
            // Nothing says that the id is that of an earlier attempt.
            return NaturalKey::new([
                self.resources.first().map(String::as_str),
                self.time.as_deref(),
            ]);
        }
        NaturalKey::new([self.id.as_deref()])
    }
}

/// What identifies a run of an EventBridge Scheduler schedule whose target has an input.
///
/// Such an event is that input alone, so the input must contain the context attributes of the
/// schedule:
///
/// ```json
/// {
///   "schedule": {
///     "schedule_arn": "<aws.scheduler.schedule-arn>",
///     "scheduled_time": "<aws.scheduler.scheduled-time>"
///   },
///   "report": "daily"
/// }
/// ```
///
/// ```
/// use powertools::events::{SchedulerContext, natural};
///
/// #[derive(serde::Deserialize)]
/// struct Run {
///     schedule: SchedulerContext,
///     report: String,
/// }
///
/// # fn main() -> Result<(), serde_json::Error> {
/// let run: Run = serde_json::from_str(
///     r#"{
///         "schedule": {
///             "schedule_arn": "arn:aws:scheduler:eu-central-1:123456789012:schedule/default/daily",
///             "scheduled_time": "2026-01-02T03:00:00Z"
///         },
///         "report": "daily"
///     }"#,
/// )?;
/// assert!(!natural(&run.schedule).is_absent());
/// # Ok(()) }
/// ```
///
/// The execution id is new for each attempt, so it is part of no key. An event with the rest of a run
/// contains the same context.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SchedulerContext {
    /// The ARN of the schedule: `<aws.scheduler.schedule-arn>`.
    pub schedule_arn: Option<String>,
    /// The time for which it was scheduled, in RFC 3339: `<aws.scheduler.scheduled-time>`.
    pub scheduled_time: Option<String>,
    /// The id of the attempt: `<aws.scheduler.execution-id>`.
    pub execution_id: Option<String>,
    /// The number of the attempt: `<aws.scheduler.attempt-number>`.
    pub attempt_number: Option<String>,
}

/// The schedule and the time for which it was scheduled.
impl HasNaturalKey for SchedulerContext {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.schedule_arn.as_deref(), self.scheduled_time.as_deref()])
    }
}
