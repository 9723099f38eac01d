use serde_json::{Value, json};

use crate::testing::identifiers;

/// Starts the event of a function that an agent of Amazon Bedrock calls.
pub fn bedrock_function(group: &str, function: &str) -> BedrockAgentEvent {
    BedrockAgentEvent::new(group, json!({ "function": function }))
}

/// Starts the event of an operation of an API schema that an agent of Amazon Bedrock calls, such as
/// `("orders", "GET", "/orders/{id}")`.
pub fn bedrock_operation(group: &str, method: &str, path: &str) -> BedrockAgentEvent {
    BedrockAgentEvent::new(group, json!({ "apiPath": path, "httpMethod": method }))
}

/// The event of an agent of Amazon Bedrock. Created by [`bedrock_function`] and [`bedrock_operation`].
///
/// ```
/// use powertools::testing::events;
///
/// let event = events::bedrock_function("orders", "order_status").parameter("order", "integer", "7");
/// assert_eq!(event.build()["parameters"][0]["value"], "7");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct BedrockAgentEvent(Value);

impl BedrockAgentEvent {
    fn new(group: &str, action: Value) -> Self {
        let mut event = json!({
            "messageVersion": "1.0",
            "agent": { "name": "test", "id": "AGENT12345", "alias": "TSTALIASID", "version": "DRAFT" },
            "inputText": "hello",
            "sessionId": identifiers::request_id(),
            "actionGroup": group,
            "sessionAttributes": {},
            "promptSessionAttributes": {},
        });
        for (name, value) in action.as_object().into_iter().flatten() {
            event[name] = value.clone();
        }
        Self(event)
    }

    /// Adds a parameter: its name, its type, such as `string` or `integer`, and its value as text.
    pub fn parameter(mut self, name: &str, r#type: &str, value: impl Into<String>) -> Self {
        push(&mut self.0["parameters"], name, r#type, value.into());
        self
    }

    /// Adds a property of the JSON body of an operation: its name, its type, and its value as text.
    pub fn property(mut self, name: &str, r#type: &str, value: impl Into<String>) -> Self {
        let body = &mut self.0["requestBody"]["content"]["application/json"]["properties"];
        push(body, name, r#type, value.into());
        self
    }

    /// Sets what the user said.
    pub fn input_text(mut self, text: impl Into<String>) -> Self {
        self.0["inputText"] = Value::String(text.into());
        self
    }

    /// Sets the id of the session. Defaults to a new one.
    pub fn session(mut self, id: impl Into<String>) -> Self {
        self.0["sessionId"] = Value::String(id.into());
        self
    }

    /// Sets an attribute of the session.
    pub fn session_attribute(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0["sessionAttributes"][name] = Value::String(value.into());
        self
    }

    /// Sets an attribute of this turn of the conversation.
    pub fn prompt_attribute(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0["promptSessionAttributes"][name] = Value::String(value.into());
        self
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        self.0
    }
}

fn push(list: &mut Value, name: &str, r#type: &str, value: String) {
    let parameter = json!({ "name": name, "type": r#type, "value": value });
    match list.as_array_mut() {
        Some(list) => list.push(parameter),
        None => *list = json!([parameter]),
    }
}
