use std::borrow::Cow;
use std::collections::BTreeMap;
use std::mem::take;
use std::ops::Deref;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::source::from_one_source;
use super::{Error, FromRecord, Record, Reply, Reporting, Source};
use crate::events::dynamodb::SOURCES;
use crate::events::{
    DynamoDbEvent, DynamoDbRecord, HasNaturalKey, NaturalKey, ParseError, RecordId,
};

/// A change of an item in a DynamoDB table, with its images parsed as a `T`.
///
/// Which images there are depends on the stream's view type and on what happened. An item with binary
/// attributes needs a type that takes bytes there, unlike `serde_json::Value`. For numbers see
/// [`DynamoDbRecord::new_image`].
///
/// ```
/// use powertools::batch::{Change, RecordError};
///
/// #[derive(serde::Deserialize)]
/// struct Order {
///     total: u64,
/// }
///
/// async fn bill(change: Change<Order>) -> Result<(), RecordError> {
///     let total = |order: &Option<Order>| order.as_ref().map_or(0, |order| order.total);
///     println!("{:?}: {} more", change.kind(), total(&change.new).abs_diff(total(&change.old)));
///     Ok(())
/// }
/// # let _ = bill;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Change<T> {
    /// The item after the change.
    pub new: Option<T>,
    /// The item before the change.
    pub old: Option<T>,
    /// The record itself.
    pub record: DynamoDbRecord,
}

impl Source for DynamoDbEvent {
    type Record = DynamoDbRecord;
    type Reply = Reply;

    const REPORTING: Reporting = Reporting::Checkpoint;

    fn reports_all(&self) -> bool {
        self.is_piped
    }

    fn take_records(&mut self) -> Result<Vec<DynamoDbRecord>, Error> {
        if self.has_window {
            return Err(Error::TumblingWindow);
        }
        from_one_source(SOURCES, take(&mut self.records), DynamoDbRecord::other_source)
    }
}

impl Record for DynamoDbRecord {
    type Identifier = RecordId;

    fn identifier(&self) -> Option<RecordId> {
        self.record_id().filter(|id| !id.as_str().is_empty()).cloned()
    }

    fn has_identifier(&self) -> bool {
        self.record_id().is_some_and(|id| !id.as_str().is_empty())
    }

    /// Returns the item's key.
    fn order(&self) -> Option<Cow<'_, str>> {
        Some(self.raw_keys().map_or(Cow::Borrowed(""), canonical))
    }
}

/// Returns a key in one form, however its attributes are ordered and spaced.
fn canonical(keys: &RawValue) -> Cow<'_, str> {
    type Attributes<'a> = BTreeMap<Cow<'a, str>, BTreeMap<Cow<'a, str>, Cow<'a, str>>>;
    let sorted = serde_json::from_str(keys.get())
        .and_then(|keys: Attributes<'_>| serde_json::to_string(&keys));
    match sorted {
        Ok(sorted) => sorted.into(),
        Err(_) => keys.get().into(),
    }
}

impl<T> Deref for Change<T> {
    type Target = DynamoDbRecord;

    fn deref(&self) -> &DynamoDbRecord {
        &self.record
    }
}

impl<T> HasNaturalKey for Change<T> {
    fn natural_key(&self) -> NaturalKey {
        self.record.natural_key()
    }
}

impl<T: DeserializeOwned> FromRecord<DynamoDbRecord> for Change<T> {
    fn from_record(record: DynamoDbRecord) -> Result<Self, ParseError> {
        Ok(Self { new: record.new_image()?, old: record.old_image()?, record })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_however_it_is_written() {
        let keys =
            [r#"{"id":{"S":"a"},"n":{"N":"1"}}"#, r#"{ "n": {"N": "1"}, "id": {"S": "\u0061"} }"#];
        let [one, other] = keys.map(|keys| RawValue::from_string(keys.to_owned()).unwrap());
        assert_eq!(canonical(&one), canonical(&other));

        let odd = RawValue::from_string("[1, 2]".to_owned()).unwrap();
        assert_eq!(canonical(&odd), "[1, 2]");
    }
}
