use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use crate::invocation::Invocation;
use crate::metrics::observer::Observed;
use crate::metrics::{self, Metrics, Namespace, Unit};

/// Creates a place that keeps the metrics of a function or a handler, for a test to read.
///
/// ```
/// use powertools::{metrics, testing};
///
/// let captured = testing::metrics();
/// captured.invocation(testing::invocation().build()).sync_scope(|| {
///     metrics::dimension("Currency", "EUR");
///     metrics::count("OrdersAccepted", 2);
/// });
///
/// assert_eq!(captured.sum("OrdersAccepted"), 2.0);
/// assert_eq!(captured.lines()[0].dimensions["Currency"], "EUR");
/// ```
#[must_use]
pub fn metrics() -> CapturedMetrics {
    CapturedMetrics::default()
}

/// The metrics of a test. Created by [`metrics()`]; clones share them.
#[derive(Clone, Debug, Default)]
pub struct CapturedMetrics(Arc<Mutex<Captured>>);

#[derive(Debug, Default)]
struct Captured {
    lines: Vec<String>,
    /// They have what is not written yet.
    invocations: Vec<Invocation>,
}

/// A line of metrics, as CloudWatch reads it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MetricLine {
    /// The namespace.
    pub namespace: String,
    /// In milliseconds since the epoch.
    pub timestamp: u64,
    /// The dimensions, by their names.
    pub dimensions: BTreeMap<String, String>,
    /// The values of each metric, by its name.
    pub metrics: BTreeMap<String, MetricValues>,
    /// The members of the line that are neither.
    pub properties: Map<String, Value>,
}

/// The values of a metric on a [`MetricLine`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MetricValues {
    /// The unit.
    pub unit: Unit,
    /// True for a resolution of 1 second.
    pub is_high_resolution: bool,
    /// All values, equal ones as often as they were recorded.
    pub values: Vec<f64>,
}

impl CapturedMetrics {
    /// Returns settings that keep all lines here, with the namespace `Test`, and read no environment:
    /// for [`Powertools::metrics`](crate::Powertools::metrics).
    pub fn settings(&self) -> Metrics {
        let captured = self.clone();
        Metrics::new().namespace(Namespace::from_static("Test")).environment([("", "")]).writer(
            move |line| captured.lock().lines.push(String::from_utf8_lossy(line).into_owned()),
        )
    }

    /// Makes an invocation measure for this test, and returns it.
    #[must_use]
    pub fn invocation(&self, invocation: Invocation) -> Invocation {
        Observed::new(self.settings()).event(&invocation);
        self.lock().invocations.push(invocation.clone());
        invocation
    }

    /// Returns all values of a metric, whatever their dimensions.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<f64> {
        let lines = self.lines().into_iter();
        lines
            .filter_map(|mut line| line.metrics.remove(name))
            .flat_map(|metric| metric.values)
            .collect()
    }

    /// Returns the sum of all values of a metric, whatever their dimensions.
    #[must_use]
    pub fn sum(&self, name: &str) -> f64 {
        self.values(name).into_iter().sum()
    }

    /// Returns all lines, in the order in which they were written.
    ///
    /// # Panics
    ///
    /// Panics if a line is not in the embedded metric format.
    #[must_use]
    pub fn lines(&self) -> Vec<MetricLine> {
        self.json_lines().iter().map(|line| MetricLine::parse(line)).collect()
    }

    /// Returns all lines as they were written.
    #[must_use]
    pub fn json_lines(&self) -> Vec<String> {
        let invocations = self.lock().invocations.clone();
        invocations.into_iter().for_each(|invocation| invocation.sync_scope(metrics::flush));
        self.lock().lines.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Captured> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MetricLine {
    /// Reads a line of the embedded metric format that has one set of dimensions, such as those that
    /// [`metrics`](crate::metrics) writes.
    ///
    /// # Panics
    ///
    /// Panics if it is none.
    #[must_use]
    pub fn parse(line: &str) -> Self {
        let read = || {
            let mut members: Map<String, Value> = serde_json::from_str(line).ok()?;
            let own = members.remove("_aws")?;
            let directive = &own["CloudWatchMetrics"][0];
            let mut dimensions = BTreeMap::new();
            for name in directive["Dimensions"][0].as_array()? {
                let name = name.as_str()?;
                dimensions.insert(name.to_owned(), members.remove(name)?.as_str()?.to_owned());
            }
            let mut metrics = BTreeMap::new();
            for definition in directive["Metrics"].as_array()? {
                let name = definition["Name"].as_str()?;
                let metric = MetricValues {
                    unit: definition["Unit"].as_str()?.parse().ok()?,
                    is_high_resolution: definition["StorageResolution"] == 1,
                    values: values(&members.remove(name)?)?,
                };
                metrics.insert(name.to_owned(), metric);
            }
            Some(Self {
                namespace: directive["Namespace"].as_str()?.to_owned(),
                timestamp: own["Timestamp"].as_u64()?,
                dimensions,
                metrics,
                properties: members,
            })
        };
        read().unwrap_or_else(|| panic!("it is not in the embedded metric format: {line}"))
    }
}

/// A number, an array of such, or `Values` with their `Counts`.
fn values(value: &Value) -> Option<Vec<f64>> {
    let numbers =
        |value: &Value| value.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<_>>>();
    if let Some(number) = value.as_f64() {
        return Some(vec![number]);
    }
    if let Some(numbers) = numbers(value) {
        return Some(numbers);
    }
    let (values, counts) = (numbers(&value["Values"])?, numbers(&value["Counts"])?);
    let each = values.into_iter().zip(counts);
    Some(each.flat_map(|(value, count)| std::iter::repeat_n(value, count as usize)).collect())
}
