use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Serialize;

use super::condition::{Condition, Test};
use super::context::{self, ContextError, Outcome};
use super::explain::{Rejection, RejectionReason};
use super::value::{Incomparable, View};
use crate::clock::Clock;
use crate::invocation::Invocation;
use crate::json::Json;

/// The rules of a feature, ready to be evaluated.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) default: Json,
    /// In the order of the document.
    pub(super) rules: Vec<Rule>,
    /// Those of all rules, one rule after another.
    conditions: Vec<Condition>,
    /// The keys of conditions, each once, with the conditions that have it.
    keys: BTreeMap<Box<str>, Vec<usize>>,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: Box<str>,
    pub(super) when_match: Json,
    /// The end of its conditions, which begin where those of the rule before it end.
    end: usize,
}

/// As many outcomes are kept on the stack.
const INLINE: usize = 64;

impl Rules {
    pub(super) fn new(default: Json) -> Self {
        Self { default, rules: Vec::new(), conditions: Vec::new(), keys: BTreeMap::new() }
    }

    pub(super) fn push(
        &mut self,
        name: &str,
        when_match: Json,
        conditions: impl IntoIterator<Item = Condition>,
    ) {
        for condition in conditions {
            if let Test::Key(_) = condition.test {
                let next = self.conditions.len();
                self.keys.entry(condition.key.clone()).or_default().push(next);
            }
            self.conditions.push(condition);
        }
        let end = self.conditions.len();
        self.rules.push(Rule { name: name.into(), when_match, end });
    }

    /// Returns the conditions that test the value of this key.
    pub(super) fn conditions_of(&self, key: &str) -> &[usize] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }

    /// Tests a condition with the value of its key.
    pub(super) fn test(&self, condition: usize, value: View<'_>) -> Outcome {
        match &self.conditions[condition].test {
            Test::Key(test) => match test.holds(value) {
                Ok(true) => Outcome::Met,
                Ok(false) => Outcome::Unmet,
                Err(Incomparable) => Outcome::Incomparable,
            },
            Test::Time(_) => Outcome::Unmet,
        }
    }

    /// Returns the first rule whose conditions all hold. `reject` receives the rules before it, each
    /// with the first of its conditions that does not.
    pub(super) fn matching<'a>(
        &'a self,
        context: &(impl Serialize + ?Sized),
        reject: impl FnMut(Rejection<'a>),
    ) -> Result<Option<&'a Rule>, ContextError> {
        let count = self.conditions.len();
        if count <= INLINE {
            self.first(context, &mut [Outcome::default(); INLINE][..count], reject)
        } else {
            self.first(context, &mut vec![Outcome::default(); count], reject)
        }
    }

    fn first<'a>(
        &'a self,
        context: &(impl Serialize + ?Sized),
        outcomes: &mut [Outcome],
        mut reject: impl FnMut(Rejection<'a>),
    ) -> Result<Option<&'a Rule>, ContextError> {
        context::test(context, self, outcomes)?;
        // One time for all conditions, and only if one asks for it.
        let mut now = None;
        let mut start = 0;
        for rule in &self.rules {
            let mut conditions = start..rule.end;
            start = rule.end;
            let unmet = conditions.find_map(|index| {
                let condition = &self.conditions[index];
                let outcome = match &condition.test {
                    Test::Key(_) => outcomes[index],
                    Test::Time(schedule) if schedule.holds(*now.get_or_insert_with(time)) => {
                        Outcome::Met
                    }
                    Test::Time(_) => Outcome::Unmet,
                };
                let reason = match outcome {
                    Outcome::Met => return None,
                    Outcome::Unmet => RejectionReason::Unmet,
                    Outcome::KeyAbsent => RejectionReason::KeyAbsent,
                    Outcome::Incomparable => RejectionReason::Incomparable,
                };
                Some((condition, reason))
            });
            match unmet {
                None => return Ok(Some(rule)),
                Some((Condition { action, key, .. }, reason)) => {
                    reject(Rejection { rule: &rule.name, action, key, reason });
                }
            }
        }
        Ok(None)
    }
}

/// The time of the invocation's clock.
fn time() -> SystemTime {
    let now = Invocation::with_current(|invocation| invocation.clock().now());
    now.unwrap_or_else(|| Clock::system().now())
}
