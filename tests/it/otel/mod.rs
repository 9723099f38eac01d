//! Spans, as a collector receives them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use lambda_runtime::{Error, LambdaEvent};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use powertools::logging::Logging;
use powertools::testing::{Event, FakeRuntime, FunctionTask};
use powertools::{Clock, Powertools};
use powertools_otel::Otel;
use powertools_tests::otlp::Collector;
use tower::util::ServiceFn;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

mod contents;
mod export;
mod incoming;
mod outages;
mod outgoing;
mod process;
mod services;
mod shape;
mod stops;

const SECOND: Duration = Duration::from_secs(1);
const TRACE: &str = "5759e988bd862e3fe1be46a994272793";
const PARENT: &str = "53995c3f42cd8ad8";
/// The header of that trace.
const SAMPLED: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

/// Returns the time of day as spans have it.
fn nanos() -> u64 {
    let now = Clock::system().now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_nanos()).unwrap()
}

fn text(text: &str) -> Option<Value> {
    Some(Value::StringValue(text.to_owned()))
}

/// A function on the runtime of the test, whose spans go to a collector.
struct Function {
    collector: Collector,
    lambda: FakeRuntime,
    task: FunctionTask<Result<(), Error>>,
    _subscriber: DefaultGuard,
}

/// Settings that read no variable of this process but these.
fn otel(collector: &Collector, variables: &[(&str, &str)]) -> Otel {
    let url = collector.url();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url);
    let name = ("AWS_LAMBDA_FUNCTION_NAME", "orders");
    Otel::new().environment([endpoint, name].into_iter().chain(variables.iter().copied()))
}

/// Sets a subscriber that makes spans, for the thread of the test.
fn subscribe(otel: &Otel) -> DefaultGuard {
    powertools_tests::subscriber::set_default(tracing_subscriber::registry().with(otel.layer()))
}

/// The lines that the logs of a function write, as text.
fn logged(otel: &Otel) -> (Arc<Mutex<String>>, DefaultGuard) {
    let lines = Arc::new(Mutex::new(String::new()));
    let kept = lines.clone();
    let write = move |line: &[u8]| kept.lock().unwrap().push_str(str::from_utf8(line).unwrap());
    let logging = Logging::new().environment([("A", "")]).redact(["token"]).writer(write);
    let subscriber =
        tracing_subscriber::registry().with(otel.layer()).with(logging.layer().unwrap());
    (lines, powertools_tests::subscriber::set_default(subscriber))
}

impl Function {
    async fn start<F, Fut>(handler: F) -> Self
    where
        F: FnMut(LambdaEvent<serde_json::Value>) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Result<String, Error>> + Send + 'static,
    {
        Self::with(Powertools::new(handler), &[], |otel| otel).await
    }

    async fn with<F, Fut>(
        function: Powertools<ServiceFn<F>>,
        variables: &[(&str, &str)],
        change: impl FnOnce(Otel) -> Otel,
    ) -> Self
    where
        F: FnMut(LambdaEvent<serde_json::Value>) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Result<String, Error>> + Send + 'static,
    {
        let collector = Collector::start().await;
        let otel = change(otel(&collector, variables));
        let _subscriber = subscribe(&otel);
        let lambda = FakeRuntime::new().function_name("orders").timeout(5 * SECOND);
        let task = lambda.run(function.lifecycle(otel).run());
        Self { collector, lambda, task, _subscriber }
    }

    /// Sends an event and waits for its outcome.
    async fn invoke(&self, event: impl Into<Event>) -> powertools::testing::Outcome {
        self.lambda.invoke(event).await
    }
}
