use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The event of a field that AppSync resolves by a function, without a mapping template.
///
/// The reply is the value of the field. With a batch size, AppSync sends a list of these events, and the
/// reply is a list of as many values:
///
/// ```
/// use lambda_runtime::{Error, LambdaEvent};
/// use powertools::events::AppSyncResolver;
///
/// #[derive(serde::Deserialize)]
/// struct Post {
///     id: u64,
/// }
///
/// /// The field `comments` of several posts.
/// async fn comments(
///     events: LambdaEvent<Vec<AppSyncResolver<serde::de::IgnoredAny, Post>>>,
/// ) -> Result<Vec<Vec<String>>, Error> {
///     let of_post = |event: AppSyncResolver<_, Post>| {
///         let post = event.source.ok_or("a field of a post without the post")?;
///         Ok(vec![format!("a comment on {}", post.id)])
///     };
///     events.payload.into_iter().map(of_post).collect()
/// }
/// # let _ = comments;
/// ```
///
/// AppSync does not identify an attempt, so the event has no natural key: a mutation needs an argument
/// that the client repeats.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AppSyncResolver<A = Value, S = Value> {
    /// The arguments of the field.
    pub arguments: A,
    /// The object that has the field; `None` for a query, a mutation or a subscription.
    #[serde(default = "none")]
    pub source: Option<S>,
    /// Who calls, unless it is by an API key.
    #[serde(default)]
    pub identity: Option<AppSyncIdentity>,
    /// The request of the client.
    #[serde(default, deserialize_with = "or_default")]
    pub request: AppSyncRequest,
    /// The field.
    pub info: AppSyncInfo,
    /// The result of the function before this one, in a pipeline.
    #[serde(default, deserialize_with = "previous")]
    pub prev: Option<Value>,
    /// What the functions of a pipeline share.
    #[serde(default, deserialize_with = "or_default")]
    pub stash: Map<String, Value>,
}

/// The request of a client of AppSync.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AppSyncRequest {
    #[serde(deserialize_with = "or_default")]
    headers: BTreeMap<String, Option<String>>,
    /// The custom domain that the client called.
    pub domain_name: Option<String>,
}

impl AppSyncRequest {
    /// Returns the value of a header, whose name is compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let is_it = |(other, _): &(&String, _)| other.eq_ignore_ascii_case(name);
        self.headers.iter().find(is_it)?.1.as_deref()
    }
}

/// Headers have tokens.
impl fmt::Debug for AppSyncRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.keys().collect();
        f.debug_struct("AppSyncRequest")
            .field("headers", &headers)
            .field("domain_name", &self.domain_name)
            .finish()
    }
}

/// A field that AppSync resolves.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AppSyncInfo {
    /// The name of the field.
    pub field_name: String,
    /// The name of the type that has the field, such as `Query`.
    pub parent_type_name: String,
    /// The variables of the request.
    #[serde(default, deserialize_with = "or_default")]
    pub variables: Map<String, Value>,
    /// The fields that the client selected, such as `author/name`.
    #[serde(default, deserialize_with = "or_default")]
    pub selection_set_list: Vec<String>,
    /// The same in GraphQL.
    #[serde(default, rename = "selectionSetGraphQL")]
    pub selection_set_graphql: Option<String>,
}

/// Who calls an API of AppSync. Which members there are depends on how the API authenticates.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AppSyncIdentity {
    /// The subject of a token of Cognito or OpenID Connect.
    pub sub: Option<String>,
    /// The issuer of such a token.
    pub issuer: Option<String>,
    /// The name of the user.
    pub username: Option<String>,
    /// The claims of a token.
    #[serde(deserialize_with = "or_default")]
    pub claims: Map<String, Value>,
    /// The groups of the user in Cognito.
    #[serde(deserialize_with = "or_default")]
    pub groups: Vec<String>,
    /// The account of an IAM principal.
    pub account_id: Option<String>,
    /// The ARN of an IAM principal.
    pub user_arn: Option<String>,
    /// The identity in an identity pool of Cognito.
    pub cognito_identity_id: Option<String>,
    /// The identity pool of Cognito.
    pub cognito_identity_pool_id: Option<String>,
    /// What a Lambda authorizer returned as [`resolver_context`](AppSyncAuthorization::resolver_context).
    #[serde(deserialize_with = "or_default")]
    pub resolver_context: Map<String, Value>,
    /// What a Lambda authorizer of AppSync Events returned as
    /// [`handler_context`](AppSyncAuthorization::handler_context).
    #[serde(deserialize_with = "or_default")]
    pub handler_context: Map<String, Value>,
    /// The addresses of the client and of the proxies in front of it.
    #[serde(deserialize_with = "or_default")]
    pub source_ip: Vec<String>,
}

/// The event of a Lambda authorizer of AppSync. Its `Debug` does not show the token.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AppSyncAuthorizer {
    /// The header `Authorization` of the client.
    pub authorization_token: String,
    /// The request.
    pub request_context: AppSyncAuthorizerContext,
    #[serde(default, deserialize_with = "or_default")]
    request_headers: BTreeMap<String, Option<String>>,
}

/// A request that is to be authorized.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AppSyncAuthorizerContext {
    /// The id of the API.
    pub api_id: Option<String>,
    /// The account of the API.
    pub account_id: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
    /// The query in GraphQL.
    pub query_string: Option<String>,
    /// The name of the operation in it.
    pub operation_name: Option<String>,
    /// The variables of the query.
    #[serde(deserialize_with = "or_default")]
    pub variables: Map<String, Value>,
    /// The operation of an API of AppSync Events, such as `EVENT_PUBLISH`.
    pub operation: Option<String>,
    /// The channel of that operation, such as `/orders/7`.
    pub channel: Option<String>,
}

impl AppSyncAuthorizer {
    /// Returns the value of a header, whose name is compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let is_it = |(other, _): &(&String, _)| other.eq_ignore_ascii_case(name);
        self.request_headers.iter().find(is_it)?.1.as_deref()
    }
}

impl fmt::Debug for AppSyncAuthorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppSyncAuthorizer")
            .field("request_context", &self.request_context)
            .finish_non_exhaustive()
    }
}

/// The reply of a Lambda authorizer of AppSync.
///
/// ```
/// use lambda_runtime::{Error, LambdaEvent};
/// use powertools::events::{AppSyncAuthorization, AppSyncAuthorizer};
///
/// async fn authorize(event: LambdaEvent<AppSyncAuthorizer>) -> Result<AppSyncAuthorization, Error> {
///     if event.payload.authorization_token != "the right one" {
///         return Ok(AppSyncAuthorization::refused());
///     }
///     Ok(AppSyncAuthorization::granted().denied_field("Query.salaries").context("tenant", "t-1"))
/// }
/// # let _ = authorize;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "a reply that the handler does not return refuses the request"]
#[non_exhaustive]
pub struct AppSyncAuthorization {
    /// True if the request may continue.
    pub is_authorized: bool,
    /// What resolvers find in the identity of the caller.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resolver_context: BTreeMap<String, String>,
    /// What resolvers of AppSync Events find there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub handler_context: BTreeMap<String, String>,
    /// Fields that the request may not have: `Type.field` or an ARN.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denied_fields: Vec<String>,
    /// How long AppSync keeps this reply for the same token, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_override: Option<u32>,
}

impl AppSyncAuthorization {
    /// Lets the request continue.
    pub fn granted() -> Self {
        Self { is_authorized: true, ..Self::default() }
    }

    /// Refuses the request.
    pub fn refused() -> Self {
        Self::default()
    }

    /// Adds a value for resolvers.
    pub fn context(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.resolver_context.insert(name.into(), value.into());
        self
    }

    /// Adds a value for handlers of AppSync Events.
    pub fn event_context(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.handler_context.insert(name.into(), value.into());
        self
    }

    /// Adds a field that the request may not have: `Type.field` or an ARN.
    pub fn denied_field(mut self, field: impl Into<String>) -> Self {
        self.denied_fields.push(field.into());
        self
    }

    /// Sets how long AppSync keeps this reply for the same token, in seconds.
    pub fn ttl(mut self, seconds: u32) -> Self {
        self.ttl_override = Some(seconds);
        self
    }
}

/// The event of a channel of AppSync Events: clients publish messages, or subscribe.
///
/// ```
/// use lambda_runtime::{Error, LambdaEvent};
/// use powertools::events::{AppSyncEvents, AppSyncEventsReply};
///
/// #[derive(serde::Deserialize, serde::Serialize)]
/// struct Position {
///     x: f64,
///     y: f64,
/// }
///
/// async fn handle(
///     event: LambdaEvent<AppSyncEvents<Position>>,
/// ) -> Result<Option<AppSyncEventsReply<Position>>, Error> {
///     let event = event.payload;
///     if event.is_subscription() {
///         return Ok(None); // the client may subscribe
///     }
///     let mut reply = AppSyncEventsReply::new();
///     for message in event.events {
///         reply = match message.payload {
///             on_map if on_map.x >= 0.0 => reply.publish(message.id, on_map),
///             _ => reply.refuse(message.id, "not on the map"),
///         };
///     }
///     Ok(Some(reply))
/// }
/// # let _ = handle;
/// ```
///
/// AppSync does not identify an attempt, so the event has no natural key.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AppSyncEvents<T = Value> {
    /// The messages; none of a subscription.
    #[serde(
        default = "Vec::new",
        deserialize_with = "or_default",
        bound(deserialize = "T: Deserialize<'de>")
    )]
    pub events: Vec<AppSyncMessage<T>>,
    /// Who calls, unless it is by an API key.
    #[serde(default)]
    pub identity: Option<AppSyncIdentity>,
    /// The request of the client.
    #[serde(default, deserialize_with = "or_default")]
    pub request: AppSyncRequest,
    /// The channel and the operation.
    pub info: AppSyncEventsInfo,
}

/// A message of a channel of AppSync Events.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AppSyncMessage<T = Value> {
    /// The id of the message, which the reply has too.
    pub id: String,
    /// The message.
    pub payload: T,
}

/// The channel and the operation of AppSync Events.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AppSyncEventsInfo {
    /// `PUBLISH` or `SUBSCRIBE`.
    pub operation: String,
    channel: Channel,
    #[serde(default, deserialize_with = "or_default")]
    channel_namespace: Namespace,
}

#[derive(Clone, Debug, Deserialize)]
struct Channel {
    path: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Namespace {
    name: Option<String>,
}

impl AppSyncEventsInfo {
    /// Returns the channel, such as `/orders/7`.
    #[must_use]
    pub fn channel(&self) -> &str {
        &self.channel.path
    }

    /// Returns the namespace of the channel.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.channel_namespace.name.as_deref()
    }
}

impl<T> AppSyncEvents<T> {
    /// Returns true if a client subscribes, and false if it publishes messages.
    #[must_use]
    pub fn is_subscription(&self) -> bool {
        self.info.operation == "SUBSCRIBE"
    }
}

/// The reply to an event of AppSync Events.
///
/// A message that it does not have is not published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use = "a reply that the handler does not return publishes nothing"]
#[non_exhaustive]
pub struct AppSyncEventsReply<T = Value> {
    /// What becomes of each message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<AppSyncResult<T>>>,
    /// Why the event is refused as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What becomes of a message of AppSync Events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AppSyncResult<T = Value> {
    /// The id of the message.
    pub id: String,
    /// What is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<T>,
    /// Why it is not published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl<T> AppSyncEventsReply<T> {
    /// Creates a reply that publishes nothing yet.
    ///
    /// It does not refuse a subscription: only [`refused`](Self::refused) does.
    pub fn new() -> Self {
        Self { events: Some(Vec::new()), error: None }
    }

    /// Refuses the event as a whole: all messages, or the subscription.
    pub fn refused(error: impl Into<String>) -> Self {
        Self { events: None, error: Some(error.into()) }
    }

    /// Publishes a message, or what became of it.
    pub fn publish(self, id: impl Into<String>, payload: T) -> Self {
        self.result(AppSyncResult { id: id.into(), payload: Some(payload), error: None })
    }

    /// Refuses a message. The client that published it receives the error.
    pub fn refuse(self, id: impl Into<String>, error: impl Into<String>) -> Self {
        self.result(AppSyncResult { id: id.into(), payload: None, error: Some(error.into()) })
    }

    fn result(mut self, result: AppSyncResult<T>) -> Self {
        self.events.get_or_insert_default().push(result);
        self
    }
}

/// Like [`AppSyncEventsReply::new`]: it does not refuse a subscription.
impl<T> Default for AppSyncEventsReply<T> {
    fn default() -> Self {
        Self::new()
    }
}

fn none<T>() -> Option<T> {
    None
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads the result of the function before this one.
fn previous<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    #[derive(Deserialize)]
    struct Previous {
        #[serde(default)]
        result: Option<Value>,
    }

    Ok(Option::<Previous>::deserialize(deserializer)?.and_then(|previous| previous.result))
}
