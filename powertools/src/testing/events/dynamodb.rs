use serde_json::{Map, Value, json};

use super::{KinesisRecord, TIME_MILLIS, md5};
use crate::testing::identifiers::{self, ACCOUNT, REGION};

/// Starts a batch of changes from the stream of the table `name`.
pub fn dynamodb(name: impl Into<String>) -> DynamoDbRecords {
    DynamoDbRecords { table: name.into(), records: Vec::new() }
}

/// A batch of changes from the stream of a table, with the images from before and after. Created by
/// [`dynamodb`].
///
/// Keys and items are plain JSON objects; the event has them as DynamoDB writes them.
///
/// ```
/// use powertools::testing::events;
/// use serde_json::json;
///
/// let event = events::dynamodb("orders")
///     .insert(json!({ "id": "o-1" }), json!({ "id": "o-1", "total": 5 }))
///     .modify(
///         json!({ "id": "o-1" }),
///         json!({ "id": "o-1", "total": 5 }),
///         json!({ "id": "o-1", "total": 6 }),
///     )
///     .remove(json!({ "id": "o-1" }), json!({ "id": "o-1", "total": 6 }))
///     .build();
/// assert_eq!(event["Records"][1]["dynamodb"]["NewImage"]["total"], json!({ "N": "6" }));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct DynamoDbRecords {
    table: String,
    records: Vec<Value>,
}

impl DynamoDbRecords {
    /// Adds the insertion of an item.
    pub fn insert(self, keys: Value, new: Value) -> Self {
        self.record("INSERT", keys, None, Some(new))
    }

    /// Adds the change of an item.
    pub fn modify(self, keys: Value, old: Value, new: Value) -> Self {
        self.record("MODIFY", keys, Some(old), Some(new))
    }

    /// Adds the removal of an item.
    pub fn remove(self, keys: Value, old: Value) -> Self {
        self.record("REMOVE", keys, Some(old), None)
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        json!({ "Records": self.records })
    }

    /// Creates the event that EventBridge Pipes sends: the records alone.
    #[must_use]
    pub fn build_piped(self) -> Value {
        self.records.into()
    }

    /// Creates the records that a Kinesis stream of the table gets: without sequence numbers, with a time that
    /// counts `MILLISECOND` or `MICROSECOND`.
    ///
    /// ```
    /// use powertools::testing::events;
    /// use serde_json::json;
    ///
    /// let changes = events::dynamodb("orders").insert(json!({ "id": 1 }), json!({ "id": 1 }));
    /// let records = changes.through_kinesis("MICROSECOND");
    /// let event = records.into_iter().fold(events::kinesis("changes"), |stream, record| stream.record(record));
    /// assert_eq!(event.build()["Records"].as_array().unwrap().len(), 1);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the precision is another one.
    #[must_use]
    pub fn through_kinesis(self, precision: &str) -> Vec<KinesisRecord> {
        let changes = self.streamed(precision).into_iter();
        changes.map(|(key, change)| KinesisRecord::json(key, change)).collect()
    }

    /// Creates the data of the records that a Firehose stream gets which reads that
    /// [stream of Kinesis](Self::through_kinesis): the JSON of each change.
    ///
    /// ```
    /// use powertools::testing::events;
    /// use serde_json::json;
    ///
    /// let changes = events::dynamodb("orders").insert(json!({ "id": 1 }), json!({ "id": 1 }));
    /// let changes = changes.through_firehose("MILLISECOND").into_iter();
    /// let event = changes.fold(events::firehose("changes"), |stream, change| stream.record(change));
    /// assert_eq!(event.build()["records"].as_array().unwrap().len(), 1);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the precision is another one.
    #[must_use]
    pub fn through_firehose(self, precision: &str) -> Vec<String> {
        let changes = self.streamed(precision).into_iter();
        changes.map(|(_, change)| change.to_string()).collect()
    }

    /// The changes as a stream of Kinesis has them, each with its partition key.
    fn streamed(self, precision: &str) -> Vec<(String, Value)> {
        let time = match precision {
            "MILLISECOND" => TIME_MILLIS,
            "MICROSECOND" => TIME_MILLIS * 1_000,
            other => panic!("there is no precision {other}"),
        };
        let table = self.table;
        let records = self.records.into_iter().map(|record| {
            let mut change = record["dynamodb"].clone();
            for (name, value) in [
                ("ApproximateCreationDateTime", json!(time)),
                ("ApproximateCreationDateTimePrecision", json!(precision)),
            ] {
                change[name] = value;
            }
            if let Some(change) = change.as_object_mut() {
                change.remove("SequenceNumber");
                change.remove("StreamViewType");
            }
            // All changes of an item have one partition key.
            let key = md5(change["Keys"].to_string());
            let data = json!({
                "awsRegion": REGION,
                "eventID": record["eventID"],
                "eventName": record["eventName"],
                "userIdentity": null,
                "recordFormat": "application/json",
                "tableName": table,
                "dynamodb": change,
                "eventSource": "aws:dynamodb",
            });
            (key, data)
        });
        records.collect()
    }

    /// The records, with sequence numbers that depend on nothing but their place.
    pub(in crate::testing) fn numbered(mut self) -> Vec<Value> {
        for (place, record) in self.records.iter_mut().enumerate() {
            let place = place + 1;
            record["eventID"] = format!("{place:032x}").into();
            record["dynamodb"]["SequenceNumber"] = format!("1405{place:021}").into();
        }
        self.records
    }

    fn record(mut self, event: &str, keys: Value, old: Option<Value>, new: Option<Value>) -> Self {
        let id = identifiers::next();
        let mut change = json!({
            "ApproximateCreationDateTime": TIME_MILLIS / 1_000,
            "Keys": item(&keys),
            // They grow along a shard and have as many digits as real ones.
            "SequenceNumber": format!("1405{id:021}"),
            "SizeBytes": keys.to_string().len(),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        });
        for (name, image) in [("NewImage", new), ("OldImage", old)] {
            if let Some(image) = image {
                change[name] = item(&image);
            }
        }
        self.records.push(json!({
            "eventID": format!("{id:032x}"),
            "eventName": event,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": REGION,
            "dynamodb": change,
            "eventSourceARN": format!(
                "arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{}/stream/2026-01-01T00:00:00.000",
                self.table
            ),
        }));
        self
    }
}

/// Writes each member of an object as an attribute value.
fn item(object: &Value) -> Value {
    let members = object.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), attribute(value))).collect::<Map<_, _>>().into()
}

fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(flag) => json!({ "BOOL": flag }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(list) => json!({ "L": list.iter().map(attribute).collect::<Vec<_>>() }),
        Value::Object(_) => json!({ "M": item(value) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_values_as_dynamodb_does() {
        let value = json!({ "a": [1, 2.5, "x"], "b": { "c": null }, "d": true });
        assert_eq!(
            item(&value),
            json!({
                "a": { "L": [{ "N": "1" }, { "N": "2.5" }, { "S": "x" }] },
                "b": { "M": { "c": { "NULL": true } } },
                "d": { "BOOL": true },
            })
        );
    }

    #[test]
    fn has_the_images_that_the_change_has() {
        let (keys, image) = (json!({ "id": 1 }), json!({ "id": 1 }));
        let event = dynamodb("t").insert(keys.clone(), image.clone()).remove(keys, image).build();
        let change = |n: usize| event["Records"][n]["dynamodb"].as_object().unwrap();
        assert!(change(0).contains_key("NewImage") && !change(0).contains_key("OldImage"));
        assert!(change(1).contains_key("OldImage") && !change(1).contains_key("NewImage"));
    }
}
