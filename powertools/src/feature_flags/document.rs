use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};

use super::context::ContextError;
use super::explain::{Explanation, Rejection, RejectionReason, ValueSource};
use super::feature::{self, Feature};
use super::problem::{Problem, Problems};
use super::rules::Rules;
use super::{Error, native::Native};
use crate::json::Json;

/// A document of feature flags, ready to be evaluated.
///
/// It is a value like any other of `parameters`, and can also be read from a string:
///
/// ```
/// use powertools::feature_flags::FeatureFlags;
/// use serde_json::json;
///
/// let flags: FeatureFlags = r#"{
///     "premium_features": {
///         "default": false,
///         "rules": {
///             "tier is premium": {
///                 "when_match": true,
///                 "conditions": [{ "action": "EQUALS", "key": "tier", "value": "premium" }]
///             }
///         }
///     }
/// }"#
/// .parse()?;
///
/// let is_premium: bool = flags.evaluate("premium_features", &json!({ "tier": "premium" }))?;
/// assert!(is_premium);
/// # Ok::<(), powertools::feature_flags::Error>(())
/// ```
pub struct FeatureFlags {
    /// In the order of the document.
    features: Vec<Entry>,
    places: HashMap<Box<str>, usize>,
    problems: Vec<Problem>,
}

struct Entry {
    name: Box<str>,
    feature: Result<Feature, Problem>,
    /// Whether a warning about it was logged.
    has_warned: AtomicBool,
}

impl FeatureFlags {
    /// Returns the value of a feature: that of the first rule whose conditions all hold for the
    /// context, or else the default of the feature.
    ///
    /// `T` is `bool`, unless the `boolean_type` of the feature is false. A flag in the format of
    /// AppConfig is a `bool`, an `Option` of its attributes, or an object with `enabled` and the
    /// attributes. The context is a struct or a map, or `()` for none. The time is that of the
    /// invocation's clock.
    ///
    /// # Errors
    ///
    /// Returns [`Error`] if there is no such feature, it is invalid, the context is not an object, or the
    /// value does not fit `T`.
    pub fn evaluate<T: DeserializeOwned>(
        &self,
        feature: &str,
        context: &(impl Serialize + ?Sized),
    ) -> Result<T, Error> {
        let entry = self.entry(feature)?;
        match entry.feature()? {
            Feature::Native(native) => native.read(feature),
            Feature::Rules(rules) => {
                let rule = rules.matching(context, |rejection| entry.note(&rejection));
                let rule = rule.map_err(|error| invalid_context(feature, &error))?;
                read(feature, rule.map_or(&rules.default, |rule| &rule.when_match))
            }
        }
    }

    /// Returns the value of a feature with its reasons, for a log line or a test.
    ///
    /// ```
    /// # use powertools::feature_flags::FeatureFlags;
    /// # use serde_json::json;
    /// # let flags: FeatureFlags = r#"{"premium_features": {"default": false, "rules": {"tier is premium":
    /// #   {"when_match": true, "conditions": [{"action": "EQUALS", "key": "tier", "value": "premium"}]}}}}"#.parse()?;
    /// let explanation = flags.explain("premium_features", &json!({ "user": "ada" }))?;
    /// assert_eq!(
    ///     explanation.to_string(),
    ///     "premium_features is false by default; the rule \"tier is premium\" does not match, since \
    ///      EQUALS of tier has no value in the context"
    /// );
    /// # Ok::<(), powertools::feature_flags::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`Error`] if there is no such feature, it is invalid, or the context is not an object.
    pub fn explain(
        &self,
        feature: &str,
        context: &(impl Serialize + ?Sized),
    ) -> Result<Explanation<'_>, Error> {
        let entry = self.entry(feature)?;
        let mut rejections = Vec::new();
        let (value, source) = match entry.feature()? {
            Feature::Native(native) => (&native.object, ValueSource::Flag),
            Feature::Rules(rules) => {
                let rule = rules.matching(context, |rejection| rejections.push(rejection));
                match rule.map_err(|error| invalid_context(feature, &error))? {
                    Some(rule) => (&rule.when_match, ValueSource::Rule(&rule.name)),
                    None => (&rules.default, ValueSource::Default),
                }
            }
        };
        Ok(Explanation { feature: &entry.name, value, source, rejections })
    }

    /// Returns the names of the features that are on for the context, in the order of the document: those
    /// whose value is neither false, null, zero, nor empty. Invalid features are left out.
    ///
    /// # Errors
    ///
    /// Returns [`Error::ContextInvalid`] if the context is not an object.
    pub fn enabled(&self, context: &(impl Serialize + ?Sized)) -> Result<Vec<&str>, Error> {
        let mut enabled = Vec::new();
        for entry in &self.features {
            let Ok(feature) = entry.feature() else { continue };
            let is_on = match feature {
                Feature::Native(native) => native.is_enabled(),
                Feature::Rules(rules) => entry.is_on(rules, context)?,
            };
            if is_on {
                enabled.push(&*entry.name);
            }
        }
        Ok(enabled)
    }

    /// Returns the names of all features, in the order of the document.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.features.iter().map(|entry| &*entry.name)
    }

    /// Returns what is wrong with the document. [`check`](super::check) is for tests of a document.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn entry(&self, feature: &str) -> Result<&Entry, Error> {
        let place = self.places.get(feature);
        let place = place.ok_or_else(|| Error::NotFound { feature: feature.to_owned() })?;
        Ok(&self.features[*place])
    }

    fn of(json: &Json) -> Result<Self, Error> {
        let Json::Object(members) = json else {
            let reason = "it must be an object, with a member for each feature".to_owned();
            return Err(Error::DocumentInvalid { reason });
        };
        let mut problems = Problems::default();
        let features: Vec<_> = members
            .iter()
            .map(|(name, json)| Entry {
                name: name.as_str().into(),
                feature: feature::read(name, json, &mut problems),
                has_warned: AtomicBool::new(false),
            })
            .collect();
        let places = features.iter().enumerate();
        let places = places.map(|(place, entry)| (entry.name.clone(), place)).collect();
        Ok(Self { features, places, problems: problems.0 })
    }
}

impl Entry {
    fn feature(&self) -> Result<&Feature, Error> {
        self.feature.as_ref().map_err(|problem| {
            let feature = String::from(&*self.name);
            let error = Error::Invalid { feature, problem: problem.clone() };
            // Its caller may only take a default.
            self.warn(|| tracing::warn!("{error}: fix it in the document"));
            error
        })
    }

    fn is_on(&self, rules: &Rules, context: &(impl Serialize + ?Sized)) -> Result<bool, Error> {
        let rule = rules.matching(context, |rejection| self.note(&rejection));
        let rule = rule.map_err(|error| invalid_context(&self.name, &error))?;
        Ok(match rule.map_or(&rules.default, |rule| &rule.when_match) {
            Json::Null => false,
            Json::Bool(value) => *value,
            Json::Number(number) => number.to_f64() != 0.0,
            Json::String(text) => !text.is_empty(),
            Json::Array(items) => !items.is_empty(),
            Json::Object(members) => !members.is_empty(),
        })
    }

    /// Warns of a rule that cannot match for the types of this context.
    fn note(&self, rejection: &Rejection<'_>) {
        if rejection.reason() == RejectionReason::Incomparable {
            self.warn(|| {
                tracing::warn!(
                    feature = &*self.name,
                    "{rejection}: the types of the document and the context differ"
                );
            });
        }
    }

    /// Logs once until the document is replaced.
    fn warn(&self, log: impl FnOnce()) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            log();
        }
    }
}

impl Native {
    fn read<T: DeserializeOwned>(&self, feature: &str) -> Result<T, Error> {
        T::deserialize(self).or_else(|_| {
            let read = serde_path_to_error::deserialize(self);
            read.map_err(|error| mismatch(feature, &error))
        })
    }
}

fn read<T: DeserializeOwned>(feature: &str, value: &Json) -> Result<T, Error> {
    // The way to a mistake is looked for only if there is one.
    T::deserialize(value).or_else(|_| {
        let read = serde_path_to_error::deserialize(value);
        read.map_err(|error| mismatch(feature, &error))
    })
}

/// Names the place in the value, and never what serde says, since that quotes the value.
fn mismatch(feature: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    Error::TypeMismatch { feature: feature.to_owned(), path: error.path().to_string() }
}

fn invalid_context(feature: &str, error: &ContextError) -> Error {
    Error::ContextInvalid { feature: feature.to_owned(), reason: error.to_string() }
}

impl FromStr for FeatureFlags {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let json: Json = text.parse().map_err(|error| Error::DocumentInvalid {
            reason: format!("it is invalid JSON, {error}"),
        })?;
        Self::of(&json)
    }
}

/// A document that is a part of another one is a field of that one's type.
impl<'de> Deserialize<'de> for FeatureFlags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(&Json::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Writes the names of the features.
impl fmt::Debug for FeatureFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// Returns everything that is wrong with a document, in its order. For the test of a deployment:
///
/// ```
/// use powertools::feature_flags;
///
/// # let text = r#"{ "premium_features": { "default": false } }"#;
/// // let text = include_str!("features.json");
/// assert_eq!(feature_flags::check(text), []);
/// ```
///
/// Beyond what makes a feature [fail](Problem::is_fatal), it finds what is probably a mistake: members
/// without a meaning, and conditions that never hold.
#[must_use]
pub fn check(document: &str) -> Vec<Problem> {
    match document.parse::<FeatureFlags>() {
        Ok(flags) if flags.features.is_empty() => {
            vec![Problem::new("", "it has no features", false)]
        }
        Ok(flags) => flags.problems,
        Err(error) => vec![Problem::new("", error.to_string(), true)],
    }
}
