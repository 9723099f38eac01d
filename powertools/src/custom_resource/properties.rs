use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::Error;

/// Properties of an earlier version of the template, which may not have the type of the current ones.
#[derive(Clone)]
pub struct Earlier<T> {
    properties: Map<String, Value>,
    read_as: PhantomData<fn() -> T>,
}

impl<T> Earlier<T> {
    pub(super) fn new(properties: Map<String, Value>) -> Self {
        Self { properties, read_as: PhantomData }
    }
}

impl<T: DeserializeOwned> Earlier<T> {
    /// Reads the properties.
    ///
    /// # Errors
    ///
    /// Returns [`Error::PropertiesInvalid`] if they do not have the type: that of an earlier version of the
    /// function may have been another one. A deletion should succeed all the same.
    pub fn read(&self) -> Result<T, Error> {
        read(self.properties.clone())
    }
}

/// The values may be secrets.
impl<T> fmt::Debug for Earlier<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Earlier").finish_non_exhaustive()
    }
}

/// Deserialises a number, a boolean or another type with a text form, which CloudFormation sends as a string.
///
/// ```
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Index {
///     #[serde(deserialize_with = "powertools::custom_resource::parsed")]
///     shards: u32,
/// }
///
/// let index: Index = serde_json::from_str(r#"{ "shards": "8" }"#).unwrap();
/// assert_eq!(index.shards, 8);
/// ```
///
/// # Errors
///
/// Returns an error if the string does not have the form of the type.
pub fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display> + Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form<T> {
        Text(String),
        Value(T),
    }

    match Form::deserialize(deserializer)? {
        Form::Text(text) => text.parse().map_err(D::Error::custom),
        Form::Value(value) => Ok(value),
    }
}

/// The property that limits how long CloudFormation waits.
pub(super) const SERVICE_TIMEOUT: &str = "ServiceTimeout";

/// Removes the properties that are CloudFormation's own, and returns its timeout.
pub(super) fn take_own(properties: &mut Map<String, Value>) -> Option<Duration> {
    properties.remove("ServiceToken");
    service_timeout(&properties.remove(SERVICE_TIMEOUT)?)
}

/// Reads the property `ServiceTimeout`: seconds, which CloudFormation sends as a string.
pub(super) fn service_timeout(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    seconds.map(Duration::from_secs)
}

pub(super) fn read<T: DeserializeOwned>(properties: Map<String, Value>) -> Result<T, Error> {
    members(properties).map_err(|(path, reason)| Error::PropertiesInvalid { path, reason })
}

/// Reads the members of an object. The error is the path of a value, and what is wrong with it.
pub(super) fn members<T: DeserializeOwned>(
    members: Map<String, Value>,
) -> Result<T, (String, String)> {
    serde_path_to_error::deserialize(Value::Object(members)).map_err(|error| {
        let (path, error) = (error.path().to_string(), error.into_inner().to_string());
        // What serde says of a value quotes it, and it may be a secret. Of a name it says which one.
        let is_of_name = ["missing field", "unknown field"].iter().any(|it| error.starts_with(it));
        let reason = if is_of_name { error } else { "it does not fit the type".to_owned() };
        (path, reason)
    })
}
