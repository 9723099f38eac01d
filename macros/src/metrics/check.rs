//! Checks of fields that could be parsed.

use std::collections::HashSet;

use syn::{DeriveInput, Error, Result};

use super::parse::{Field, Kind};

/// Rejects metrics that would not be written as intended.
pub(super) fn check(input: &DeriveInput, fields: &[Field]) -> Result<()> {
    check_names(fields)?;
    if !fields.iter().any(|field| matches!(field.kind, Kind::Metric { .. })) {
        return Err(Error::new_spanned(&input.ident, EMPTY));
    }
    Ok(())
}

/// Rejects the names that would be dropped when the function runs.
fn check_names(fields: &[Field]) -> Result<()> {
    let mut names = HashSet::new();
    for Field { name, kind, .. } in fields {
        let text = name.value();
        let limit = match kind {
            Kind::Dimension => 250,
            Kind::Property => usize::MAX,
            Kind::Metric { .. } => 1024,
        };
        let problem = if text.trim().is_empty() {
            "the name is blank"
        } else if text == "_aws" {
            "the name belongs to the format"
        } else if text.chars().any(char::is_control) {
            "the name has a control character"
        } else if text.chars().count() > limit {
            "the name is too long: a metric has 1,024 characters, a dimension 250"
        } else if matches!(kind, Kind::Dimension) && text.starts_with(':') {
            "the name of a dimension does not begin with a colon"
        } else if !names.insert(text) {
            "another field has this name"
        } else {
            continue;
        };
        return Err(Error::new_spanned(name, problem));
    }
    let dimensions = fields.iter().filter(|field| matches!(field.kind, Kind::Dimension));
    match dimensions.map(|field| &field.name).nth(30) {
        Some(name) => Err(Error::new_spanned(name, "a metric has at most 30 dimensions")),
        None => Ok(()),
    }
}

const EMPTY: &str = "there is no metric among the fields: a metric has a `#[unit(…)]`";
