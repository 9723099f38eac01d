//! Tables in memory, on which commits act.

use std::collections::BTreeMap;

use crate::idempotency::store::{StoreError, StoreErrorKind};
use crate::idempotency::transaction::{
    Action, AttributeValue, Condition, Item, Kind, Write, name_of,
};

#[derive(Debug, Default)]
pub(super) struct Tables(BTreeMap<String, Table>);

#[derive(Debug)]
struct Table {
    key: Vec<String>,
    items: Vec<Item>,
}

/// A write that can be applied: its table, the place of the existing item, and the new item.
pub(super) struct Change {
    table: String,
    place: Option<usize>,
    item: Option<Item>,
}

/// Why a write cannot be applied.
pub(super) enum Refusal {
    Condition(Option<Item>),
    Invalid(String),
}

impl Tables {
    pub(super) fn create(&mut self, name: String, key: Vec<String>) {
        self.0.insert(name, Table { key, items: Vec::new() });
    }

    pub(super) fn key_of(&self, table: &str) -> Option<Vec<String>> {
        self.0.get(table).map(|table| table.key.clone())
    }

    pub(super) fn items(&self, table: &str) -> Vec<Item> {
        let Some(table) = self.0.get(table) else { return Vec::new() };
        table.items.clone()
    }

    pub(super) fn put(&mut self, table: &str, item: Item) -> Result<(), StoreError> {
        let (place, _) = self.find(table, &item, false)?;
        self.apply(Change { table: table.to_owned(), place, item: Some(item) });
        Ok(())
    }

    /// Evaluates a write without applying it.
    pub(super) fn prepare(&self, write: &Write) -> Result<Result<Change, Refusal>, StoreError> {
        let table = name_of(&write.table);
        let (place, existing) = self.find(table, &write.item, write.kind != Kind::Put)?;
        if !write.conditions.iter().all(|condition| holds(condition, existing)) {
            return Ok(Err(Refusal::Condition(existing.cloned())));
        }
        let item = match write.kind {
            Kind::Put => Some(write.item.clone()),
            Kind::Delete => None,
            Kind::Check => existing.cloned(),
            Kind::Update => {
                let mut item = existing.unwrap_or(&write.item).clone();
                if let Err(reason) = write.actions.iter().try_for_each(|it| apply(&mut item, it)) {
                    return Ok(Err(Refusal::Invalid(reason)));
                }
                Some(item)
            }
        };
        Ok(Ok(Change { table: table.to_owned(), place, item }))
    }

    pub(super) fn apply(&mut self, change: Change) {
        let Some(table) = self.0.get_mut(&change.table) else { return };
        match (change.place, change.item) {
            (Some(place), Some(item)) => table.items[place] = item,
            // Not removed yet, since other changes of the transaction identify items by their place.
            (Some(place), None) => table.items[place] = Item::new(),
            (None, Some(item)) => table.items.push(item),
            (None, None) => {}
        }
    }

    /// Removes the items that were deleted.
    pub(super) fn remove_deleted(&mut self) {
        for table in self.0.values_mut() {
            table.items.retain(|item| !item.is_empty());
        }
    }

    /// Finds the item with the key of `item`, which contains nothing else if `is_key`.
    fn find(
        &self,
        table: &str,
        item: &Item,
        is_key: bool,
    ) -> Result<(Option<usize>, Option<&Item>), StoreError> {
        let Some(Table { key, items }) = self.0.get(table) else {
            let message = format!("table `{table}` does not exist in memory");
            return Err(StoreError::new(StoreErrorKind::NotFound, message));
        };
        let has_key = key.iter().all(|name| item.get(name).is_some());
        if !has_key || (is_key && item.iter().count() != key.len()) {
            let message = format!("the key of table `{table}` is `{}`", key.join("` and `"));
            return Err(StoreError::new(StoreErrorKind::Invalid, message));
        }
        let same = |other: &Item| {
            key.iter().all(|name| match (item.get(name), other.get(name)) {
                (Some(a), Some(b)) => a.equals(b),
                _ => false,
            })
        };
        let place = items.iter().position(same);
        Ok((place, place.map(|place| &items[place])))
    }
}

fn holds(condition: &Condition, existing: Option<&Item>) -> bool {
    let value = |name: &str| existing.and_then(|item| item.get(name));
    match condition {
        Condition::Absent(name) => value(name).is_none(),
        Condition::Exists(name) => value(name).is_some(),
        Condition::Equals(name, wanted) => value(name).is_some_and(|found| found.equals(wanted)),
        Condition::Expression(_) => false,
    }
}

fn apply(item: &mut Item, action: &Action) -> Result<(), String> {
    let attributes = item.attributes();
    match action {
        Action::Set(name, value) => {
            attributes.insert(name.clone(), value.clone());
        }
        Action::Remove(name) => {
            attributes.remove(name);
        }
        Action::Add(name, AttributeValue::N(more)) => {
            let sum = match attributes.get(name) {
                None => more.clone(),
                Some(AttributeValue::N(number)) => integer(number)?
                    .checked_add(integer(more)?)
                    .ok_or("the sum is too large for the store in memory")?
                    .to_string(),
                Some(other) => return Err(format!("`{name}` is not a number: {other:?}")),
            };
            attributes.insert(name.clone(), AttributeValue::N(sum));
        }
        Action::Add(name, _) => {
            return Err(format!("the store in memory adds only numbers to `{name}`"));
        }
        Action::Expression(_) => {
            return Err("the store in memory evaluates no expressions".to_owned());
        }
    }
    Ok(())
}

fn integer(number: &str) -> Result<i128, String> {
    number.parse().map_err(|_| "the store in memory adds only whole numbers".to_owned())
}
