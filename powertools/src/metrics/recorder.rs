use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ::metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata,
    SharedString,
};

use super::{Unit, With};

/// A recorder for the facade of the crate [`metrics`](https://docs.rs/metrics): what other crates measure
/// by its macros is a part of the current invocation's metrics.
///
/// ```
/// use powertools::metrics::Recorder;
///
/// metrics::set_global_recorder(Recorder::new()).expect("there is no other recorder");
/// metrics::counter!("QueriesSent", "Table" => "orders").increment(1);
/// ```
///
/// | facade | here |
/// |---|---|
/// | a counter | [`count`](super::count()) by each increment; of one that is set, by what was added since it was set last |
/// | a gauge | its value, at each call |
/// | a histogram | [`record`](super::record()) |
/// | a label | a dimension of the value: each combination of labels is a metric of its own, and is billed as one |
/// | a unit | the unit of CloudWatch; nanoseconds are recorded as microseconds, and kibibytes and the like as bytes |
///
/// A counter is either incremented or set: increments before it is first set count again as a part of its value.
///
/// The value of a gauge, and the last value of a counter that is set, are kept for each combination of labels as
/// long as the process lives: no ids in their labels. The limits are those of the [module](super).
#[derive(Clone, Default)]
pub struct Recorder {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    units: Mutex<HashMap<String, Scale>>,
    gauges: Mutex<HashMap<Key, f64>>,
    counters: Mutex<HashMap<Key, u64>>,
}

/// A unit of CloudWatch, and how many of it are one of the facade's.
#[derive(Clone, Copy)]
struct Scale {
    unit: Unit,
    factor: f64,
}

/// A metric of the facade.
struct Metric {
    key: Key,
    shared: Arc<Shared>,
}

impl Recorder {
    /// Creates a recorder. A clone shares its gauges and units.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn metric(&self, key: &Key) -> Arc<Metric> {
        Arc::new(Metric { key: key.clone(), shared: self.shared.clone() })
    }

    fn describe(&self, name: &KeyName, unit: Option<::metrics::Unit>) {
        if let Some(scale) = unit.and_then(Scale::of) {
            lock(&self.shared.units).insert(name.as_str().to_owned(), scale);
        }
    }
}

impl ::metrics::Recorder for Recorder {
    fn describe_counter(&self, name: KeyName, unit: Option<::metrics::Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<::metrics::Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<::metrics::Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.metric(key).into()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.metric(key).into()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.metric(key).into()
    }
}

impl Metric {
    fn set(&self) -> With {
        let labels = self.key.labels();
        labels.fold(With::default(), |set, label| {
            set.with(label.key().to_owned(), label.value().to_owned())
        })
    }

    fn scale(&self) -> Option<Scale> {
        lock(&self.shared.units).get(self.key.name()).copied()
    }

    fn count(&self, value: u64) {
        match self.scale() {
            Some(Scale { unit, factor }) if unit != Unit::Count => {
                #[expect(clippy::cast_precision_loss, reason = "CloudWatch has floats")]
                let value = value as f64 * factor;
                self.set().record(self.key.name().to_owned(), value, unit);
            }
            _ => self.set().count(self.key.name().to_owned(), value),
        }
    }

    fn observe(&self, value: f64) {
        let Scale { unit, factor } =
            self.scale().unwrap_or(Scale { unit: Unit::None, factor: 1.0 });
        self.set().record(self.key.name().to_owned(), value * factor, unit);
    }

    /// Changes the value of a gauge, and records it.
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut gauges = lock(&self.shared.gauges);
        let value = gauges.entry(self.key.clone()).or_default();
        *value = change(*value);
        let value = *value;
        drop(gauges);
        self.observe(value);
    }
}

impl CounterFn for Metric {
    fn increment(&self, value: u64) {
        // Most counters are never set, and none of their labels is kept.
        if let Some(last) = lock(&self.shared.counters).get_mut(&self.key) {
            *last = last.saturating_add(value);
        }
        self.count(value);
    }

    fn absolute(&self, value: u64) {
        let mut counters = lock(&self.shared.counters);
        let last = counters.entry(self.key.clone()).or_default();
        let by = value.saturating_sub(*last);
        *last = value.max(*last);
        drop(counters);
        if by > 0 {
            self.count(by);
        }
    }
}

impl GaugeFn for Metric {
    fn increment(&self, value: f64) {
        self.change(|gauge| gauge + value);
    }

    fn decrement(&self, value: f64) {
        self.change(|gauge| gauge - value);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

impl HistogramFn for Metric {
    fn record(&self, value: f64) {
        self.observe(value);
    }
}

impl Scale {
    fn of(unit: ::metrics::Unit) -> Option<Self> {
        use ::metrics::Unit as Facade;

        const KIB: f64 = 1024.0;
        let scale = |unit, factor| Some(Self { unit, factor });
        match unit {
            Facade::Nanoseconds => scale(Unit::Microseconds, 1e-3),
            Facade::Kibibytes => scale(Unit::Bytes, KIB),
            Facade::Mebibytes => scale(Unit::Bytes, KIB * KIB),
            Facade::Gibibytes => scale(Unit::Bytes, KIB * KIB * KIB),
            Facade::Tebibytes => scale(Unit::Bytes, KIB * KIB * KIB * KIB),
            Facade::Count => scale(Unit::Count, 1.0),
            Facade::Percent => scale(Unit::Percent, 1.0),
            Facade::Seconds => scale(Unit::Seconds, 1.0),
            Facade::Milliseconds => scale(Unit::Milliseconds, 1.0),
            Facade::Microseconds => scale(Unit::Microseconds, 1.0),
            Facade::Bytes => scale(Unit::Bytes, 1.0),
            Facade::TerabitsPerSecond => scale(Unit::TerabitsPerSecond, 1.0),
            Facade::GigabitsPerSecond => scale(Unit::GigabitsPerSecond, 1.0),
            Facade::MegabitsPerSecond => scale(Unit::MegabitsPerSecond, 1.0),
            Facade::KilobitsPerSecond => scale(Unit::KilobitsPerSecond, 1.0),
            Facade::BitsPerSecond => scale(Unit::BitsPerSecond, 1.0),
            Facade::CountPerSecond => scale(Unit::CountPerSecond, 1.0),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}
