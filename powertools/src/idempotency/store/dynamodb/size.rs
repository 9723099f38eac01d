//! The size of an item as DynamoDB counts it: names and values, in UTF-8.

use super::builder::Schema;
use crate::idempotency::store::Completion;
use crate::idempotency::transaction::digits;
use crate::idempotency::{Data, Json, Status};

/// The largest size of an item, in bytes.
pub(super) const LIMIT: usize = 400 * 1024;

/// The size of a list or map without its content.
const CONTAINER: usize = 3;
/// The size of an element or member of a list or map without its name and value.
const ELEMENT: usize = 1;

impl Schema {
    /// Returns the size of the item after `completion`, never more than what DynamoDB counts.
    pub(super) fn completed_size(&self, completion: &Completion) -> usize {
        let mut size = self.key.len() + completion.key.as_str().len();
        if let Some(sort_key) = &self.sort_key {
            size += sort_key.attribute.len() + sort_key.partition_of(&completion.key).len();
        }
        size += self.expiration.len() + digits(&completion.expiration.0.to_string());
        size += self.status.len() + Status::Completed.as_str().len();
        size += self.owner.len() + completion.owner.as_str().len();
        let mut optional = |name: &str, value: Option<usize>| {
            size += value.map_or(0, |value| name.len() + value);
        };
        optional(&self.attempt, completion.owner.attempt().map(str::len));
        optional(&self.validation, completion.validation.as_ref().map(String::len));
        optional(&self.not_stored, completion.not_stored.as_ref().map(String::len));
        optional(&self.data, completion.data.as_ref().map(data));
        size
    }
}

fn data(data: &Data) -> usize {
    match data {
        Data::Text(text) => text.len(),
        Data::Value(value) => json(value),
    }
}

fn json(value: &Json) -> usize {
    match value {
        Json::Null | Json::Bool(_) => 1,
        Json::Number(number) => digits(number.as_str()),
        Json::String(text) => text.len(),
        Json::Array(values) => {
            CONTAINER + values.iter().map(|value| ELEMENT + json(value)).sum::<usize>()
        }
        Json::Object(members) => {
            let member = |(name, value): &(String, Json)| ELEMENT + name.len() + json(value);
            CONTAINER + members.iter().map(member).sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_names_values_and_containers() {
        let number = |text: &str| Json::Number(text.parse().unwrap());
        assert_eq!(json(&Json::String("Zoë ✓".to_owned())), 8);
        assert_eq!(json(&number("100")), 2);
        assert_eq!(json(&number("-12.50")), 3);
        assert_eq!(json(&number("1e100")), 2);
        assert_eq!(json(&Json::Array(vec![Json::Null, Json::Bool(true)])), 3 + 2 + 2);
        let member = ("name".to_owned(), number("7"));
        assert_eq!(json(&Json::Object(vec![member])), 3 + 1 + 4 + 2);
    }
}
