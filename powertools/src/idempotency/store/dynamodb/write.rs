//! The writes of a commit as those of the SDK.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};

use crate::idempotency::transaction::{Action, Condition, Kind, Write};

/// An expression with the names and values that it needs. Those of the user keep their placeholders,
/// and ours begin with letters that the user's hardly do.
#[derive(Default)]
struct Expressions {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    count: usize,
}

impl Expressions {
    fn of(write: &Write) -> Self {
        let names = write.names.clone().into_iter().collect();
        let values = write.values.clone().into_iter().map(|(name, it)| (name, it.into())).collect();
        Self { names, values, count: 0 }
    }

    /// Returns a placeholder that nothing else uses.
    fn free(&mut self, sign: char) -> String {
        loop {
            let placeholder = format!("{sign}pt{}", self.count);
            self.count += 1;
            if !self.names.contains_key(&placeholder) && !self.values.contains_key(&placeholder) {
                return placeholder;
            }
        }
    }

    fn name(&mut self, attribute: &str) -> String {
        let placeholder = self.free('#');
        self.names.insert(placeholder.clone(), attribute.to_owned());
        placeholder
    }

    fn value(&mut self, value: &crate::idempotency::transaction::AttributeValue) -> String {
        let placeholder = self.free(':');
        self.values.insert(placeholder.clone(), value.clone().into());
        placeholder
    }

    fn condition(&mut self, conditions: &[Condition]) -> Option<String> {
        let parts: Vec<_> = conditions
            .iter()
            .map(|condition| match condition {
                Condition::Absent(name) => format!("attribute_not_exists({})", self.name(name)),
                Condition::Exists(name) => format!("attribute_exists({})", self.name(name)),
                Condition::Equals(name, value) => {
                    format!("{} = {}", self.name(name), self.value(value))
                }
                Condition::Expression(text) if conditions.len() == 1 => text.clone(),
                Condition::Expression(text) => format!("({text})"),
            })
            .collect();
        (!parts.is_empty()).then(|| parts.join(" AND "))
    }

    fn update(&mut self, actions: &[Action]) -> String {
        let (mut set, mut add, mut remove) = (Vec::new(), Vec::new(), Vec::new());
        for action in actions {
            match action {
                Action::Set(name, value) => {
                    set.push(format!("{} = {}", self.name(name), self.value(value)));
                }
                Action::Add(name, value) => {
                    add.push(format!("{} {}", self.name(name), self.value(value)));
                }
                Action::Remove(name) => remove.push(self.name(name)),
                Action::Expression(text) => return text.clone(),
            }
        }
        let clause = |word: &str, parts: Vec<String>| {
            (!parts.is_empty()).then(|| format!("{word} {}", parts.join(", ")))
        };
        let clauses = [clause("SET", set), clause("ADD", add), clause("REMOVE", remove)];
        clauses.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    fn names(&mut self) -> Option<HashMap<String, String>> {
        let names = std::mem::take(&mut self.names);
        (!names.is_empty()).then_some(names)
    }

    fn values(&mut self) -> Option<HashMap<String, AttributeValue>> {
        let values = std::mem::take(&mut self.values);
        (!values.is_empty()).then_some(values)
    }
}

/// Writes a write as the SDK's, which asks for the old item if its condition fails.
pub(super) fn action(write: &Write) -> Result<TransactWriteItem, BuildError> {
    let mut expressions = Expressions::of(write);
    let condition = expressions.condition(&write.conditions);
    let update = expressions.update(&write.actions);
    let (names, values) = (expressions.names(), expressions.values());
    let old = ReturnValuesOnConditionCheckFailure::AllOld;
    let key = Some(write.item.clone().into());
    let builder = TransactWriteItem::builder();
    let builder = match write.kind {
        Kind::Put => builder.put(
            Put::builder()
                .table_name(&write.table)
                .set_item(key)
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(old)
                .build()?,
        ),
        Kind::Update => builder.update(
            Update::builder()
                .table_name(&write.table)
                .set_key(key)
                .update_expression(update)
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(old)
                .build()?,
        ),
        Kind::Delete => builder.delete(
            Delete::builder()
                .table_name(&write.table)
                .set_key(key)
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(old)
                .build()?,
        ),
        Kind::Check => builder.condition_check(
            ConditionCheck::builder()
                .table_name(&write.table)
                .set_key(key)
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(old)
                .build()?,
        ),
    };
    Ok(builder.build())
}
