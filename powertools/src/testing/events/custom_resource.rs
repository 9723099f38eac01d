use serde_json::{Map, Value, json};

use crate::testing::identifiers;

/// Starts the event of a custom resource whose response is sent to `response_url`. It is a creation
/// unless [`update`](CustomResourceEvent::update) or [`delete`](CustomResourceEvent::delete) says otherwise.
pub fn custom_resource(response_url: impl Into<String>) -> CustomResourceEvent {
    CustomResourceEvent {
        response_url: response_url.into(),
        request_type: "Create",
        physical_id: None,
        properties: json!({}),
        earlier: None,
    }
}

/// An event of CloudFormation. Created by [`custom_resource`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct CustomResourceEvent {
    response_url: String,
    request_type: &'static str,
    physical_id: Option<String>,
    properties: Value,
    earlier: Option<Value>,
}

impl CustomResourceEvent {
    /// Sets the properties of the template: an object. CloudFormation sends numbers and booleans in it as
    /// strings, and so does this.
    pub fn properties(mut self, properties: Value) -> Self {
        self.properties = properties;
        self
    }

    /// Makes it an update of the resource, which had the properties `earlier`.
    pub fn update(mut self, physical_id: impl Into<String>, earlier: Value) -> Self {
        self.request_type = "Update";
        self.physical_id = Some(physical_id.into());
        self.earlier = Some(earlier);
        self
    }

    /// Makes it a deletion of the resource.
    pub fn delete(mut self, physical_id: impl Into<String>) -> Self {
        self.request_type = "Delete";
        self.physical_id = Some(physical_id.into());
        self
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        let mut event = json!({
            "RequestType": self.request_type,
            "ServiceToken": SERVICE_TOKEN,
            "ResponseURL": self.response_url,
            "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/5d2b7c60",
            "RequestId": identifiers::request_id(),
            "ResourceType": "Custom::Resource",
            "LogicalResourceId": "Resource",
            "ResourceProperties": with_token(self.properties),
        });
        if let Some(id) = self.physical_id {
            event["PhysicalResourceId"] = id.into();
        }
        if let Some(earlier) = self.earlier {
            event["OldResourceProperties"] = with_token(earlier);
        }
        event
    }
}

const SERVICE_TOKEN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:my-function";

fn with_token(properties: Value) -> Value {
    let mut properties = strings(properties);
    properties["ServiceToken"] = SERVICE_TOKEN.into();
    properties
}

/// Returns the value with its numbers and booleans as strings.
fn strings(value: Value) -> Value {
    match value {
        Value::Bool(flag) => flag.to_string().into(),
        Value::Number(number) => number.to_string().into(),
        Value::Array(items) => items.into_iter().map(strings).collect(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, strings(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        other => other,
    }
}
