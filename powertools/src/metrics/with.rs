use std::time::SystemTime;

use serde::Serialize;

use super::Timer;
use super::labels::{Text, json};
use super::limits;
use super::measure::{counted, recorded};
use super::problem::{Kind, Problems};
use super::store::{self, Own};
use super::unit::Definition;
use super::value::Value;
use crate::clock::Clock;
use crate::invocation::Invocation;

/// A set for single values: those of the invocation and its record, and dimensions, properties and a
/// timestamp of its own. Created by [`with`](super::with()) and [`at`](super::at).
///
/// It changes nothing for other values, not even for those that are recorded concurrently.
///
/// ```
/// use powertools::metrics::{self, Unit};
///
/// let euros = metrics::with("Currency", "EUR");
/// euros.count("OrdersAccepted", 1);
/// euros.record("Revenue", 12.5, Unit::None);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "it is nothing without a value"]
pub struct With(Own);

impl With {
    /// Sets a dimension. One that CloudWatch does not take is dropped with a warning.
    pub fn with(mut self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        let mut problems = Problems::default();
        self.0.labels.set_dimension(name.into(), value.into(), &mut problems);
        store::report(problems);
        self
    }

    /// Sets a property. The values are on a line of their own.
    pub fn property(mut self, name: impl Into<Text>, value: impl Serialize) -> Self {
        let mut problems = Problems::default();
        self.0.labels.set_property(name.into(), json(&value), &mut problems);
        store::report(problems);
        self
    }

    /// Sets the timestamp.
    pub fn at(mut self, time: SystemTime) -> Self {
        let now = Invocation::with_current(|invocation| invocation.clock().now())
            .unwrap_or_else(|| Clock::system().now());
        let is_past = now.duration_since(time).is_ok_and(|age| age > limits::PAST);
        if is_past || time > now + limits::FUTURE {
            let mut problems = Problems::default();
            problems.push(Kind::Timestamp, "");
            store::report(problems);
        }
        self.0.timestamp = Some(time);
        self
    }

    /// Adds to a counter: see [`count`](super::count).
    pub fn count(&self, name: impl Into<Text>, by: impl Value) {
        store::record_current(Some(&self.0), counted(name.into(), &by));
    }

    /// Records a value: see [`record`](super::record).
    pub fn record(&self, name: impl Into<Text>, value: impl Value, unit: impl Into<Definition>) {
        store::record_current(Some(&self.0), recorded(name.into(), &value, unit.into()));
    }

    /// Starts a timer: see [`time`](super::time).
    pub fn time(&self, name: impl Into<Text>) -> Timer {
        Timer::start(name.into(), Some(self.0.clone()))
    }
}
