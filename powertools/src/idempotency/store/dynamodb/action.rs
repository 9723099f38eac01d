//! Writes in the form that DynamoDB accepts, alone or in a transaction.

use std::borrow::Cow;

use crate::idempotency::transaction::{
    Action as Change, AttributeValue, Condition, Item, Kind, Write,
};

/// One write. It requests the old item if its condition fails.
#[derive(Debug)]
pub(super) struct Action<'a> {
    pub(super) kind: Kind,
    pub(super) table: &'a str,
    /// The item of a put, the key of the others.
    pub(super) item: Cow<'a, Item>,
    pub(super) update: Option<Cow<'a, str>>,
    pub(super) condition: Option<Cow<'a, str>>,
    /// What the placeholders stand for.
    pub(super) names: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(super) values: Vec<(Cow<'a, str>, Cow<'a, AttributeValue>)>,
}

impl<'a> Action<'a> {
    /// Creates a write of the store itself.
    pub(super) fn new(kind: Kind, table: &'a str, item: Item, condition: &'a str) -> Self {
        Self {
            kind,
            table,
            item: Cow::Owned(item),
            update: None,
            condition: Some(Cow::Borrowed(condition)),
            names: Vec::with_capacity(6),
            values: Vec::with_capacity(6),
        }
    }

    /// A placeholder always stands for the same attribute. It is listed once: what DynamoDB does with a
    /// member of JSON that is there twice is not documented.
    pub(super) fn name(&mut self, placeholder: &'static str, attribute: &'a str) {
        if self.names.iter().all(|(known, _)| known != placeholder) {
            self.names.push((Cow::Borrowed(placeholder), Cow::Borrowed(attribute)));
        }
    }

    pub(super) fn value(&mut self, placeholder: &'static str, value: impl Into<AttributeValue>) {
        self.values.push((Cow::Borrowed(placeholder), Cow::Owned(value.into())));
    }

    /// Sets `attribute`, which `name` stands for, to the value that `placeholder` stands for.
    pub(super) fn set(
        &mut self,
        name: &'static str,
        attribute: &'a str,
        placeholder: &'static str,
        value: impl Into<AttributeValue>,
    ) {
        let update = self.update.get_or_insert_default().to_mut();
        update.push_str(if update.is_empty() { "SET " } else { ", " });
        update.push_str(name);
        update.push_str(" = ");
        update.push_str(placeholder);
        self.name(name, attribute);
        self.value(placeholder, value);
    }

    /// Removes `attribute`, which `name` stands for. Once, and after everything that is [`set`](Self::set).
    pub(super) fn remove(&mut self, name: &'static str, attribute: &'a str) {
        let update = self.update.get_or_insert_default().to_mut();
        update.push_str(" REMOVE ");
        update.push_str(name);
        self.name(name, attribute);
    }
}

/// Keeps the user's placeholders. Those that are added begin with `pt`, so that they rarely clash
/// with them.
impl<'a> From<&'a Write> for Action<'a> {
    fn from(write: &'a Write) -> Self {
        let names = write.names.iter().map(|(name, it)| (name.into(), it.into())).collect();
        let values = write.values.iter().map(|(name, it)| (name.into(), Cow::Borrowed(it)));
        let mut placeholders = Placeholders { names, values: values.collect(), count: 0 };
        let condition = placeholders.condition(&write.conditions);
        let update = placeholders.update(&write.actions);
        let Placeholders { names, values, .. } = placeholders;
        let (kind, table, item) = (write.kind, &*write.table, Cow::Borrowed(&write.item));
        Self { kind, table, item, update, condition, names, values }
    }
}

struct Placeholders<'a> {
    names: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    values: Vec<(Cow<'a, str>, Cow<'a, AttributeValue>)>,
    count: usize,
}

impl<'a> Placeholders<'a> {
    /// Returns a placeholder that nothing else uses.
    fn free(&mut self, sign: char) -> String {
        loop {
            let placeholder = format!("{sign}pt{}", self.count);
            self.count += 1;
            let is_used = self.names.iter().any(|(used, _)| *used == placeholder)
                || self.values.iter().any(|(used, _)| *used == placeholder);
            if !is_used {
                return placeholder;
            }
        }
    }

    fn name(&mut self, attribute: &'a str) -> String {
        let placeholder = self.free('#');
        self.names.push((placeholder.clone().into(), attribute.into()));
        placeholder
    }

    fn value(&mut self, value: &'a AttributeValue) -> String {
        let placeholder = self.free(':');
        self.values.push((placeholder.clone().into(), Cow::Borrowed(value)));
        placeholder
    }

    fn condition(&mut self, conditions: &'a [Condition]) -> Option<Cow<'a, str>> {
        if let [Condition::Expression(text)] = conditions {
            return Some(text.into());
        }
        let parts: Vec<_> = conditions
            .iter()
            .map(|condition| match condition {
                Condition::Absent(name) => format!("attribute_not_exists({})", self.name(name)),
                Condition::Exists(name) => format!("attribute_exists({})", self.name(name)),
                Condition::Equals(name, value) => {
                    format!("{} = {}", self.name(name), self.value(value))
                }
                Condition::Expression(text) => format!("({text})"),
            })
            .collect();
        (!parts.is_empty()).then(|| parts.join(" AND ").into())
    }

    fn update(&mut self, changes: &'a [Change]) -> Option<Cow<'a, str>> {
        let (mut set, mut add, mut remove) = (Vec::new(), Vec::new(), Vec::new());
        for change in changes {
            match change {
                Change::Set(name, value) => {
                    set.push(format!("{} = {}", self.name(name), self.value(value)));
                }
                Change::Add(name, value) => {
                    add.push(format!("{} {}", self.name(name), self.value(value)));
                }
                Change::Remove(name) => remove.push(self.name(name)),
                Change::Expression(text) => return Some(text.into()),
            }
        }
        let clause = |word: &str, parts: Vec<String>| {
            (!parts.is_empty()).then(|| format!("{word} {}", parts.join(", ")))
        };
        let clauses = [clause("SET", set), clause("ADD", add), clause("REMOVE", remove)];
        let clauses: Vec<_> = clauses.into_iter().flatten().collect();
        (!clauses.is_empty()).then(|| clauses.join(" ").into())
    }
}
