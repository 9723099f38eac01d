use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use powertools::macro_support::otel::Environment;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::core::Core;
use crate::settings::{Destination, Settings, When};

/// Spans of a function, and where they go. See the [crate](crate).
///
/// The [variables of OpenTelemetry](crate#the-environment) take precedence over what is set in code.
///
/// Clones share everything.
#[derive(Clone)]
#[must_use = "spans are made by a function that has this among its lifecycle values"]
pub struct Otel {
    settings: Settings,
    core: Arc<OnceLock<Core>>,
}

impl Default for Otel {
    fn default() -> Self {
        Self::new()
    }
}

impl Otel {
    /// Sends spans to a collector at `OTEL_EXPORTER_OTLP_ENDPOINT`, by default `http://localhost:4318`,
    /// before each reply.
    pub fn new() -> Self {
        Self::with(Destination::Collector(None))
    }

    /// Sends spans to the collector at `url`, unless a variable names another one. `/v1/traces` is added to
    /// it.
    ///
    /// If `url` is invalid, no span is sent, and a warning at the start contains the reason.
    pub fn collector(url: impl Into<String>) -> Self {
        Self::with(Destination::Collector(Some(url.into())))
    }

    /// Sends spans to X-Ray's own endpoint of the region, which stores them by the rules of CloudWatch's
    /// Transaction Search: that has to be enabled for the account. Requests are signed with the
    /// function's credentials, which need the permission `xray:PutTraceSegments`.
    ///
    /// Needs the feature `xray`.
    #[cfg(feature = "xray")]
    pub fn xray() -> Self {
        Self::with(Destination::XRay)
    }

    /// Writes spans to the standard output, for a forwarder that reads the logs. A flush is one line of
    /// JSON in the form of `otlp-stdout-span-exporter`: the compressed protobuf in base64. It has no level,
    /// so that Lambda can drop it where the level of its own setting, `AWS_LAMBDA_LOG_LEVEL`, is above INFO.
    pub fn stdout() -> Self {
        Self::with(Destination::Stdout)
    }

    fn with(to: Destination) -> Self {
        let settings = Settings {
            to,
            when: When::BeforeReply,
            service: None,
            level: LevelFilter::INFO,
            redacted: Vec::new(),
            environment: Environment::process(),
        };
        Self { settings, core: Arc::default() }
    }

    /// Sets the name of the service. `OTEL_SERVICE_NAME` and `POWERTOOLS_SERVICE_NAME` override it.
    /// Defaults to the name of the function.
    pub fn service(self, name: impl Into<String>) -> Self {
        self.change(|settings| settings.service = Some(name.into()))
    }

    /// Sets the least severe level of the spans and events that are recorded. Defaults to INFO.
    ///
    /// It has no effect on the logs, nor has their level on it. Spans of `hyper`, `h2`, `rustls`, `tower`,
    /// the runtime and OpenTelemetry are never recorded.
    pub fn level(self, level: Level) -> Self {
        self.change(|settings| settings.level = LevelFilter::from_level(level))
    }

    /// Redacts the values of attributes with these names, in addition to those that the
    /// [logs](powertools::logging::Logging::redact) redact: `*****` is sent instead. The case of
    /// letters does not matter.
    pub fn redact<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        self.change(|settings| settings.redacted.extend(names.into_iter().map(Into::into)))
    }

    /// Sends the spans of an event before its reply, which waits for it. The default.
    ///
    /// Nothing is lost, and the caller waits for the collector.
    pub fn before_reply(self) -> Self {
        self.change(|settings| settings.when = When::BeforeReply)
    }

    /// Sends the spans of an event after its reply, before the next event.
    ///
    /// The caller does not wait. The invocation lasts as long as before, and its spans are lost if the
    /// environment ends with the reply. A streamed response replies with its first byte; its spans go
    /// when its body has ended.
    pub fn after_reply(self) -> Self {
        self.change(|settings| settings.when = When::AfterReply)
    }

    /// Sends spans by an interval, and the rest when the environment ends: for Lambda Managed Instances,
    /// which run between events.
    ///
    /// In other functions the process is frozen between events: spans then wait for the next event that
    /// lasts until the interval has passed. The function registers an extension, as with
    /// [`on_shutdown`](powertools::Powertools::on_shutdown).
    pub fn every(self, interval: Duration) -> Self {
        self.change(|settings| settings.when = When::Every(interval))
    }

    /// Reads these variables instead of those of the process: for tests.
    pub fn environment<N: Into<String>, V: Into<String>>(
        self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.change(|settings| settings.environment = Environment::of(variables))
    }

    fn change(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        Self { settings: self.settings, core: Arc::default() }
    }

    /// Creates the layer for a subscriber of your own, which the function has to set before it
    /// [runs](powertools::Powertools::run).
    ///
    /// Without one, `Powertools` sets a subscriber with this layer and that of the logs.
    ///
    /// ```no_run
    /// use lambda_runtime::{Error, LambdaEvent};
    /// use powertools::Powertools;
    /// use powertools::logging::Logging;
    /// use powertools_otel::Otel;
    /// use tracing_subscriber::prelude::*;
    ///
    /// async fn handle(event: LambdaEvent<String>) -> Result<usize, Error> {
    ///     Ok(event.payload.len())
    /// }
    ///
    /// #[tokio::main]
    /// async fn main() -> Result<(), Error> {
    ///     let otel = Otel::new();
    ///     tracing_subscriber::registry().with(otel.layer()).with(Logging::new().layer()?).init();
    ///     Powertools::new(handle).lifecycle(otel).run().await
    /// }
    /// ```
    #[must_use]
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        self.core().layer()
    }

    pub(crate) fn core(&self) -> &Core {
        self.core.get_or_init(|| Core::new(self.settings.clone()))
    }

    pub(crate) fn when(&self) -> When {
        self.settings.when
    }
}

impl fmt::Debug for Otel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL can have a password in it.
        let Settings { when, service, level, redacted, .. } = &self.settings;
        f.debug_struct("Otel")
            .field("when", when)
            .field("service", service)
            .field("level", level)
            .field("redacted", redacted)
            .finish_non_exhaustive()
    }
}
