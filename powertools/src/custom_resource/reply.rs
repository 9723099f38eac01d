//! The response object of CloudFormation.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::event::{Announced, Event, RequestType, unique_id};
use super::{Error, Resource};
use crate::error::Diagnostic;
use crate::json::cut::shorten;

/// The most bytes of a response that CloudFormation reads.
const LIMIT: usize = 4096;

/// The most bytes of a physical id that CloudFormation takes.
const LONGEST_ID: usize = 1024;

/// The beginning of the physical id of a resource that does not exist.
const NEVER_CREATED: &str = "powertools:never-created:";

/// What the reason takes beside its value.
const REASON: &str = r#","Reason":"#;

/// What each response to a request has. What an invalid event lacks is empty.
#[derive(Clone, Debug)]
pub(super) struct Addressee {
    request_type: Option<RequestType>,
    stack_id: String,
    request_id: String,
    logical_id: String,
    physical_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response<'a> {
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a RawValue>,
    physical_resource_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    stack_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    request_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    logical_resource_id: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    no_echo: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Map<String, Value>>,
}

impl Addressee {
    pub(super) fn of(event: &Event) -> Self {
        let text = |name: &str| event.text(name).unwrap_or_default().to_owned();
        Self {
            request_type: event.request_type(),
            stack_id: text("StackId"),
            request_id: text("RequestId"),
            logical_id: text("LogicalResourceId"),
            physical_id: text("PhysicalResourceId"),
        }
    }

    /// Returns true if a resource is to be deleted that was never created.
    pub(super) fn is_of_nothing(&self) -> bool {
        self.request_type == Some(RequestType::Delete)
            && self.physical_id.starts_with(NEVER_CREATED)
    }

    /// Returns the response to a change that succeeded.
    pub(super) fn success(
        &self,
        resource: &Resource,
        announced: &Announced,
    ) -> Result<Bytes, Error> {
        let physical_id = self.physical_id_of(resource, announced);
        if physical_id.len() > LONGEST_ID {
            return Err(Error::PhysicalIdTooLong { bytes: physical_id.len(), limit: LONGEST_ID });
        }
        let response = Response {
            physical_resource_id: &physical_id,
            no_echo: resource.hides_data,
            data: Some(&resource.data).filter(|data| !data.is_empty()),
            ..self.empty("SUCCESS")
        };
        let body = written(&response);
        match body.len() {
            bytes if bytes <= LIMIT => Ok(body),
            bytes if self.request_type == Some(RequestType::Delete) => {
                tracing::warn!(
                    bytes,
                    limit = LIMIT,
                    "the data of a deletion is too large and is left out of the response"
                );
                Ok(written(&Response { data: None, ..response }))
            }
            bytes => Err(Error::ResponseTooLarge { bytes, limit: LIMIT }),
        }
    }

    /// Returns the response to a change that failed. `resource` is what the handler returned before that, if it
    /// did.
    pub(super) fn failure(
        &self,
        failure: &Diagnostic,
        resource: Option<&Resource>,
        announced: &Announced,
    ) -> Bytes {
        let physical_id = match self.request_type {
            Some(RequestType::Create) => resource
                .map(|resource| self.physical_id_of(resource, announced))
                .filter(|id| id.len() <= LONGEST_ID)
                .or_else(|| announced.get().map(str::to_owned))
                .filter(|id| id.len() <= LONGEST_ID),
            _ => Some(self.physical_id.clone()).filter(|id| !id.is_empty()),
        };
        let physical_id =
            physical_id.unwrap_or_else(|| format!("{NEVER_CREATED}{}", self.request_id));
        let failed = Response { physical_resource_id: &physical_id, ..self.empty("FAILED") };
        let message = format!("{}: {}", failure.error_type, failure.error_message);
        let room = LIMIT.saturating_sub(written(&failed).len() + REASON.len());
        let reason = shortened(&message, room);
        written(&Response { reason: reason.as_deref(), ..failed })
    }

    fn physical_id_of(&self, resource: &Resource, announced: &Announced) -> String {
        let own = resource
            .physical_id
            .as_deref()
            .filter(|_| self.request_type != Some(RequestType::Delete));
        match (own.or(announced.get()), self.request_type) {
            (Some(id), _) => id.to_owned(),
            (None, Some(RequestType::Create)) => unique_id(&self.logical_id, &self.request_id),
            (None, _) => self.physical_id.clone(),
        }
    }

    fn empty<'a>(&'a self, status: &'a str) -> Response<'a> {
        Response {
            status,
            reason: None,
            physical_resource_id: "",
            stack_id: &self.stack_id,
            request_id: &self.request_id,
            logical_resource_id: &self.logical_id,
            no_echo: false,
            data: None,
        }
    }
}

fn written(response: &Response<'_>) -> Bytes {
    serde_json::to_vec(response).expect("its members are strings and JSON").into()
}

/// Returns `text` as a JSON string of at most `room` bytes.
fn shortened(text: &str, room: usize) -> Option<Box<RawValue>> {
    let mut json = serde_json::to_vec(text).ok()?;
    if json.len() > room {
        let whole = std::mem::take(&mut json);
        shorten(&whole, room, &mut json);
    }
    RawValue::from_string(String::from_utf8(json).ok()?).ok()
}
