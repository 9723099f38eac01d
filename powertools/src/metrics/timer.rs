use std::time::Duration;

use tokio::time::Instant;

use super::labels::Text;
use super::measure::recorded;
use super::store::{self, Own};
use super::unit::{Definition, Unit};
use crate::invocation::Invocation;

/// Records the time until it is dropped. Created by [`time`](super::time).
///
/// The value belongs to the invocation and the record in which the timer was started, wherever it is
/// dropped.
#[derive(Debug)]
#[must_use = "a timer that is not kept records no time"]
pub struct Timer {
    /// `None` when it does not record.
    name: Option<Text>,
    definition: Definition,
    own: Option<Own>,
    started: Instant,
    invocation: Option<Invocation>,
}

impl Timer {
    pub(super) fn start(name: Text, own: Option<Own>) -> Self {
        Self {
            name: Some(name),
            definition: Unit::Milliseconds.into(),
            own,
            started: Instant::now(),
            invocation: Invocation::current(),
        }
    }

    /// Sets the unit, which must be one of time. Defaults to milliseconds.
    pub fn unit(mut self, unit: impl Into<Definition>) -> Self {
        self.definition = unit.into();
        self
    }

    /// Records the time now, and returns it.
    pub fn stop(mut self) -> Duration {
        self.record()
    }

    /// Records nothing.
    pub fn discard(mut self) {
        self.name = None;
    }

    fn record(&mut self) -> Duration {
        let elapsed = self.started.elapsed();
        if let Some(name) = self.name.take() {
            let mut entry = recorded(name, &elapsed, self.definition);
            store::record(self.invocation.as_ref(), self.own.as_ref(), entry.erased());
        }
        elapsed
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.record();
    }
}
