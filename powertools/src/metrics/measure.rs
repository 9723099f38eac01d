//! The functions that measure.

use std::time::SystemTime;

use serde::Serialize;

use super::labels::{Text, json};
use super::problem::Problems;
use super::settings::of_the_process;
use super::store::{self, Entry, Place, Store};
use super::unit::Definition;
use super::value::Value;
use super::{Timer, Unit, With};
use crate::invocation::Invocation;

/// Adds to a counter.
///
/// A metric with the unit [`Count`](Unit::Count); CloudWatch's `Sum` is the total. A negative value is
/// dropped with a warning.
///
/// ```
/// use powertools::metrics;
///
/// metrics::count("OrdersAccepted", 1);
/// ```
#[inline]
pub fn count(name: impl Into<Text>, by: impl Value) {
    store::record_current(None, counted(name.into(), &by));
}

/// Adds one to a counter of the toolkit, if the function measures.
pub(crate) fn count_if_measured(name: &'static str) {
    let measures = match Invocation::with_current(store::has_namespace) {
        Some(Some(measures)) => measures,
        // This may call code of others, for which the invocation must not be borrowed.
        Some(None) => of_the_process().has_namespace(),
        None => false,
    };
    if measures {
        count(name, 1);
    }
}

/// Records a value: a number, a `Duration`, or an option or slice of such.
///
/// ```
/// use std::time::Duration;
/// use powertools::metrics::{self, Unit};
///
/// metrics::record("Basket", 3, Unit::Count);
/// metrics::record("Charge", Duration::from_micros(12_500), Unit::Milliseconds);
/// metrics::record("Lag", 1.5, Unit::Seconds.high_resolution());
/// ```
#[inline]
pub fn record(name: impl Into<Text>, value: impl Value, unit: impl Into<Definition>) {
    store::record_current(None, recorded(name.into(), &value, unit.into()));
}

/// Starts a timer that records the time until it is dropped, in milliseconds.
///
/// It is dropped by an error or a panic, too, and where its future is stopped.
///
/// ```
/// use powertools::metrics;
///
/// # async fn pay() -> Result<(), std::io::Error> { Ok(()) }
/// async fn charge() -> Result<(), std::io::Error> {
///     let _timer = metrics::time("Charge");
///     pay().await
/// }
/// ```
pub fn time(name: impl Into<Text>) -> Timer {
    Timer::start(name.into(), None)
}

/// Sets a dimension for all that is recorded from now on: in the handler of a record for that record,
/// else for the invocation. An existing one gets the new value.
///
/// What was recorded before keeps its dimensions. One that CloudWatch does not take is dropped with a
/// warning: see [`Dimension`](super::Dimension). Outside an invocation nothing happens;
/// [`with`] sets a dimension for a single value.
///
/// Each combination of values is a metric of its own in CloudWatch, and is billed as one. For what
/// only identifies, use a [`property`].
///
/// ```
/// use powertools::{metrics, testing};
///
/// testing::invocation().build().sync_scope(|| {
///     metrics::dimension("Currency", "EUR");
///     metrics::count("OrdersAccepted", 1); // of EUR
/// });
/// ```
pub fn dimension(name: impl Into<Text>, value: impl Into<Text>) {
    let (name, value) = (name.into(), value.into());
    change(|invocation, problems| {
        let (Place::Event(scoped) | Place::Record(scoped)) = Place::of(invocation);
        scoped.change(|labels| labels.set_dimension(name, value, problems));
    });
}

/// Sets a property, which is on the lines of the log but no part of a metric: what CloudWatch Logs
/// Insights finds a line by.
///
/// In the handler of a record it is on the lines of what that record records from now on, else on
/// all lines of the invocation that are still to be written. Outside an invocation nothing happens.
///
/// ```
/// use powertools::{metrics, testing};
///
/// testing::invocation().build().sync_scope(|| {
///     metrics::property("order_id", "o-1");
///     metrics::count("OrdersAccepted", 1);
/// });
/// ```
pub fn property(name: impl Into<Text>, value: impl Serialize) {
    let (name, value) = (name.into(), json(&value));
    change(|invocation, problems| match Place::of(invocation) {
        Place::Event(_) => {
            invocation.local::<Store>().set_property(name, value, problems);
        }
        Place::Record(scoped) => {
            scoped.change(|labels| labels.set_property(name, value, problems));
        }
    });
}

/// Returns a set with one more dimension, for single values.
///
/// ```
/// use powertools::metrics;
///
/// metrics::with("Currency", "EUR").with("Channel", "web").count("OrdersAccepted", 1);
/// ```
pub fn with(name: impl Into<Text>, value: impl Into<Text>) -> With {
    With::default().with(name, value)
}

/// Returns a set with a timestamp, for single values. Without one, values have the time at which
/// their line is written.
///
/// CloudWatch takes what is at most 14 days old and 2 hours ahead. Anything else is written with a
/// warning, and is in the log only.
///
/// ```
/// use std::time::Duration;
/// use powertools::{Clock, metrics};
///
/// let received = Clock::system().now() - Duration::from_secs(60);
/// metrics::at(received).count("OrdersReceived", 1);
/// ```
pub fn at(time: SystemTime) -> With {
    With::default().at(time)
}

/// Writes what the current invocation has recorded so far.
///
/// That is not needed where a handler ends, however it does. It is for long work that could be killed
/// before: blocking code that outlasts the timeout.
pub fn flush() {
    if let Some(invocation) = Invocation::current() {
        invocation.local::<Store>().flush();
    }
}

fn change(change: impl FnOnce(&Invocation, &mut Problems)) {
    let mut problems = Problems::default();
    Invocation::with_current(|invocation| change(invocation, &mut problems));
    store::report(problems);
}

pub(super) fn counted<'a>(
    name: Text,
    by: &'a (impl Value + ?Sized),
) -> Entry<impl Iterator<Item = super::value::Observation> + 'a> {
    let definition = Unit::Count.into();
    Entry { name, definition, values: by.observations(), is_count: true }
}

pub(super) fn recorded<'a>(
    name: Text,
    value: &'a (impl Value + ?Sized),
    definition: Definition,
) -> Entry<impl Iterator<Item = super::value::Observation> + 'a> {
    Entry { name, definition, values: value.observations(), is_count: false }
}
