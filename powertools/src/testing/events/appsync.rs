use serde_json::{Value, json};

use crate::testing::identifiers::{self, ACCOUNT};

/// Starts the event of a field that a function resolves, such as `("Query", "order")`.
pub fn appsync_resolver(parent_type: &str, field: &str) -> AppSyncResolverEvent {
    AppSyncResolverEvent(json!({
        "arguments": {},
        "identity": null,
        "source": null,
        "request": request(),
        "prev": null,
        "info": {
            "selectionSetList": [],
            "selectionSetGraphQL": "{}",
            "parentTypeName": parent_type,
            "fieldName": field,
            "variables": {},
        },
        "stash": {},
    }))
}

/// Creates the event of a Lambda authorizer of AppSync.
#[must_use]
pub fn appsync_authorizer(token: &str) -> Value {
    json!({
        "authorizationToken": token,
        "requestContext": {
            "apiId": "apiexample",
            "accountId": ACCOUNT,
            "requestId": identifiers::request_id(),
            "queryString": "query Orders { orders { id } }",
            "operationName": "Orders",
            "variables": {},
        },
        "requestHeaders": request()["headers"],
    })
}

/// Starts the event of messages that a client publishes to a channel of AppSync Events, such as
/// `/orders/7`. Without a message it is a subscription.
pub fn appsync_events(channel: &str) -> AppSyncChannelEvent {
    AppSyncChannelEvent { channel: channel.to_owned(), identity: Value::Null, messages: Vec::new() }
}

/// The event of a field that a function resolves. Created by [`appsync_resolver`].
///
/// ```
/// use powertools::testing::events;
/// use serde_json::json;
///
/// let event = events::appsync_resolver("Query", "order").arguments(json!({ "id": 7 })).build();
/// assert_eq!(event["info"]["fieldName"], "order");
/// assert_eq!(event["arguments"]["id"], 7);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct AppSyncResolverEvent(Value);

impl AppSyncResolverEvent {
    /// Sets the arguments of the field.
    pub fn arguments(mut self, arguments: Value) -> Self {
        self.0["arguments"] = arguments;
        self
    }

    /// Sets the object that has the field.
    pub fn source(mut self, source: Value) -> Self {
        self.0["source"] = source;
        self
    }

    /// Sets who calls, as AppSync writes it.
    pub fn identity(mut self, identity: Value) -> Self {
        self.0["identity"] = identity;
        self
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        self.0
    }
}

/// The event of a channel of AppSync Events. Created by [`appsync_events`].
///
/// ```
/// use powertools::testing::events;
/// use serde_json::json;
///
/// let event = events::appsync_events("/orders/7").message(json!({ "n": 1 })).build();
/// assert_eq!(event["info"]["operation"], "PUBLISH");
/// assert_eq!(event["events"][0]["payload"]["n"], 1);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct AppSyncChannelEvent {
    channel: String,
    identity: Value,
    messages: Vec<Value>,
}

impl AppSyncChannelEvent {
    /// Adds a message.
    pub fn message(mut self, payload: Value) -> Self {
        let id = identifiers::request_id();
        self.messages.push(json!({ "id": id, "payload": payload }));
        self
    }

    /// Sets who calls, as AppSync writes it.
    pub fn identity(mut self, identity: Value) -> Self {
        self.identity = identity;
        self
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        let segments: Vec<_> = self.channel.split('/').filter(|name| !name.is_empty()).collect();
        let is_subscription = self.messages.is_empty();
        json!({
            "identity": self.identity,
            "result": null,
            "request": request(),
            "info": {
                "channel": { "path": self.channel, "segments": segments },
                "channelNamespace": { "name": segments.first() },
                "operation": if is_subscription { "SUBSCRIBE" } else { "PUBLISH" },
            },
            "error": null,
            "prev": null,
            "stash": {},
            "outErrors": [],
            "events": if is_subscription { Value::Null } else { self.messages.into() },
        })
    }
}

fn request() -> Value {
    json!({
        "headers": {
            "host": "apiexample.appsync-api.eu-central-1.amazonaws.com",
            "x-amzn-trace-id": "Root=1-6955b900-5759e988bd862e3fe1be46a9",
        },
        "domainName": null,
    })
}
