use std::fmt;

use crate::json::Json;

/// How a feature got its value. Its `Display` form is a sentence for a log line, without values of the
/// context.
#[derive(Debug)]
pub struct Explanation<'a> {
    pub(super) feature: &'a str,
    pub(super) value: &'a Json,
    pub(super) source: ValueSource<'a>,
    pub(super) rejections: Vec<Rejection<'a>>,
}

/// Where the value of a feature is in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueSource<'a> {
    /// The rule of this name, which is the first whose conditions all hold.
    Rule(&'a str),
    /// The feature's default.
    Default,
    /// The flag itself: those of AppConfig have no rules.
    Flag,
}

/// A rule that did not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection<'a> {
    pub(super) rule: &'a str,
    pub(super) action: &'a str,
    pub(super) key: &'a str,
    pub(super) reason: RejectionReason,
}

/// Why a condition did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RejectionReason {
    /// The value of the key, or the time, does not fulfil it.
    Unmet,
    /// The context does not have the key. No condition holds for such a key.
    KeyAbsent,
    /// The action is not defined between the value of the key and that of the condition.
    Incomparable,
}

impl<'a> Explanation<'a> {
    /// Returns the name of the feature.
    #[must_use]
    pub fn feature(&self) -> &'a str {
        self.feature
    }

    /// Returns where the value is from.
    #[must_use]
    pub fn source(&self) -> ValueSource<'a> {
        self.source
    }

    /// Returns the rules before the one that matched, each with the first of its conditions that did
    /// not hold.
    #[must_use]
    pub fn rejections(&self) -> &[Rejection<'a>] {
        &self.rejections
    }
}

impl<'a> Rejection<'a> {
    /// Returns the name of the rule.
    #[must_use]
    pub fn rule(&self) -> &'a str {
        self.rule
    }

    /// Returns the action of the condition.
    #[must_use]
    pub fn action(&self) -> &'a str {
        self.action
    }

    /// Returns the key of the condition.
    #[must_use]
    pub fn key(&self) -> &'a str {
        self.key
    }

    /// Returns why the condition did not hold.
    #[must_use]
    pub fn reason(&self) -> RejectionReason {
        self.reason
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.feature, self.value)?;
        match self.source {
            ValueSource::Rule(rule) => write!(f, " by the rule {rule:?}")?,
            ValueSource::Default => f.write_str(" by default")?,
            ValueSource::Flag => {}
        }
        self.rejections.iter().try_for_each(|rejection| write!(f, "; {rejection}"))
    }
}

impl fmt::Display for Rejection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, action, key, reason } = self;
        let reason = match reason {
            RejectionReason::Unmet => "is not fulfilled",
            RejectionReason::KeyAbsent => "has no value in the context",
            RejectionReason::Incomparable => "is not defined for these values",
        };
        write!(f, "the rule {rule:?} does not match, since {action} of {key} {reason}")
    }
}
