//! Items of a table as DynamoDB writes them in JSON: `{ "id": { "S": "order-7" } }`.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value, json};

/// Puts an item, and replaces the existing one.
///
/// # Panics
///
/// Panics if the table rejects it.
pub async fn put(client: &Client, table: &str, item: &Value) {
    let put = client.put_item().table_name(table).set_item(Some(from_json(item)));
    put.send().await.expect("the item is put");
}

/// Returns all items of a table, in any order.
///
/// # Panics
///
/// Panics if the table cannot be read.
pub async fn all(client: &Client, table: &str) -> Vec<Value> {
    let scan = client.scan().table_name(table).consistent_read(true);
    let page = scan.send().await.expect("the table is read");
    assert_eq!(page.last_evaluated_key, None, "the table is small");
    page.items.unwrap_or_default().iter().map(to_json).collect()
}

/// Reads the JSON of an item.
///
/// # Panics
///
/// Panics if it is not the JSON of an item.
#[must_use]
pub fn from_json(item: &Value) -> HashMap<String, AttributeValue> {
    let members = item.as_object().expect("an item is an object");
    members.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn attribute(value: &Value) -> AttributeValue {
    let mut members = value.as_object().expect("an attribute is an object").iter();
    let (kind, value) = members.next().expect("an attribute has a type");
    let text = || value.as_str().expect("it is a text").to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "BOOL" => AttributeValue::Bool(value == &json!(true)),
        "NULL" => AttributeValue::Null(true),
        "M" => AttributeValue::M(from_json(value)),
        "L" => {
            let values = value.as_array().expect("a list is an array");
            AttributeValue::L(values.iter().map(attribute).collect())
        }
        other => panic!("items of the tests have no {other}"),
    }
}

/// Writes the JSON of an item.
#[must_use]
pub fn to_json(item: &HashMap<String, AttributeValue>) -> Value {
    let members = item.iter().map(|(name, value)| (name.clone(), attribute_json(value)));
    Value::Object(members.collect::<Map<_, _>>())
}

fn attribute_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(text) => json!({ "N": text }),
        AttributeValue::Bool(value) => json!({ "BOOL": value }),
        AttributeValue::Null(value) => json!({ "NULL": value }),
        AttributeValue::M(members) => json!({ "M": to_json(members) }),
        AttributeValue::B(bytes) => json!({ "B": bytes.as_ref() }),
        AttributeValue::Ss(texts) => {
            let mut texts = texts.clone();
            texts.sort();
            json!({ "SS": texts })
        }
        AttributeValue::L(values) => {
            json!({ "L": values.iter().map(attribute_json).collect::<Vec<_>>() })
        }
        other => panic!("items of the tests have no {other:?}"),
    }
}
