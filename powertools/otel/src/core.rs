//! The parts that the layer and the lifecycle share.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use lambda_runtime::Error;
use opentelemetry::trace::SpanBuilder;
use powertools::Invocation;
use powertools::macro_support::otel::{BesideLines, Collector, with_causes};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use crate::early;
use crate::export::{Encoder, Exporter, LINE_BYTES, REQUEST_BYTES, Stdout, To, exporter};
use crate::filter::{Filter, Marker};
use crate::ids;
use crate::incoming::Origin;
use crate::numbers::{Forget, Note};
use crate::settings::{Destination, Settings, Variables, When};
use crate::spans::{Processor, Spans, lock};
use crate::trace::Trace;
use crate::tracer::{OfInvocations, SpanTracer};

/// A tracer, its spans, and their exporter.
pub(crate) struct Core {
    pub(crate) spans: Arc<Spans>,
    pub(crate) exporter: Arc<Exporter>,
    pub(crate) when: When,
    /// The message of the warning at the start, if there is one.
    pub(crate) problem: Option<String>,
    pub(crate) redacted: Vec<String>,
    tracer: SpanTracer,
    level: LevelFilter,
    /// When the initialisation began, or the restore, and when it was done.
    init: Mutex<(SystemTime, Option<SystemTime>)>,
    /// The function has another one.
    is_second: AtomicBool,
}

impl Core {
    pub(crate) fn new(settings: Settings) -> Self {
        let mut variables = Variables { environment: &settings.environment, damaged: Vec::new() };
        let is_disabled = variables.is_disabled();
        variables.check_protocol();
        let propagators = variables.propagators();
        let sampling = variables.sampling();
        let (most, longest) = (variables.spans(), variables.characters());
        let timeout = variables.timeout();
        let headers = variables.headers();
        let mut is_compressed = variables.is_compressed();
        let given = variables.given();

        let (mut problem, mut limit) = (None, REQUEST_BYTES);
        let mut connect = |url: Result<String, String>, is_signed| {
            let of_body = [("content-type", "application/x-protobuf")];
            let encoding = is_compressed.then_some(("content-encoding", "gzip"));
            let given = headers.iter().map(|(name, value)| (&**name, &**value));
            let headers = of_body.into_iter().chain(encoding).chain(given);
            url.map_err(Error::from)
                .and_then(|url| Collector::new(&settings.environment, &url, headers, is_signed))
                .map(|collector| To::Collector(Box::new(collector)))
                .unwrap_or_else(|error| {
                    let error = with_causes(&*error);
                    problem = Some(format!("no spans are sent, since there is no way: {error}"));
                    To::Nowhere
                })
        };
        let to = match &settings.to {
            _ if is_disabled => To::Nowhere,
            Destination::Collector(url) => connect(Ok(variables.endpoint(url.as_deref())), false),
            Destination::XRay => connect(variables.xray_endpoint(), true),
            Destination::Stdout => {
                is_compressed = true;
                problem = settings.environment.level_above_info().map(|level| {
                    format!(
                        "AWS_LAMBDA_LOG_LEVEL is {level}: Lambda can drop the lines of the spans, which \
                         have no level and count as INFO"
                    )
                });
                let service = variables.service(settings.service.as_deref(), &given);
                limit = LINE_BYTES;
                To::Stdout(Stdout::new(&service, &variables.endpoint(None)))
            }
        };
        if !variables.damaged.is_empty() {
            let names = variables.damaged.join(", ");
            let damaged = format!("these variables cannot be read and have no effect: {names}");
            problem = Some(problem.map_or(damaged.clone(), |other| format!("{damaged}; {other}")));
        }

        let by_invocation = !matches!(settings.when, When::Every(_));
        let spans = Arc::new(Spans::new(most, longest, by_invocation, propagators));
        let encoder = Encoder::new(settings.environment, settings.service, is_compressed, limit);
        Self {
            tracer: SpanTracer::new(sampling, Processor(spans.clone())),
            spans,
            exporter: exporter(to, timeout, encoder),
            when: settings.when,
            problem,
            redacted: settings.redacted,
            level: settings.level,
            init: Mutex::new((opentelemetry::time::now(), None)),
            is_second: AtomicBool::new(false),
        }
    }

    pub(crate) fn set_second(&self) {
        self.is_second.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_second(&self) -> bool {
        self.is_second.load(Ordering::Relaxed)
    }

    pub(crate) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let spans =
            tracing_opentelemetry::layer().with_tracer(self.of_invocations()).with_threads(false);
        let (forget, filter) = (Forget(self.spans.clone()), Filter::new(self.level));
        Note.and_then(spans)
            .and_then(forget)
            .and_then(Marker::new(&filter, self.spans.clone()))
            .with_filter(filter)
    }

    /// Returns a tracer whose spans are under those of their invocations.
    pub(crate) fn of_invocations(&self) -> OfInvocations {
        OfInvocations::new(self.tracer.clone(), self.spans.clone())
    }

    pub(crate) fn boxed_layer(&self) -> BesideLines {
        self.layer::<Registry>().boxed()
    }

    /// Notes when the restore began.
    pub(crate) fn set_began(&self, at: SystemTime) {
        *lock(&self.init) = (at, None);
    }

    /// Notes that everything before the first event is done. That can come much later.
    pub(crate) fn set_ready(&self) {
        lock(&self.init).1 = Some(opentelemetry::time::now());
    }

    /// Starts the root span of an event.
    pub(crate) fn begin(&self, invocation: &Invocation, body: &[u8]) {
        let origin = Origin::of(invocation, body, self.spans.propagators);
        let builder = SpanBuilder {
            span_kind: Some(origin.kind),
            attributes: Some(origin.attributes),
            links: (!origin.links.is_empty()).then_some(origin.links),
            ..SpanBuilder::from_name(origin.name)
        };
        let start = || self.tracer.start(builder, &origin.parent);
        let root = ids::with(origin.given, start);
        let trace = Trace::begin(&self.spans, invocation, root, origin.incoming);
        if let Some(early) = self.spans.take_early() {
            let (began, ready) = *lock(&self.init);
            let ready = ready.unwrap_or_else(opentelemetry::time::now);
            early::add(&self.spans, &trace, early, began..ready.max(began));
        }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("when", &self.when).finish_non_exhaustive()
    }
}
