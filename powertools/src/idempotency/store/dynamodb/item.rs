use super::builder::Schema;
use crate::idempotency::store::{Claim, StoreError, StoreErrorKind};
use crate::idempotency::transaction::{AttributeValue, Item};
use crate::idempotency::{Data, EpochMillis, EpochSeconds, Json, Key, Record, Status};

impl Schema {
    /// Returns the item that a claim puts into the table.
    pub(super) fn claimed_item(&self, claim: &Claim) -> Item {
        let item = self
            .key(&claim.key)
            .set(&self.expiration, claim.expiration.0)
            .set(&self.status, Status::InProgress.as_str())
            .set(&self.in_progress_expiration, claim.lease_end.0)
            .set(&self.owner, claim.owner.as_str());
        let item = match &claim.validation {
            Some(hash) => item.set(&self.validation, hash.as_str()),
            None => item,
        };
        match claim.owner.attempt() {
            Some(attempt) => item.set(&self.attempt, attempt),
            None => item,
        }
    }

    /// Reads an item that any of the toolkits has written.
    pub(super) fn record(&self, key: &Key, item: &Item) -> Result<Record, StoreError> {
        let attributes = Attributes { schema: self, key, item };

        let status = attributes.text(&self.status)?;
        let status = status.ok_or_else(|| attributes.malformed(&self.status, "is missing"))?;
        let mut record = Record::new(Status::from(status));
        record.expiration = attributes.integer(&self.expiration)?.map(EpochSeconds);
        record.in_progress_expiration =
            attributes.integer(&self.in_progress_expiration)?.map(EpochMillis);
        record.owner = attributes.text(&self.owner)?;
        record.attempt = attributes.text(&self.attempt)?;
        record.validation = attributes.text(&self.validation)?;
        record.data = attributes.data(&self.data)?;
        record.not_stored = attributes.text(&self.not_stored)?;
        Ok(record)
    }
}

/// Returns the value of the attribute that contains `data`.
pub(super) fn value(data: &Data) -> AttributeValue {
    match data {
        Data::Text(data) => AttributeValue::S(data.clone()),
        Data::Value(json) => json_value(json),
    }
}

fn json_value(json: &Json) -> AttributeValue {
    match json {
        Json::Null => AttributeValue::Null,
        Json::Bool(value) => AttributeValue::Bool(*value),
        Json::Number(number) => AttributeValue::N(number.as_str().to_owned()),
        Json::String(value) => AttributeValue::S(value.clone()),
        Json::Array(values) => AttributeValue::L(values.iter().map(json_value).collect()),
        Json::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), json_value(value)));
            AttributeValue::M(members.collect())
        }
    }
}

/// Reverses [`json_value`]. The error names what JSON cannot represent.
fn to_json(value: &AttributeValue) -> Result<Json, String> {
    match value {
        AttributeValue::Null => Ok(Json::Null),
        AttributeValue::Bool(value) => Ok(Json::Bool(*value)),
        AttributeValue::N(text) => {
            let number = text.parse().map_err(|_| format!("holds the number `{text}`"))?;
            Ok(Json::Number(number))
        }
        AttributeValue::S(text) => Ok(Json::String(text.clone())),
        AttributeValue::L(values) => {
            values.iter().map(to_json).collect::<Result<_, _>>().map(Json::Array)
        }
        AttributeValue::M(members) => {
            let members = members.iter().map(|(name, value)| Ok((name.clone(), to_json(value)?)));
            // Sorted: DynamoDB keeps no order, and a fixed one makes equal records equal.
            members.collect::<Result<_, String>>().map(Json::Object)
        }
        other => Err(format!("holds a value of type {}, which is not JSON", type_name(other))),
    }
}

/// An item that is read as a record.
struct Attributes<'a> {
    schema: &'a Schema,
    key: &'a Key,
    item: &'a Item,
}

impl Attributes<'_> {
    fn text(&self, name: &str) -> Result<Option<String>, StoreError> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text.clone())),
            Some(other) => Err(self.wrong_type(name, "S", other)),
        }
    }

    fn integer(&self, name: &str) -> Result<Option<u64>, StoreError> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::N(digits)) => match digits.parse() {
                Ok(value) => Ok(Some(value)),
                Err(_) => {
                    let problem = format!("should be a whole number and is `{digits}`");
                    Err(self.malformed(name, &problem))
                }
            },
            Some(other) => Err(self.wrong_type(name, "N", other)),
        }
    }

    fn data(&self, name: &str) -> Result<Option<Data>, StoreError> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(Data::Text(text.clone()))),
            Some(
                other @ (AttributeValue::M(_)
                | AttributeValue::L(_)
                | AttributeValue::N(_)
                | AttributeValue::Bool(_)
                | AttributeValue::Null),
            ) => match to_json(other) {
                Ok(json) => Ok(Some(Data::Value(json))),
                Err(problem) => Err(self.malformed(name, &problem)),
            },
            Some(other) => Err(self.wrong_type(name, "S, M, L, N, BOOL or NULL", other)),
        }
    }

    fn wrong_type(&self, name: &str, expected: &str, found: &AttributeValue) -> StoreError {
        let problem = format!(
            "should have type {expected} and has type {}; was it written by a newer version?",
            type_name(found)
        );
        self.malformed(name, &problem)
    }

    fn malformed(&self, name: &str, problem: &str) -> StoreError {
        let Self { schema: Schema { table, .. }, key, .. } = self;
        let message = format!("attribute `{name}` of record {key} in table `{table}` {problem}");
        StoreError::new(StoreErrorKind::Malformed, message)
    }
}

fn type_name(value: &AttributeValue) -> &'static str {
    match value {
        AttributeValue::Unknown => "unknown to this version",
        known => known.type_name(),
    }
}
