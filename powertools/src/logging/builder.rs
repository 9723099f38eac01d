use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use super::correlation::Source;
use super::environment::Environment;
use super::filter::admission::Admission;
use super::line::redact::Redaction;
use super::output::Output;
use super::settings::{Settings, Shared};
use super::{Error, Format, Level, start};
use crate::clock::Clock;
use crate::process::Writer;

/// The smallest and the largest limit of a line: a CloudWatch event has at most 1 MB.
const LINE_LIMITS: std::ops::RangeInclusive<usize> = 1024..=1024 * 1024;

/// The settings of the logs.
///
/// The [environment](super#the-environment) overrides them, so that a function can log more without
/// being built again.
///
/// ```no_run
/// use powertools::logging::{Level, Logging, correlation};
///
/// # fn main() -> Result<(), powertools::logging::Error> {
/// Logging::new()
///     .service("orders")
///     .level(Level::Warn)
///     .key("stage", "prod")
///     .redact(["password", "authorization"])
///     .correlation_id(correlation::API_GATEWAY_HTTP)
///     .buffer(20 * 1024)
///     .init()
/// # }
/// ```
#[must_use = "settings do nothing until they are used"]
pub struct Logging {
    service: Option<String>,
    level: Level,
    filter: String,
    format: Format,
    keys: Vec<(String, Result<String, serde_json::Error>)>,
    redaction: Redaction,
    sample_rate: f64,
    buffer: usize,
    line_limit: usize,
    event: bool,
    event_limit: usize,
    correlation: Option<Source>,
    writer: Writer,
    together: bool,
    clock: Clock,
    environment: Environment,
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            service: None,
            level: Level::Info,
            filter: String::new(),
            format: Format::Json,
            keys: Vec::new(),
            redaction: Redaction::default(),
            sample_rate: 0.0,
            buffer: 0,
            line_limit: 256 * 1024,
            event: false,
            event_limit: 64 * 1024,
            correlation: None,
            writer: Writer::Stdout,
            together: false,
            clock: Clock::system(),
            environment: Environment::process(),
        }
    }
}

impl Logging {
    /// Creates the default settings: JSON lines to the standard output from INFO on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of `service`: `service_undefined` by default, as in the other toolkits.
    /// `POWERTOOLS_SERVICE_NAME` overrides it.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Sets the level of targets that the [filter](Self::filter) does not name: INFO by default.
    /// `LOG_LEVEL` overrides it, `POWERTOOLS_LOG_LEVEL` overrides both, and `AWS_LAMBDA_LOG_LEVEL`
    /// all three.
    ///
    /// Below INFO it applies to your code only: [libraries](super#the-environment) stay at INFO
    /// unless the filter names them. [`Level::Fatal`] admits nothing, whatever the filter has.
    ///
    /// Spans are kept from INFO on at every level, so that an error's line has their fields.
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Sets the levels of single targets, as in `orders=debug,hyper=warn`. `POWERTOOLS_LOG_FILTER` overrides
    /// it.
    ///
    /// With the feature `env-filter` it can name spans and their fields too, in the syntax of
    /// [`EnvFilter`](https://docs.rs/tracing-subscriber/latest/tracing_subscriber/filter/struct.EnvFilter.html):
    /// `[order{id=7}]=debug`. Without the feature that is an error at the start.
    ///
    /// A level without a target, as in `warn,orders=debug`, overrides [`level`](Self::level), and
    /// the variables that set a level override both.
    ///
    /// Sampling and buffering leave a target alone that is named here.
    pub fn filter(mut self, directives: impl Into<String>) -> Self {
        self.filter = directives.into();
        self
    }

    /// Sets whether lines are JSON or for people. `POWERTOOLS_LOG_FORMAT`, which is `json` or `text`,
    /// overrides it.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Adds a key to every line of the process, such as the stage or the version.
    ///
    /// Keys of one invocation are for [`append`](super::append).
    pub fn key(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.keys.push((name.into(), serde_json::to_string(&value)));
        self
    }

    /// Adds names whose values are redacted: `"*****"` is written in their place.
    ///
    /// They apply to fields, keys and the members of [`json`](super::json) values, appended values
    /// and the event, at any depth; upper and lower case are the same. A string in those that is JSON
    /// itself, such as the `body` of an API Gateway event, is searched as well. In the `Debug` form
    /// of a value they apply to fields of structs, to keys of maps and to strings that are JSON.
    ///
    /// Other text is not searched: the message, a `Display` form, an error, and a body that is not
    /// wholly JSON, such as a form or what is encoded in Base64; nor are numbers that are bytes of a
    /// text. In a `Debug` form of your own, a value without quotes or brackets ends at its first
    /// comma.
    pub fn redact<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        names.into_iter().for_each(|name| self.redaction.add(name.as_ref()));
        self
    }

    /// Sets the share of the invocations, from 0 to 1, whose DEBUG lines are written although the
    /// level is above. 0 by default. `POWERTOOLS_LOGGER_SAMPLE_RATE` overrides it.
    ///
    /// It is decided once for each request id, so that a retry of the same event decides the same.
    /// Every line then has `sampling_rate`, and every line of an invocation `sampled` with the
    /// decision.
    pub fn sample_rate(mut self, rate: f64) -> Self {
        self.sample_rate = rate;
        self
    }

    /// Keeps the last DEBUG lines of each invocation, up to `bytes`, and writes them
    /// after a failure: before the first line at ERROR, and when the handler fails, panics or is
    /// dropped. Defaults to 0, which keeps none; the other toolkits keep 20 KiB.
    ///
    /// The lines of a [record](super#records-of-a-batch) are written when that record fails or logs
    /// an error, and with the rest when the handler fails. The line about a record that fails, at WARN,
    /// is kept and written with them where the level is ERROR.
    ///
    /// If lines do not fit, the oldest are dropped and a warning contains their number.
    ///
    /// Neither this nor sampling takes the lines of the crates `hyper`, `h2`, `rustls`, `tower`,
    /// their helpers, the runtime and the AWS SDK, or of a target that the [filter](Self::filter)
    /// names.
    pub fn buffer(mut self, bytes: usize) -> Self {
        self.buffer = bytes;
        self
    }

    /// Sets the length of a line in bytes: 256 KiB by default, 1 KiB to 1 MiB.
    ///
    /// In a line that would be longer, the longest values are truncated, and `"truncated":true` is
    /// added. It remains valid JSON, and keeps the identifiers of its invocation. The message and an
    /// error receive half of the rest if they need it, and the other fields share the remainder; if
    /// there are too many fields for that, the last ones are omitted.
    ///
    /// The spaces and line breaks of `POWERTOOLS_DEV` are not counted.
    pub fn line_limit(mut self, bytes: usize) -> Self {
        self.line_limit = bytes;
        self
    }

    /// Writes a line with the event itself for each invocation, at INFO. Off by default: an event
    /// can have up to 6 MB, and its personal data would be in the log. The runtime's own line with
    /// the event, at TRACE, is never written, since nothing in it is redacted or truncated.
    /// `POWERTOOLS_LOGGER_LOG_EVENT` overrides it.
    pub fn event(mut self, on: bool) -> Self {
        self.event = on;
        self
    }

    /// Sets how many bytes of an event are logged, here and by [`log_event`](super::log_event):
    /// 64 KiB by default. A longer one becomes a string with its beginning, and `event_bytes` has the
    /// length that it would have had in the line: without spaces, and with `"*****"` for what is
    /// hidden.
    pub fn event_limit(mut self, bytes: usize) -> Self {
        self.event_limit = bytes;
        self
    }

    /// Takes `correlation_id` from the event, by a JSON pointer (RFC 6901) such as those in
    /// [`correlation`](super::correlation), or by a `JmesPath` with the feature `jmespath`. An id
    /// longer than 256 bytes is truncated.
    ///
    /// It works with [`Powertools`](crate::Powertools), where the event is known before it is
    /// parsed.
    pub fn correlation_id(mut self, source: impl Into<Source>) -> Self {
        self.correlation = Some(source.into());
        self
    }

    /// Takes `correlation_id` from what `find` makes of the event: a type with those members that
    /// it needs. An event for which it panics has none, and a warning.
    ///
    /// ```
    /// use powertools::logging::Logging;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Order { id: u32 }
    ///
    /// let logging = Logging::new().correlation_id_by(|order: Order| Some(order.id.to_string()));
    /// ```
    pub fn correlation_id_by<T: DeserializeOwned>(
        mut self,
        find: impl Fn(T) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.correlation = Some(Source::by(find));
        self
    }

    /// Passes each line, with its line break, to `write` instead of the standard output.
    ///
    /// `write` is called for whole lines, by several threads concurrently, and must not block for
    /// long. Nor must it panic: the line of a panic is written during the panic, and a second one
    /// ends the process. With [`together`](Self::together) it receives several whole lines at once.
    pub fn writer(mut self, write: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        self.writer = Writer::Custom(Box::new(write));
        self
    }

    /// Writes the lines of a handler together, since writing takes most of the time of a line. Off by
    /// default.
    ///
    /// Lines below WARN are held until a line at WARN or above, a panic, 64 KiB of lines, the end of
    /// the handler, which is before the reply, or until a time guard stops work; and for 50 ms at
    /// most. Up to 4 KiB of whole lines make one write. Lines outside of a handler, such as those of
    /// the initialisation and of tasks that outlive their invocation, are written at once. A handler that
    /// begins after another one of the same invocation has ended counts as such a task.
    ///
    /// A process that is killed loses the lines that it holds: those below WARN of its last 50 ms,
    /// and less than 64 KiB of them. Lambda kills a function that runs into its timeout or out of
    /// memory; the time guard of [`Powertools`](crate::Powertools) comes before the timeout.
    /// `std::process::exit` and an abort without a panic lose the same. So does a panic under
    /// `panic = "abort"` if the program sets its own subscriber, with [`layer`](Self::layer) in it, and
    /// does not call [`log_panics`](super::log_panics).
    ///
    /// A thread of its own, which starts with the first line that is held, keeps the 50 ms, also
    /// where the handler blocks its thread. What the program prints by other means can come before
    /// earlier lines.
    ///
    /// A handler is one under [`Powertools::logging`](crate::Powertools::logging),
    /// [`observe`](super::observe), [`LoggingLayer`](super::LoggingLayer) or `#[logged]`.
    pub fn together(mut self, on: bool) -> Self {
        self.together = on;
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

    /// Creates the layer for `tracing-subscriber`'s registry, which can also have those of other crates.
    ///
    /// [`init`](Self::init) does this and all the rest: with the layer alone, panics are logged
    /// only if the program calls [`log_panics`](super::log_panics).
    ///
    /// # Errors
    ///
    /// Returns [`Error::Setting`] for an invalid setting, in code or in the environment.
    ///
    /// # Examples
    ///
    /// ```
    /// use powertools::logging::{self, Logging};
    /// use tracing_subscriber::layer::SubscriberExt;
    ///
    /// # fn main() -> Result<(), powertools::logging::Error> {
    /// let subscriber = tracing_subscriber::registry().with(Logging::new().layer()?);
    /// # let _ = subscriber;
    /// logging::log_panics();
    /// # Ok(()) }
    /// ```
    pub fn layer<S>(self) -> Result<impl Layer<S> + Send + Sync + 'static, Error>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let (settings, warnings) = self.build()?;
        start::warn(&settings, &warnings);
        Ok(start::layer(settings))
    }

    /// Sets up logging for the process by these settings, panics included.
    ///
    /// Call it first in `main`: earlier lines are lost.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Setting`] for an invalid setting, in code or in the environment, and
    /// [`Error::AlreadySet`] if the process has a `tracing` subscriber.
    pub fn init(self) -> Result<(), Error> {
        let (settings, warnings) = self.build()?;
        start::init(settings, &warnings)
    }

    /// Decides by the environment, and finds what is worth a warning.
    pub(super) fn build(self) -> Result<(Shared, Vec<String>), Error> {
        let environment = self.environment;
        let mut warnings = Vec::new();
        let sample_rate = environment.sample_rate()?.unwrap_or(self.sample_rate);
        if !(0.0..=1.0).contains(&sample_rate) {
            let reason = "a rate is a number from 0 to 1";
            return Err(Error::setting("sample_rate", sample_rate.to_string(), reason));
        }
        if !LINE_LIMITS.contains(&self.line_limit) {
            let reason = "a line has 1 KiB to 1 MiB";
            return Err(Error::setting("line_limit", self.line_limit.to_string(), reason));
        }
        let mut keys = Vec::new();
        for (name, value) in self.keys {
            match value {
                Ok(value) => keys.push((name, value)),
                Err(error) => return Err(Error::setting("key", name, error.to_string())),
            }
        }
        let levels = environment.levels(self.level, &mut warnings)?;
        let debug = sample_rate > 0.0 || self.buffer > 0;
        let filter = environment.filter(self.filter, levels);
        let admission = Admission::new(levels, filter, debug, &mut warnings)?;
        let mut settings = Settings {
            admission,
            format: environment.format()?.unwrap_or(self.format),
            indented: environment.dev()?,
            service: Vec::new(),
            persistent: Default::default(),
            beside_ids: Default::default(),
            redaction: self.redaction,
            sample_rate,
            buffer: self.buffer,
            line_limit: self.line_limit,
            event: environment.log_event()?.unwrap_or(self.event),
            event_limit: self.event_limit,
            correlation: self.correlation.map(Source::checked).transpose()?,
            output: Output::new(self.writer, self.together),
            clock: self.clock,
        };
        let service = environment.service().or(self.service);
        settings.render_service(service.as_deref().unwrap_or("service_undefined"));
        settings.render_persistent(keys);
        Ok((Arc::new(settings), warnings))
    }
}

impl fmt::Debug for Logging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logging")
            .field("service", &self.service)
            .field("level", &self.level)
            .field("filter", &self.filter)
            .field("format", &self.format)
            .field("redaction", &self.redaction)
            .field("sample_rate", &self.sample_rate)
            .field("buffer", &self.buffer)
            .field("line_limit", &self.line_limit)
            .field("event", &self.event)
            .field("event_limit", &self.event_limit)
            .field("together", &self.together)
            .field("correlation_id", &self.correlation.is_some())
            .finish_non_exhaustive()
    }
}

/// Sets up logging for the process by the default settings and the environment. Call it first in
/// `main`.
///
/// # Errors
///
/// Those of [`Logging::init`].
pub fn init() -> Result<(), Error> {
    Logging::new().init()
}
