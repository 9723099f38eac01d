use serde::Deserialize;

use super::{HasNaturalKey, NaturalKey};

/// An event of an EventBridge bus or of a schedule, with its detail as a `T`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct EventBridgeEvent<T = serde_json::Value> {
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

/// The id of the event.
impl<T> HasNaturalKey for EventBridgeEvent<T> {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.id.as_deref()])
    }
}
