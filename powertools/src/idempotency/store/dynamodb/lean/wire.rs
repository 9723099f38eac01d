//! Requests as JSON, in the protocol of
//! [DynamoDB's API](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/Welcome.html).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};

use super::Body;
use crate::idempotency::store::dynamodb::action::Action;
use crate::idempotency::store::dynamodb::requests::{ATTRIBUTE, Failure, Get, Part};
use crate::idempotency::transaction::{AttributeValue, Item, Kind};

/// Returns the operation for a single write.
pub(super) fn operation(kind: Kind) -> Result<&'static str, Failure> {
    match kind {
        Kind::Put => Ok("PutItem"),
        Kind::Update => Ok("UpdateItem"),
        Kind::Delete => Ok("DeleteItem"),
        Kind::Check => Err(Failure::Invalid("there is no request for a check alone".into())),
    }
}

pub(super) fn write(action: &Action<'_>) -> Body {
    body(action)
}

pub(super) fn get(get: &Get<'_>) -> Body {
    body(get)
}

pub(super) fn transact(actions: &[Action<'_>], token: &str) -> Body {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Transaction<'a> {
        transact_items: &'a [InTransaction<'a>],
        client_request_token: &'a str,
    }

    let items: Vec<_> = actions.iter().map(InTransaction).collect();
    body(&Transaction { transact_items: &items, client_request_token: token })
}

fn body(request: &impl Serialize) -> Body {
    let mut body = Vec::with_capacity(1024);
    match serde_json::to_writer(&mut body, request) {
        Ok(()) => Ok(Bytes::from(body)),
        Err(error) => Err(Failure::Invalid(error.into())),
    }
}

impl Serialize for Action<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("TableName", self.table)?;
        let item = if self.kind == Kind::Put { "Item" } else { "Key" };
        map.serialize_entry(item, &Attributes(&self.item))?;
        if let Some(update) = &self.update {
            map.serialize_entry("UpdateExpression", update)?;
        }
        if let Some(condition) = &self.condition {
            map.serialize_entry("ConditionExpression", condition)?;
        }
        if !self.names.is_empty() {
            map.serialize_entry("ExpressionAttributeNames", &Names(&self.names))?;
        }
        if !self.values.is_empty() {
            map.serialize_entry("ExpressionAttributeValues", &Values(&self.values))?;
        }
        map.serialize_entry("ReturnValuesOnConditionCheckFailure", "ALL_OLD")?;
        map.end()
    }
}

struct InTransaction<'a>(&'a Action<'a>);

impl Serialize for InTransaction<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = match self.0.kind {
            Kind::Put => "Put",
            Kind::Update => "Update",
            Kind::Delete => "Delete",
            Kind::Check => "ConditionCheck",
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(kind, self.0)?;
        map.end()
    }
}

impl Serialize for Get<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("TableName", self.table)?;
        map.serialize_entry("Key", &Attributes(&self.key))?;
        match self.part {
            Part::Consistent => map.serialize_entry("ConsistentRead", &true)?,
            Part::Attribute(name) => {
                map.serialize_entry("ProjectionExpression", ATTRIBUTE)?;
                let names = [(ATTRIBUTE.into(), name.into())];
                map.serialize_entry("ExpressionAttributeNames", &Names(&names))?;
            }
        }
        map.end()
    }
}

struct Names<'a>(&'a [(Cow<'a, str>, Cow<'a, str>)]);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, attribute)| (name, attribute)))
    }
}

struct Values<'a>(&'a [(Cow<'a, str>, Cow<'a, AttributeValue>)]);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, Value(value))))
    }
}

struct Attributes<'a>(&'a Item);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, Value(value))))
    }
}

struct Value<'a>(&'a AttributeValue);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = self.0.type_name();
        let mut map = serializer.serialize_map(Some(1))?;
        match self.0 {
            AttributeValue::S(text) | AttributeValue::N(text) => map.serialize_entry(name, text),
            AttributeValue::B(bytes) => map.serialize_entry(name, &STANDARD.encode(bytes)),
            AttributeValue::Bool(value) => map.serialize_entry(name, value),
            AttributeValue::Null => map.serialize_entry(name, &true),
            AttributeValue::L(values) => {
                map.serialize_entry(name, &values.iter().map(Value).collect::<Vec<_>>())
            }
            AttributeValue::M(members) => map.serialize_entry(name, &Members(members)),
            AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => {
                map.serialize_entry(name, texts)
            }
            AttributeValue::Bs(values) => {
                let values: Vec<_> = values.iter().map(|bytes| STANDARD.encode(bytes)).collect();
                map.serialize_entry(name, &values)
            }
            AttributeValue::Unknown => Err(S::Error::custom("a value has an unknown type")),
        }?;
        map.end()
    }
}

struct Members<'a>(&'a std::collections::BTreeMap<String, AttributeValue>);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, Value(value))))
    }
}
