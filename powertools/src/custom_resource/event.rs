use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::Error;
use super::properties::{self, Earlier};
use crate::aws::transport::Destination;
use crate::events::{HasNaturalKey, NaturalKey};

/// The event by which CloudFormation invokes the function of a custom resource.
///
/// It is deserialized if it has the URL of the response. CloudFormation is told there what else is
/// invalid.
///
/// Whoever has its URL can answer in the place of the function, so it is not shown by `Debug`.
#[derive(Clone)]
pub struct Event {
    pub(super) response_url: Destination,
    members: Map<String, Value>,
}

/// The members of a valid event.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members {
    request_type: RequestType,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    resource_type: Option<String>,
    physical_resource_id: Option<String>,
    resource_properties: Option<Map<String, Value>>,
    old_resource_properties: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum RequestType {
    Create,
    Update,
    Delete,
}

/// A change of a custom resource. `T` has the properties of the template.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request<T> {
    /// What to do.
    pub change: Change<T>,
    /// The ARN of the stack.
    pub stack_id: String,
    /// The id of the request, which is the same when the event is delivered again.
    pub request_id: String,
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The type of the resource in the template, such as `Custom::Index`.
    pub resource_type: String,
    /// How long CloudFormation waits for the response, if the template has a `ServiceTimeout`. Otherwise
    /// it waits for an hour. The handler is [stopped](super#the-time-of-a-handler) before that.
    pub service_timeout: Option<Duration>,
}

/// What to do with a resource.
#[derive(Clone, Debug)]
pub enum Change<T> {
    /// Create it.
    Create(Create<T>),
    /// Update it, or create another one in its place.
    Update(Update<T>),
    /// Delete it. A resource that is not there, or not any more, is deleted.
    Delete(Delete<T>),
}

/// A resource to create.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Create<T> {
    /// The properties of the template, without the `ServiceToken`.
    pub properties: T,
    announced: Announced,
}

/// A resource to update.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Update<T> {
    /// The physical id of the resource.
    pub physical_id: String,
    /// The properties of the template, without the `ServiceToken`.
    pub properties: T,
    /// The properties that the resource was last created or updated with.
    pub earlier: Earlier<T>,
}

/// A resource to delete.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delete<T> {
    /// The physical id of the resource.
    pub physical_id: String,
    /// The properties that the resource was last created or updated with.
    pub properties: Earlier<T>,
}

/// The physical id of a resource whose creation has begun.
#[derive(Clone, Debug, Default)]
pub(super) struct Announced(Arc<OnceLock<String>>);

impl Announced {
    pub(super) fn get(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

impl<T> Request<T> {
    /// Returns a physical id that is that of no other resource: the logical id and the id of the request.
    ///
    /// It is the same when the event is delivered again. A creation without another id has it. To an update it is
    /// the id of a resource that replaces the one there is.
    #[must_use]
    pub fn unique_id(&self) -> String {
        unique_id(&self.logical_id, &self.request_id)
    }
}

pub(super) fn unique_id(logical_id: &str, request_id: &str) -> String {
    format!("{logical_id}-{request_id}")
}

impl<T> Create<T> {
    /// Announces the physical id of the resource before it is complete. If the creation fails after this,
    /// or if its time runs out, CloudFormation deletes the resource under this id.
    ///
    /// So it must be the id of this resource alone, such as [`Request::unique_id`]: under a name of the
    /// template's, which something else may have, [the rollback would delete that](super#whose-a-resource-is).
    ///
    /// The first id counts. A [`Resource`](super::Resource) without an id has this one.
    pub fn announce(&self, physical_id: impl Into<String>) {
        let physical_id = physical_id.into();
        if !physical_id.is_empty() {
            let _ = self.announced.0.set(physical_id);
        }
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = Map::deserialize(deserializer)?;
        let url =
            members.remove("ResponseURL").ok_or_else(|| D::Error::missing_field("ResponseURL"))?;
        let response_url = url.as_str().and_then(|url| Destination::parse(url).ok());
        let response_url = response_url
            .ok_or_else(|| D::Error::custom("`ResponseURL` is not an absolute HTTP URL"))?;
        Ok(Self { response_url, members })
    }
}

impl Event {
    /// Returns a member, even of an event that is invalid, if it is a string.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name)?.as_str()
    }

    /// Returns what is to be done, if that is known.
    pub(super) fn request_type(&self) -> Option<RequestType> {
        RequestType::deserialize(self.members.get("RequestType")?).ok()
    }

    /// Returns how long CloudFormation waits, even if the event is invalid.
    pub(super) fn service_timeout(&self) -> Option<Duration> {
        let properties = self.members.get("ResourceProperties")?;
        properties::service_timeout(properties.get(properties::SERVICE_TIMEOUT)?)
    }

    /// Returns the request of a handler with properties of type `T`.
    pub(super) fn request<T: DeserializeOwned>(
        self,
        announced: &Announced,
    ) -> Result<Request<T>, Error> {
        let invalid = |(path, reason)| Error::EventInvalid { path, reason };
        let event: Members = properties::members(self.members).map_err(invalid)?;
        let mut properties = event.resource_properties.unwrap_or_default();
        let mut earlier = event.old_resource_properties.unwrap_or_default();
        let service_timeout = properties::take_own(&mut properties);
        properties::take_own(&mut earlier);
        // A handler that deletes by the beginning of a name would delete all by an empty one.
        let physical_id = event
            .physical_resource_id
            .filter(|id| !id.is_empty())
            .ok_or_else(|| invalid((".".into(), "missing field `PhysicalResourceId`".into())));
        let change = match event.request_type {
            RequestType::Create => Change::Create(Create {
                properties: properties::read(properties)?,
                announced: announced.clone(),
            }),
            RequestType::Update => Change::Update(Update {
                physical_id: physical_id?,
                properties: properties::read(properties)?,
                earlier: Earlier::new(earlier),
            }),
            RequestType::Delete => Change::Delete(Delete {
                physical_id: physical_id?,
                properties: Earlier::new(properties),
            }),
        };
        Ok(Request {
            change,
            stack_id: event.stack_id,
            request_id: event.request_id,
            logical_id: event.logical_resource_id,
            resource_type: event.resource_type.unwrap_or_default(),
            service_timeout,
        })
    }
}

/// The stack, the resource and the id of the request.
impl<T> HasNaturalKey for Request<T> {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([
            Some(self.stack_id.as_str()),
            Some(self.logical_id.as_str()),
            Some(self.request_id.as_str()),
        ])
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("request_type", &self.request_type())
            .field("stack_id", &self.text("StackId"))
            .field("request_id", &self.text("RequestId"))
            .field("logical_resource_id", &self.text("LogicalResourceId"))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::events::natural;
    use crate::testing::events;

    /// The properties of a template, whose scalars are strings.
    fn properties() -> impl Strategy<Value = Value> {
        let value = ".{0,8}".prop_map(Value::from);
        let value = prop_oneof![
            value.clone(),
            prop::collection::vec(value.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[A-Z][a-z]{0,3}", value, 0..3).prop_map(|map| json!(map)),
        ];
        prop::collection::btree_map("[A-Z][a-z]{0,3}", value, 0..4).prop_map(|map| json!(map))
    }

    fn request(event: Value) -> Request<Value> {
        let event: Event = serde_json::from_str(&event.to_string()).unwrap();
        event.request(&Announced::default()).unwrap()
    }

    proptest! {
        #[test]
        fn changes_survive(now in properties(), before in properties(), id in ".{1,8}") {
            let built = || events::custom_resource("http://localhost/").properties(now.clone());
            let Change::Create(create) = request(built().build()).change else {
                return Err(TestCaseError::fail("it is a creation"));
            };
            prop_assert_eq!(&create.properties, &now);
            let event = built().update(&id, before.clone()).build();
            let update = request(event.clone());
            let parts = ["StackId", "LogicalResourceId", "RequestId"].map(|name| event[name].as_str());
            prop_assert_eq!(natural(&update), NaturalKey::new(parts));
            let Change::Update(update) = update.change else {
                return Err(TestCaseError::fail("it is an update"));
            };
            prop_assert_eq!((update.physical_id, update.properties), (id.clone(), now.clone()));
            prop_assert_eq!(update.earlier.read().unwrap(), before);
            let Change::Delete(delete) = request(built().delete(&id).build()).change else {
                return Err(TestCaseError::fail("it is a deletion"));
            };
            prop_assert_eq!((delete.physical_id, delete.properties.read().unwrap()), (id, now));
        }

        #[test]
        fn a_changed_event_is_read_as_it_is_or_an_error_names_the_change(
            name in prop::sample::select(vec![
                "RequestType", "ResponseURL", "StackId", "RequestId", "ResourceType", "LogicalResourceId",
                "PhysicalResourceId", "ResourceProperties", "OldResourceProperties",
            ]),
            other in prop::sample::select(vec![
                Value::Null, json!(7), json!("x"), json!(""), json!([]), json!({}), json!(true),
            ]),
        ) {
            let built = events::custom_resource("http://localhost/").properties(json!({ "A": "2" }));
            let mut event = built.update("p-1", json!({ "A": "1" })).build();
            event[name] = other;
            let Ok(read) = serde_json::from_str::<Event>(&event.to_string()) else {
                prop_assert_eq!(name, "ResponseURL");
                return Ok(());
            };
            prop_assert_ne!(name, "ResponseURL", "it is no URL");
            let request = match read.request::<Value>(&Announced::default()) {
                Ok(request) => request,
                Err(Error::EventInvalid { path, reason }) => {
                    prop_assert!(path == name || reason.contains(name), "{} at {}: {}", event, path, reason);
                    return Ok(());
                }
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            };
            let Change::Update(update) = request.change else {
                return Err(TestCaseError::fail("it is an update"));
            };
            let found = [&request.stack_id, &request.request_id, &request.logical_id, &update.physical_id];
            let names = ["StackId", "RequestId", "LogicalResourceId", "PhysicalResourceId"];
            prop_assert_eq!(found.map(|text| Some(text.as_str())), names.map(|name| event[name].as_str()));
            prop_assert_eq!(request.resource_type, event["ResourceType"].as_str().unwrap_or_default());
            let properties = [update.properties, update.earlier.read().unwrap()];
            let names = ["ResourceProperties", "OldResourceProperties"];
            prop_assert_eq!(properties.map(|found| found["A"].clone()), names.map(|name| event[name]["A"].clone()));
        }
    }
}
