use serde_json::{Value, json};

use super::TIME_SECONDS;
use crate::testing::identifiers::{self, ACCOUNT, REGION};

/// Starts a batch of changes of the collection `database.collection` of DocumentDB.
pub fn document_db(
    database: impl Into<String>,
    collection: impl Into<String>,
) -> DocumentDbChanges {
    let (database, collection) = (database.into(), collection.into());
    DocumentDbChanges { database, collection, changes: Vec::new() }
}

/// A batch of changes of a collection. Created by [`document_db`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct DocumentDbChanges {
    database: String,
    collection: String,
    changes: Vec<Value>,
}

impl DocumentDbChanges {
    /// Adds a change such as `insert` of the document with this `_id`, and the document after it unless
    /// it is null.
    pub fn change(mut self, operation: &str, id: impl Into<Value>, document: Value) -> Self {
        let mut change = json!({
            "_id": { "_data": token(identifiers::next()) },
            "clusterTime": { "$timestamp": { "t": TIME_SECONDS, "i": 1 } },
            "documentKey": { "_id": id.into() },
            "ns": { "db": self.database, "coll": self.collection },
            "operationType": operation,
        });
        if !document.is_null() {
            change["fullDocument"] = document;
        }
        self.changes.push(json!({ "event": change }));
        self
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        envelope(self.changes)
    }

    /// The changes, with resume tokens that depend on nothing but their place.
    pub(in crate::testing) fn numbered(mut self) -> Vec<Value> {
        for (place, change) in self.changes.iter_mut().enumerate() {
            change["event"]["_id"]["_data"] = token(place as u64 + 1).into();
        }
        self.changes
    }
}

/// Returns a resume token: they grow along a stream.
fn token(number: u64) -> String {
    format!("01{number:030x}")
}

/// Wraps changes as the event that has them.
pub(in crate::testing) fn envelope(changes: Vec<Value>) -> Value {
    json!({
        "eventSource": "aws:docdb",
        "eventSourceArn": format!("arn:aws:rds:{REGION}:{ACCOUNT}:cluster:test"),
        "events": changes,
    })
}
