use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::BoxFuture;

use super::failure::failure;
use crate::parameters::{Content, Fetched, Kind, Request, Source, SourceError, SourceErrorKind};

/// Values in a DynamoDB table, as the Powertools for other languages keep them.
///
/// A value is the attribute `value` of the item whose partition key `id` is its name. The values below a
/// path are those of the items whose partition key is the path, by their sort key `sk`; a table has a
/// sort key for paths only. A number, a boolean, a list and a map are the JSON of it. Reads are strongly
/// consistent. There are no versions.
///
/// A map of DynamoDB has no order, so the members of its JSON are sorted by their names. Keep a document whose order
/// counts, such as feature flags with several rules, as a string.
///
/// ```no_run
/// use powertools::parameters::{DynamoDb, Parameter, Parameters};
///
/// static LIMIT: Parameter<u32> = Parameter::json("orders/limit");
///
/// # fn example(client: aws_sdk_dynamodb::Client) -> Parameters {
/// Parameters::new().parameters_from(DynamoDb::new(client, "settings"))
/// # }
/// ```
///
/// The role of the function needs `dynamodb:GetItem` on the table, for a path `dynamodb:Query`, and for
/// [`set`](crate::parameters::Declaration::set) `dynamodb:UpdateItem`.
#[derive(Clone, Debug)]
pub struct DynamoDb {
    client: Client,
    table: String,
    key: String,
    sort_key: String,
    value: String,
}

impl DynamoDb {
    /// Creates the source on this client and table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        let (key, sort_key, value) = ("id".to_owned(), "sk".to_owned(), "value".to_owned());
        Self { client, table: table.into(), key, sort_key, value }
    }

    /// Sets the name of the partition key. Defaults to `id`.
    #[must_use]
    pub fn key(mut self, name: impl Into<String>) -> Self {
        self.key = name.into();
        self
    }

    /// Sets the name of the sort key, which paths have. Defaults to `sk`.
    #[must_use]
    pub fn sort_key(mut self, name: impl Into<String>) -> Self {
        self.sort_key = name.into();
        self
    }

    /// Sets the name of the attribute with the value. Defaults to `value`.
    #[must_use]
    pub fn value(mut self, name: impl Into<String>) -> Self {
        self.value = name.into();
        self
    }

    async fn item(&self, request: &Request) -> Result<Fetched, SourceError> {
        let name = AttributeValue::S(request.name.clone());
        let get = self.client.get_item().table_name(&self.table).key(&self.key, name);
        let response = get.consistent_read(true).send().await;
        let response = response.map_err(|error| failure(error, "dynamodb:GetItem"))?;
        let item = response.item.ok_or_else(|| {
            SourceError::new(SourceErrorKind::NotFound, "the table has no such item")
        })?;
        Ok(Fetched::new(self.content(item)?))
    }

    /// Reads the items of a partition, page by page.
    async fn path(&self, request: &Request) -> Result<Fetched, SourceError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", &self.key)
            .expression_attribute_values(":key", AttributeValue::S(request.name.clone()))
            .into_paginator()
            .items()
            .send();
        let mut found = BTreeMap::new();
        while let Some(item) = pages.next().await {
            let mut item = item.map_err(|error| failure(error, "dynamodb:Query"))?;
            let Some(AttributeValue::S(name)) = item.remove(&self.sort_key) else {
                let message = format!("an item has no string {}, its sort key", self.sort_key);
                return Err(SourceError::new(SourceErrorKind::Other, message));
            };
            let Content::Text(text) = self.content(item)? else {
                let message = "an item of the path is binary";
                return Err(SourceError::new(SourceErrorKind::Other, message));
            };
            found.insert(name, text);
        }
        Ok(Fetched::new(Content::Map(found)))
    }

    fn content(&self, mut item: HashMap<String, AttributeValue>) -> Result<Content, SourceError> {
        match item.remove(&self.value) {
            Some(AttributeValue::S(text)) => Ok(Content::Text(text)),
            Some(AttributeValue::B(bytes)) => Ok(Content::Binary(bytes.into_inner())),
            Some(other) => json(&other).map(Content::Text).ok_or_else(|| {
                let message = format!("the attribute {} is not of a type of JSON", self.value);
                SourceError::new(SourceErrorKind::Other, message)
            }),
            None => {
                let message = format!("the item has no attribute {}", self.value);
                Err(SourceError::new(SourceErrorKind::Other, message))
            }
        }
    }

    async fn write(&self, request: &Request, content: Content) -> Result<(), SourceError> {
        let value = match content {
            Content::Text(text) => AttributeValue::S(text),
            Content::Binary(bytes) => AttributeValue::B(Blob::new(bytes)),
            Content::Map(_) => return Err(unsupported()),
        };
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(&self.key, AttributeValue::S(request.name.clone()))
            .update_expression("SET #value = :value")
            .expression_attribute_names("#value", &self.value)
            .expression_attribute_values(":value", value);
        update.send().await.map(drop).map_err(|error| failure(error, "dynamodb:UpdateItem"))
    }
}

impl Source for DynamoDb {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        Box::pin(async {
            request.check_current()?;
            if request.kind == Kind::Path {
                self.path(request).await
            } else {
                self.item(request).await
            }
        })
    }

    fn set<'a>(
        &'a self,
        request: &'a Request,
        content: Content,
    ) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(async {
            if request.kind == Kind::Path {
                return Err(unsupported());
            }
            self.write(request, content).await
        })
    }
}

fn unsupported() -> SourceError {
    SourceError::new(SourceErrorKind::Unsupported, "a path is written item by item")
}

/// Writes an attribute as JSON, numbers with all their digits. `None` for sets and binary, which JSON does
/// not have.
fn json(value: &AttributeValue) -> Option<String> {
    let mut out = String::new();
    write(&mut out, value)?;
    Some(out)
}

fn write(out: &mut String, value: &AttributeValue) -> Option<()> {
    match value {
        AttributeValue::Null(_) => out.push_str("null"),
        AttributeValue::Bool(value) => write!(out, "{value}").ok()?,
        AttributeValue::N(number) => out.push_str(number),
        AttributeValue::S(text) => out.push_str(&serde_json::to_string(text).ok()?),
        AttributeValue::L(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write(out, item)?;
            }
            out.push(']');
        }
        AttributeValue::M(members) => {
            out.push('{');
            // In the order of the hash map, the same item would be another document at each fetch.
            let members: BTreeMap<_, _> = members.iter().collect();
            for (index, (name, value)) in members.into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                out.push_str(&serde_json::to_string(name).ok()?);
                out.push(':');
                write(out, value)?;
            }
            out.push('}');
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_of_a_map_are_sorted() {
        let names = || ('a'..='t').map(String::from);
        let sorted = names().map(|name| format!(r#""{name}":true"#)).collect::<Vec<_>>().join(",");
        // Each hash map has an order of its own.
        for _ in 0..2 {
            let members = names().map(|name| (name, AttributeValue::Bool(true)));
            let json = json(&AttributeValue::M(members.collect())).unwrap();
            assert_eq!(json, format!("{{{sorted}}}"));
        }
    }
}
