//! One line for a unit of work.

use std::fmt::Display;
use std::ops::{Deref, DerefMut};

use serde::Serialize;

use super::labels::{Text, display, json};
use super::measure::recorded;
use super::problem::{Kind, Problems};
use super::settings::of_the_process;
use super::store::{self, Own, Set, Store};
use super::unit::Definition;
use super::value::Value;
use crate::error::panic::catch;
use crate::invocation::Invocation;

/// What a unit of work measures, written as one line. [`#[derive(Metrics)]`](macro@super::Metrics)
/// implements it.
///
/// ```
/// use std::time::Duration;
/// use powertools::metrics::{MetricSet as _, Metrics};
///
/// #[derive(Default, Metrics)]
/// struct Checkout {
///     #[dimension]
///     channel: String,
///     #[property]
///     order_id: String,
///     #[unit(Milliseconds)]
///     charge: Duration,
///     #[unit(Count)]
///     items: u32,
/// }
///
/// let mut checkout = Checkout { channel: "web".into(), ..Default::default() }.emit_on_drop();
/// checkout.items = 3;
/// checkout.charge = Duration::from_millis(12);
/// drop(checkout); // one line, also where an error ends the work
/// ```
pub trait MetricSet {
    /// Puts all that it has on the line.
    fn describe(&self, line: &mut Line);

    /// Writes the line now, with the dimensions and the properties of the invocation and its record.
    ///
    /// It is not held back until the invocation ends: what was written survives when the function is
    /// killed.
    fn emit(&self) {
        let mut line = Line::default();
        self.describe(&mut line);
        line.write(Invocation::current().as_ref());
    }

    /// Returns a guard that writes the line when it is dropped.
    fn emit_on_drop(self) -> EmitOnDrop<Self>
    where
        Self: Sized,
    {
        EmitOnDrop { invocation: Invocation::current(), value: self }
    }
}

/// Writes its value as one line when it is dropped, for the invocation and the record in which it was
/// created. Created by [`MetricSet::emit_on_drop`].
#[derive(Debug)]
#[must_use = "the line is written when this is dropped"]
pub struct EmitOnDrop<T: MetricSet> {
    value: T,
    invocation: Option<Invocation>,
}

impl<T: MetricSet> Deref for EmitOnDrop<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: MetricSet> DerefMut for EmitOnDrop<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: MetricSet> Drop for EmitOnDrop<T> {
    fn drop(&mut self) {
        let mut line = Line::default();
        // A second panic while the work panics would end the process.
        match catch(|| self.value.describe(&mut line)) {
            Ok(()) => line.write(self.invocation.as_ref()),
            Err(panic) => {
                tracing::warn!(panic, "a line of metrics was not written: its values panicked")
            }
        }
    }
}

/// A line that is filled by a [`MetricSet`].
#[derive(Debug, Default)]
pub struct Line {
    own: Own,
    set: Set,
    problems: Problems,
    values: Vec<(Text, Definition, Vec<super::value::Observation>)>,
}

impl Line {
    /// Adds a dimension. One that CloudWatch does not take is dropped with a warning.
    pub fn dimension(&mut self, name: impl Into<Text>, value: impl Display) {
        let value = display(&value).into();
        self.own.labels.set_dimension(name.into(), value, &mut self.problems);
    }

    /// Adds a property.
    pub fn property(&mut self, name: impl Into<Text>, value: impl Serialize) {
        self.own.labels.set_property(name.into(), json(&value), &mut self.problems);
    }

    /// Adds the values of a metric.
    pub fn record(
        &mut self,
        name: impl Into<Text>,
        value: impl Value,
        unit: impl Into<Definition>,
    ) {
        self.values.push((name.into(), unit.into(), value.observations().collect()));
    }

    fn write(self, invocation: Option<&Invocation>) {
        let store = invocation.map(|invocation| invocation.local::<Store>());
        let settings = match store {
            Some(store) => store.settings(),
            None => of_the_process(),
        };
        if settings.is_silent || store::is_repeated(invocation) {
            return;
        }
        let Self { own, mut set, mut problems, values } = self;
        if !settings.has_namespace() {
            problems.push(Kind::NamespaceMissing, "");
            return problems.report(&settings.reported);
        }
        store::describe(&mut set, settings, invocation, Some(&own), &mut problems);
        for (name, definition, values) in values {
            set.add(&mut recorded(name, &*values, definition), &mut problems);
        }
        problems.report(&settings.reported);
        let properties = store.and_then(Store::properties);
        let clock = invocation.map(Invocation::clock);
        let mut sets = settings.pool.take();
        sets.push(set);
        store::write(settings, &mut sets, properties.as_deref(), clock);
        settings.pool.put(sets);
    }
}
