//! Conversions between the SDK's types and those of a commit.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types;
use aws_sdk_dynamodb::types::AttributeValue as Sdk;

use crate::idempotency::transaction::{AttributeValue, Check, Delete, Item, Put, Update, Write};

/// A value of a type that this version does not know is rejected before it is sent.
impl From<Sdk> for AttributeValue {
    fn from(value: Sdk) -> Self {
        match value {
            Sdk::S(text) => Self::S(text),
            Sdk::N(number) => Self::N(number),
            Sdk::B(bytes) => Self::B(bytes.into_inner()),
            Sdk::Bool(value) => Self::Bool(value),
            Sdk::Null(_) => Self::Null,
            Sdk::L(values) => Self::L(values.into_iter().map(Self::from).collect()),
            Sdk::M(members) => Self::M(members.into_iter().map(converted).collect()),
            Sdk::Ss(texts) => Self::Ss(texts),
            Sdk::Ns(numbers) => Self::Ns(numbers),
            Sdk::Bs(values) => Self::Bs(values.into_iter().map(Blob::into_inner).collect()),
            _ => Self::Unknown,
        }
    }
}

impl From<AttributeValue> for Sdk {
    fn from(value: AttributeValue) -> Self {
        match value {
            AttributeValue::S(text) => Self::S(text),
            AttributeValue::N(number) => Self::N(number),
            AttributeValue::B(bytes) => Self::B(Blob::new(bytes)),
            AttributeValue::Bool(value) => Self::Bool(value),
            // An unknown one is never sent.
            AttributeValue::Null | AttributeValue::Unknown => Self::Null(true),
            AttributeValue::L(values) => Self::L(values.into_iter().map(Self::from).collect()),
            AttributeValue::M(members) => Self::M(members.into_iter().map(converted).collect()),
            AttributeValue::Ss(texts) => Self::Ss(texts),
            AttributeValue::Ns(numbers) => Self::Ns(numbers),
            AttributeValue::Bs(values) => Self::Bs(values.into_iter().map(Blob::new).collect()),
        }
    }
}

impl From<HashMap<String, Sdk>> for Item {
    fn from(item: HashMap<String, Sdk>) -> Self {
        item.into_iter().map(converted).collect()
    }
}

impl From<Item> for HashMap<String, Sdk> {
    fn from(item: Item) -> Self {
        item.into_iter().map(converted).collect()
    }
}

/// A name or value that becomes the SDK's own.
pub(super) trait Owned {
    type Sdk;

    fn into_sdk(self) -> Self::Sdk;
}

impl Owned for Cow<'_, str> {
    type Sdk = String;

    fn into_sdk(self) -> String {
        self.into_owned()
    }
}

impl Owned for Cow<'_, AttributeValue> {
    type Sdk = Sdk;

    fn into_sdk(self) -> Sdk {
        self.into_owned().into()
    }
}

fn converted<T: Into<U>, U>((name, value): (String, T)) -> (String, U) {
    (name, value.into())
}

type Names = Option<HashMap<String, String>>;
type Values = Option<HashMap<String, Sdk>>;

/// Takes over the conditions and placeholders of a write of the SDK.
fn expressions(write: &mut Write, condition: Option<String>, names: Names, values: Values) {
    use crate::idempotency::transaction::Condition;

    write.conditions.extend(condition.map(Condition::Expression));
    write.names = names.into_iter().flatten().collect();
    write.values = values.into_iter().flatten().map(converted).collect::<BTreeMap<_, _>>();
}

impl From<types::Put> for Put {
    fn from(put: types::Put) -> Self {
        let mut write = Self::new(put.table_name, put.item.into());
        let (names, values) = (put.expression_attribute_names, put.expression_attribute_values);
        expressions(&mut write.0, put.condition_expression, names, values);
        write
    }
}

impl From<types::Update> for Update {
    fn from(update: types::Update) -> Self {
        let write = Self::new(update.table_name, update.key.into());
        let mut write = write.expression(update.update_expression);
        let names = update.expression_attribute_names;
        let values = update.expression_attribute_values;
        expressions(&mut write.0, update.condition_expression, names, values);
        write
    }
}

impl From<types::Delete> for Delete {
    fn from(delete: types::Delete) -> Self {
        let mut write = Self::new(delete.table_name, delete.key.into());
        let names = delete.expression_attribute_names;
        let values = delete.expression_attribute_values;
        expressions(&mut write.0, delete.condition_expression, names, values);
        write
    }
}

impl From<types::ConditionCheck> for Check {
    fn from(check: types::ConditionCheck) -> Self {
        let mut write = Self::new(check.table_name, check.key.into());
        let names = check.expression_attribute_names;
        let values = check.expression_attribute_values;
        expressions(&mut write.0, Some(check.condition_expression), names, values);
        write
    }
}
