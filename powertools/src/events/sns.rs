use serde::Deserialize;

use super::{HasNaturalKey, NaturalKey, natural::of_the_only};

/// The notification of an SNS topic.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SnsEvent {
    /// The notifications; Lambda sends one at a time.
    pub records: Vec<SnsRecord>,
}

/// A notification of an SNS topic.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SnsRecord {
    sns: Sns,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Sns {
    message_id: Option<String>,
    topic_arn: Option<String>,
    subject: Option<String>,
    message: Option<String>,
}

impl SnsRecord {
    /// Returns the id of the message. SNS repeats it when it delivers the message again.
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        self.sns.message_id.as_deref()
    }

    /// Returns the ARN of the topic.
    #[must_use]
    pub fn topic_arn(&self) -> Option<&str> {
        self.sns.topic_arn.as_deref()
    }

    /// Returns the subject, if the sender set one.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.sns.subject.as_deref()
    }

    /// Returns the message, as it was sent.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.sns.message.as_deref()
    }
}

/// The id of the message.
impl HasNaturalKey for SnsRecord {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.message_id()])
    }
}

/// The key of its only record. An event of several has none.
impl HasNaturalKey for SnsEvent {
    fn natural_key(&self) -> NaturalKey {
        of_the_only(&self.records)
    }
}
