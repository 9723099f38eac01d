use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// The parts of a conditional write that go by placeholders. Nothing in it is about sending, so
/// that it fits into a transaction as well.
#[derive(Debug, Default)]
pub(super) struct Update {
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
    assignments: Vec<String>,
}

impl Update {
    pub(super) fn name(&mut self, placeholder: &str, attribute: &str) {
        self.names.insert(placeholder.to_owned(), attribute.to_owned());
    }

    pub(super) fn value(&mut self, placeholder: &str, value: AttributeValue) {
        self.values.insert(placeholder.to_owned(), value);
    }

    /// Sets `attribute`, which `name` stands for, to the value that `placeholder` stands for.
    pub(super) fn set(
        &mut self,
        name: &str,
        attribute: &str,
        placeholder: &str,
        value: AttributeValue,
    ) {
        self.assignments.push(format!("{name} = {placeholder}"));
        self.name(name, attribute);
        self.value(placeholder, value);
    }

    pub(super) fn expression(&self) -> String {
        format!("SET {}", self.assignments.join(", "))
    }
}
