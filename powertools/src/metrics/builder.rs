use std::fmt;
use std::sync::Arc;

use super::environment::{self, Environment};
use super::settings::{Settings, Shared, head, is_environment_in_use, set_for_the_process};
use super::{Dimension, Error, Namespace, limits};
use crate::clock::Clock;
use crate::process::Writer;

/// The settings of the metrics.
///
/// The [environment](super#the-environment) overrides them, as it does for the logs.
///
/// ```
/// use powertools::metrics::{Dimension, Metrics, Namespace};
///
/// let metrics = Metrics::new()
///     .namespace(Namespace::from_static("Shop"))
///     .service("orders")
///     .dimension(Dimension::from_static("stage", "prod"))
///     .count_cold_starts();
/// ```
#[must_use = "settings do nothing until they are used"]
pub struct Metrics {
    namespace: Option<Namespace>,
    service: Option<String>,
    dimensions: Vec<Dimension>,
    function_name: Option<String>,
    counts_cold_starts: bool,
    writer: Writer,
    clock: Clock,
    environment: Environment,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            namespace: None,
            service: None,
            dimensions: Vec::new(),
            function_name: None,
            counts_cold_starts: false,
            writer: Writer::Stdout,
            clock: Clock::system(),
            environment: Environment::process(),
        }
    }
}

impl Metrics {
    /// Creates the default settings: lines to the standard output, with the namespace and the service
    /// of the environment.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the namespace. `POWERTOOLS_METRICS_NAMESPACE` overrides it.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// Sets the value of the dimension `service`, which metrics have no other way.
    /// `POWERTOOLS_SERVICE_NAME` overrides it.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Adds a dimension to all metrics of the process. One that an event or a record
    /// [sets](super::dimension) takes precedence over it.
    pub fn dimension(mut self, dimension: Dimension) -> Self {
        self.dimensions.retain(|known| known.name != dimension.name);
        self.dimensions.push(dimension);
        self
    }

    /// Writes the metric `ColdStart` for the first event of an environment, on a line of its own and
    /// before the handler runs. Its dimensions are `function_name`, `service`, and those of the
    /// [process](Self::dimension).
    pub fn count_cold_starts(mut self) -> Self {
        self.counts_cold_starts = true;
        self
    }

    /// Sets the value of the dimension `function_name` of `ColdStart`. Defaults to the function's
    /// name; `POWERTOOLS_METRICS_FUNCTION_NAME` overrides it.
    pub fn function_name(mut self, name: impl Into<String>) -> Self {
        self.function_name = Some(name.into());
        self
    }

    /// Passes each line, with its line break, to `write` instead of the standard output.
    ///
    /// `write` is called for whole lines, by several threads concurrently, and must not block for
    /// long.
    pub fn writer(mut self, write: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        self.writer = Writer::Custom(Box::new(write));
        self
    }

    /// Sets the clock of lines outside an invocation; inside, that of the
    /// [invocation](crate::Invocation::clock) is used.
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = clock.into();
        self
    }

    /// Reads these variables instead of those of the process: for tests.
    pub fn environment<N: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.environment = Environment::of(variables);
        self
    }

    /// Measures by these settings in the whole process.
    ///
    /// [`Powertools::metrics`](crate::Powertools) does this and more. Without these settings a
    /// process measures by the environment alone.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NamespaceMissing`] and [`Error::NamespaceInvalid`] for the namespace,
    /// [`Error::Setting`] for an invalid variable of the environment, [`Error::DimensionInvalid`] for
    /// an invalid name of the service, and [`Error::AlreadySet`] if the process has measured or was set
    /// up before.
    pub fn init(self) -> Result<(), Error> {
        let settings = self.build()?;
        match is_environment_in_use() {
            true => Err(Error::AlreadySet),
            false => set_for_the_process(settings),
        }
    }

    /// Decides by the environment. Where metrics are disabled, nothing needs a namespace.
    pub(super) fn build(self) -> Result<Shared, Error> {
        let mut failed = None;
        let settings = self.build_reporting(|error| {
            failed.get_or_insert(error);
        });
        match failed {
            Some(error) => Err(error),
            None if !settings.is_silent && !settings.has_namespace() => {
                Err(Error::NamespaceMissing)
            }
            None => Ok(Arc::new(settings)),
        }
    }

    /// Decides by the environment, without what is invalid in it.
    pub(super) fn build_reporting(self, mut report: impl FnMut(Error)) -> Settings {
        let environment = self.environment;
        let namespace = or_report(environment::namespace(&environment), &mut report);
        let is_silent = or_report(environment::disabled(&environment), &mut report);
        let service = environment::service(&environment).or(self.service);
        let service = or_report(service.map(checked).transpose(), &mut report);
        Settings {
            head: namespace.or(self.namespace).as_ref().map(head).unwrap_or_default(),
            service,
            dimensions: self.dimensions,
            function_name: environment::function_name(&environment).or(self.function_name),
            counts_cold_starts: self.counts_cold_starts,
            is_silent,
            level_above_info: environment.level_above_info(),
            writer: self.writer,
            clock: self.clock,
            reported: Default::default(),
            pool: Default::default(),
        }
    }
}

fn or_report<T: Default>(result: Result<T, Error>, report: &mut impl FnMut(Error)) -> T {
    result.unwrap_or_else(|error| {
        report(error);
        T::default()
    })
}

/// The name of a service that CloudWatch takes.
fn checked(service: String) -> Result<String, Error> {
    match limits::dimension_value(&service) {
        None => Ok(service),
        Some(reason) => Err(Error::DimensionInvalid { name: "service".to_owned(), reason }),
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("namespace", &self.namespace)
            .field("service", &self.service)
            .field("dimensions", &self.dimensions)
            .field("function_name", &self.function_name)
            .field("counts_cold_starts", &self.counts_cold_starts)
            .finish_non_exhaustive()
    }
}
