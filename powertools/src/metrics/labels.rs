//! Dimensions and properties, of the event, of a record, and of a single value.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::limits;
use super::problem::{Kind, Problems};
use crate::invocation::Invocation;

pub(super) type Text = Cow<'static, str>;

/// Dimensions and properties, in the order in which they were set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Labels {
    pub(super) dimensions: Vec<(Text, Text)>,
    /// The values are JSON.
    pub(super) properties: Vec<(Text, String)>,
}

impl Labels {
    pub(super) fn is_empty(&self) -> bool {
        self.dimensions.is_empty() && self.properties.is_empty()
    }

    pub(super) fn set_dimension(&mut self, name: Text, value: Text, problems: &mut Problems) {
        if limits::dimension_name(&name).or_else(|| limits::dimension_value(&value)).is_some() {
            problems.push(Kind::DimensionInvalid, &name);
            return;
        }
        put(&mut self.dimensions, name, value);
    }

    pub(super) fn set_property(
        &mut self,
        name: Text,
        value: Option<String>,
        problems: &mut Problems,
    ) {
        match value {
            Some(value) if limits::property_name(&name).is_none() => {
                put(&mut self.properties, name, value);
            }
            _ => problems.push(Kind::PropertyInvalid, &name),
        }
    }
}

fn put<V>(list: &mut Vec<(Text, V)>, name: Text, value: V) {
    match list.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known = value,
        None => list.push((name, value)),
    }
}

/// The string of a value; empty where it cannot be written.
pub(super) fn display(value: &(impl Display + ?Sized)) -> String {
    let mut text = String::new();
    match write!(text, "{value}") {
        Ok(()) => text,
        Err(_) => String::new(),
    }
}

/// The JSON of a value, on one line.
pub(super) fn json(value: &(impl Serialize + ?Sized)) -> Option<String> {
    let json = serde_json::to_string(value).ok()?;
    // Raw values keep their line breaks, which are never inside a string.
    Some(if json.contains(['\n', '\r']) { json.replace(['\n', '\r'], " ") } else { json })
}

/// What was set for the event, or for one of its records.
#[derive(Default)]
pub(super) struct Scoped {
    /// Another one after each change; 0 before the first.
    version: AtomicU64,
    labels: Mutex<Labels>,
}

impl Scoped {
    pub(super) fn change(&self, change: impl FnOnce(&mut Labels)) {
        static VERSIONS: AtomicU64 = AtomicU64::new(1);

        let mut labels = self.lock();
        change(&mut labels);
        self.version.store(VERSIONS.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Labels> {
        self.labels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stands for all that is set for the event and for its record: equal where that is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ScopeKey([u64; 3]);

impl ScopeKey {
    #[inline]
    pub(super) fn of_event(event: &Scoped) -> Self {
        Self([event.version.load(Ordering::Relaxed), 0, 0])
    }

    /// Returns `None` for batches that are nested too deeply.
    pub(super) fn of_record(invocation: &Invocation, event: &Scoped) -> Option<Self> {
        let mut key = Self::of_event(event);
        for (index, scoped) in invocation.locals_of_records::<Scoped>().enumerate() {
            *key.0.get_mut(index + 1)? = scoped.version.load(Ordering::Relaxed);
        }
        Some(key)
    }
}
