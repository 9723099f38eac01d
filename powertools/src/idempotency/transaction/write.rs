use std::collections::BTreeMap;

use super::{AttributeValue, Item};

/// One write of a [`Commit`](super::Commit): a [`Put`], [`Update`], [`Delete`] or [`Check`].
#[derive(Clone, Debug)]
pub struct Write {
    pub(in crate::idempotency) kind: Kind,
    pub(in crate::idempotency) table: String,
    /// The item of a put, the key of the others.
    pub(in crate::idempotency) item: Item,
    pub(in crate::idempotency) actions: Vec<Action>,
    pub(in crate::idempotency) conditions: Vec<Condition>,
    /// What the placeholders in expressions stand for.
    pub(in crate::idempotency) names: BTreeMap<String, String>,
    pub(in crate::idempotency) values: BTreeMap<String, AttributeValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::idempotency) enum Kind {
    Put,
    Update,
    Delete,
    Check,
}

/// What an update does.
#[derive(Clone, Debug)]
pub(in crate::idempotency) enum Action {
    Set(String, AttributeValue),
    Add(String, AttributeValue),
    Remove(String),
    Expression(String),
}

/// What must hold of the existing item.
#[derive(Clone, Debug)]
pub(in crate::idempotency) enum Condition {
    Absent(String),
    Exists(String),
    Equals(String, AttributeValue),
    Expression(String),
}

impl Write {
    fn new(kind: Kind, table: String, item: Item) -> Self {
        let (actions, conditions) = (Vec::new(), Vec::new());
        let (names, values) = (BTreeMap::new(), BTreeMap::new());
        Self { kind, table, item, actions, conditions, names, values }
    }

    /// Returns the table, as it was named.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }
}

macro_rules! writes {
    ($($(#[$docs:meta])* $name:ident($item:ident),)*) => {
        $(
            $(#[$docs])*
            #[derive(Clone, Debug)]
            #[must_use = "a write does nothing until a commit has it"]
            pub struct $name(pub(in crate::idempotency) Write);

            impl $name {
                /// Creates the write. `table` is the name of the table, or its ARN.
                pub fn new(table: impl Into<String>, $item: Item) -> Self {
                    Self(Write::new(Kind::$name, table.into(), $item))
                }

                /// Requires that the existing item has no attribute of this name. With the name of a
                /// key attribute: that there is no item.
                pub fn if_absent(mut self, attribute: impl Into<String>) -> Self {
                    self.0.conditions.push(Condition::Absent(attribute.into()));
                    self
                }

                /// Requires that the existing item has an attribute of this name.
                pub fn if_exists(mut self, attribute: impl Into<String>) -> Self {
                    self.0.conditions.push(Condition::Exists(attribute.into()));
                    self
                }

                /// Requires that the existing item has this attribute.
                pub fn if_equals(
                    mut self,
                    attribute: impl Into<String>,
                    value: impl Into<AttributeValue>,
                ) -> Self {
                    self.0.conditions.push(Condition::Equals(attribute.into(), value.into()));
                    self
                }

                /// Requires a condition in DynamoDB's own language. Several conditions must all hold.
                ///
                /// Only for stores on DynamoDB: the one in memory rejects it.
                pub fn condition(mut self, expression: impl Into<String>) -> Self {
                    self.0.conditions.push(Condition::Expression(expression.into()));
                    self
                }

                /// Sets the attribute that a placeholder such as `#count` stands for in expressions.
                pub fn name(
                    mut self,
                    placeholder: impl Into<String>,
                    attribute: impl Into<String>,
                ) -> Self {
                    self.0.names.insert(placeholder.into(), attribute.into());
                    self
                }

                /// Sets the value that a placeholder such as `:count` stands for in expressions.
                pub fn value(
                    mut self,
                    placeholder: impl Into<String>,
                    value: impl Into<AttributeValue>,
                ) -> Self {
                    self.0.values.insert(placeholder.into(), value.into());
                    self
                }
            }

            impl From<$name> for Write {
                fn from(write: $name) -> Self {
                    write.0
                }
            }
        )*
    };
}

writes! {
    /// Puts an item, and replaces the existing one.
    Put(item),
    /// Changes attributes of the item with this key, and creates it if there is none.
    Update(key),
    /// Deletes the item with this key, if there is one.
    Delete(key),
    /// Requires that conditions hold of the item with this key, and changes nothing.
    Check(key),
}

impl Update {
    /// Sets an attribute.
    pub fn set(mut self, attribute: impl Into<String>, value: impl Into<AttributeValue>) -> Self {
        self.0.actions.push(Action::Set(attribute.into(), value.into()));
        self
    }

    /// Adds to a number, which counts as zero if there is none, or to a set.
    pub fn add(mut self, attribute: impl Into<String>, value: impl Into<AttributeValue>) -> Self {
        self.0.actions.push(Action::Add(attribute.into(), value.into()));
        self
    }

    /// Removes an attribute.
    pub fn remove(mut self, attribute: impl Into<String>) -> Self {
        self.0.actions.push(Action::Remove(attribute.into()));
        self
    }

    /// Sets the whole update in DynamoDB's own language, in place of single actions.
    ///
    /// Only for stores on DynamoDB: the one in memory rejects it.
    pub fn expression(mut self, expression: impl Into<String>) -> Self {
        self.0.actions.push(Action::Expression(expression.into()));
        self
    }
}
