use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

/// The event of an action that an agent of Amazon Bedrock has chosen: a function, or an operation of
/// an API.
///
/// The format is that of "Configure Lambda functions to send information that an Amazon Bedrock agent
/// elicits from the user" in the user guide of Bedrock.
///
/// ```
/// use lambda_runtime::{Error, LambdaEvent};
/// use powertools::events::{BedrockAction, BedrockAgent, BedrockReply};
///
/// async fn handle(event: LambdaEvent<BedrockAgent>) -> Result<BedrockReply, Error> {
///     let event = event.payload;
///     let reply = match &event.action {
///         BedrockAction::Function(name) if name == "order_status" => {
///             let order = event.parameter("order").ok_or("the order is missing")?;
///             event.reply(format!("order {order} is on its way"))
///         }
///         _ => event.reply("there is no such action").failed(),
///     };
///     Ok(reply)
/// }
/// # let _ = handle;
/// ```
///
/// An agent can call one action several times with the same words, and nothing in the event tells this from
/// a second delivery, so it has no natural key: use what the work is about, such as an order.
///
/// `Debug` shows neither what the user said nor the values that the agent took from it.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Sent")]
#[non_exhaustive]
pub struct BedrockAgent {
    /// The agent.
    pub agent: BedrockAgentInfo,
    /// The group of the action.
    pub action_group: String,
    /// What is to be done.
    pub action: BedrockAction,
    /// The parameters of the action, in their order.
    pub parameters: Vec<BedrockParameter>,
    /// The properties of the body of an operation. A function has none.
    pub properties: Vec<BedrockParameter>,
    /// What the user said.
    pub input_text: Option<String>,
    /// The id of the session, which is common to all its events.
    pub session_id: Option<String>,
    /// What the application keeps for the session. Their values are strings.
    pub session_attributes: Map<String, Value>,
    /// What the application keeps for this turn of the conversation. Their values are strings.
    pub prompt_session_attributes: Map<String, Value>,
}

/// What an agent of Amazon Bedrock wants to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BedrockAction {
    /// The function of this name.
    Function(String),
    /// An operation of the API schema.
    Operation {
        /// The path as the schema has it, such as `/orders/{id}`.
        path: String,
        /// The method, such as `GET`.
        method: String,
    },
}

/// An agent of Amazon Bedrock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BedrockAgentInfo {
    /// The name of the agent.
    pub name: Option<String>,
    /// The id of the agent.
    pub id: Option<String>,
    /// The alias by which it was called.
    pub alias: Option<String>,
    /// The version of the agent.
    pub version: Option<String>,
}

/// A value that an agent of Amazon Bedrock took from a conversation. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct BedrockParameter {
    /// The name.
    pub name: String,
    /// The type, such as `string`, `number`, `integer`, `boolean` or `array`.
    pub r#type: Option<String>,
    /// The value as text, whatever its type is. `None` if the agent took none from the conversation.
    pub value: Option<String>,
}

/// The members of both kinds of events.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    #[serde(default, deserialize_with = "or_default")]
    agent: BedrockAgentInfo,
    action_group: String,
    function: Option<String>,
    api_path: Option<String>,
    http_method: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    parameters: Vec<BedrockParameter>,
    #[serde(default, deserialize_with = "or_default")]
    request_body: RequestBody,
    input_text: Option<String>,
    session_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    session_attributes: Map<String, Value>,
    #[serde(default, deserialize_with = "or_default")]
    prompt_session_attributes: Map<String, Value>,
}

/// The body of an operation, by its content type. The agent sends one.
#[derive(Default, Deserialize)]
struct RequestBody {
    #[serde(default, deserialize_with = "or_default")]
    content: BTreeMap<String, Content>,
}

#[derive(Default, Deserialize)]
struct Content {
    #[serde(default, deserialize_with = "or_default")]
    properties: Vec<BedrockParameter>,
}

impl TryFrom<Sent> for BedrockAgent {
    type Error = &'static str;

    fn try_from(sent: Sent) -> Result<Self, Self::Error> {
        let action = match (sent.function, sent.api_path, sent.http_method) {
            (Some(name), None, None) => BedrockAction::Function(name),
            (None, Some(path), Some(method)) => BedrockAction::Operation { path, method },
            _ => return Err("an agent calls either a function, or a path by a method"),
        };
        let bodies = sent.request_body.content.into_values();
        Ok(Self {
            agent: sent.agent,
            action_group: sent.action_group,
            action,
            parameters: sent.parameters,
            properties: bodies.flat_map(|body| body.properties).collect(),
            input_text: sent.input_text,
            session_id: sent.session_id,
            session_attributes: sent.session_attributes,
            prompt_session_attributes: sent.prompt_session_attributes,
        })
    }
}

impl BedrockAgent {
    /// Returns the parameter of this name, as text, if it has a value.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        find(&self.parameters, name)
    }

    /// Returns the property of the body of this name, as text, if it has a value.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        find(&self.properties, name)
    }

    /// Creates the reply with this body: text for a function, JSON for an operation, whose status is 200.
    ///
    /// It has the attributes of the session and of the turn as they were.
    pub fn reply(&self, body: impl Into<String>) -> BedrockReply {
        BedrockReply {
            action_group: self.action_group.clone(),
            action: self.action.clone(),
            body: body.into(),
            outcome: None,
            status: None,
            session_attributes: self.session_attributes.clone(),
            prompt_session_attributes: self.prompt_session_attributes.clone(),
        }
    }
}

fn find<'a>(values: &'a [BedrockParameter], name: &str) -> Option<&'a str> {
    values.iter().find(|parameter| parameter.name == name)?.value.as_deref()
}

impl fmt::Debug for BedrockAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BedrockAgent")
            .field("agent", &self.agent)
            .field("action_group", &self.action_group)
            .field("action", &self.action)
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BedrockParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BedrockParameter")
            .field("name", &self.name)
            .field("type", &self.r#type)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BedrockReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BedrockReply")
            .field("action_group", &self.action_group)
            .field("action", &self.action)
            .field("outcome", &self.outcome)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// The reply to an agent of Amazon Bedrock. Created by [`BedrockAgent::reply`].
///
/// `Debug` shows neither the body nor the attributes.
#[derive(Clone, PartialEq)]
#[must_use = "a reply that the handler does not return tells the agent nothing"]
pub struct BedrockReply {
    action_group: String,
    action: BedrockAction,
    body: String,
    outcome: Option<Outcome>,
    /// That of the outcome, if it is not set.
    status: Option<u16>,
    session_attributes: Map<String, Value>,
    prompt_session_attributes: Map<String, Value>,
}

/// How an action ended that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Failure,
    Reprompt,
}

impl BedrockReply {
    /// Says that the action failed. The session of a function ends with an error; an operation has the
    /// status 500, unless another one is set.
    pub fn failed(mut self) -> Self {
        self.outcome = Some(Outcome::Failure);
        self
    }

    /// Lets the agent ask the model again, with the body of this reply. An operation has the status 400,
    /// unless another one is set.
    pub fn reprompt(mut self) -> Self {
        self.outcome = Some(Outcome::Reprompt);
        self
    }

    /// Sets the HTTP status of an operation. The reply of a function has none.
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Sets an attribute of the session.
    pub fn session_attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.session_attributes.insert(name.into(), value.into().into());
        self
    }

    /// Sets an attribute of this turn of the conversation.
    pub fn prompt_attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.prompt_session_attributes.insert(name.into(), value.into().into());
        self
    }
}

impl Serialize for BedrockReply {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let response = match &self.action {
            BedrockAction::Function(name) => {
                let mut response = json!({ "responseBody": { "TEXT": { "body": self.body } } });
                if let Some(outcome) = self.outcome {
                    response["responseState"] = match outcome {
                        Outcome::Failure => "FAILURE".into(),
                        Outcome::Reprompt => "REPROMPT".into(),
                    };
                }
                json!({
                    "actionGroup": self.action_group,
                    "function": name,
                    "functionResponse": response,
                })
            }
            BedrockAction::Operation { path, method } => json!({
                "actionGroup": self.action_group,
                "apiPath": path,
                "httpMethod": method,
                "httpStatusCode": self.status.unwrap_or(match self.outcome {
                    Some(Outcome::Failure) => 500,
                    Some(Outcome::Reprompt) => 400,
                    None => 200,
                }),
                "responseBody": { "application/json": { "body": self.body } },
            }),
        };
        let reply = json!({
            "messageVersion": "1.0",
            "response": response,
            "sessionAttributes": self.session_attributes,
            "promptSessionAttributes": self.prompt_session_attributes,
        });
        reply.serialize(serializer)
    }
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
