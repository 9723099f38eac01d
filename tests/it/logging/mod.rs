//! Log lines as users see them.

use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, SystemTime};

use powertools::Invocation;
use powertools::logging::Logging;
use powertools::testing::{self, InvocationBuilder, ManualClock};
use serde_json::Value;
use tracing::dispatcher::DefaultGuard;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt;

mod attribute;
mod buffer;
mod ends;
mod errors;
mod facade;
mod golden;
mod handler;
mod hostile;
mod isolation;
mod keys;
mod layers;
mod levels;
mod process;
mod python;
mod random;
mod records;
mod redaction;
mod replays;
mod settings;
mod spans;
mod together;

pub(crate) use self::facade::forward;
pub(crate) use self::hostile::no_name_twice;

/// The lines that were written, whole.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Takes what was written.
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }

    /// Takes the lines as JSON.
    pub(crate) fn json(&self) -> Vec<Value> {
        let text = self.take();
        let lines = text.lines().map(|line| serde_json::from_str(line).expect(line));
        lines.collect()
    }

    /// Takes the only line.
    fn one(&self) -> Value {
        let mut lines = self.json();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        lines.remove(0)
    }

    /// The messages of the lines.
    fn messages(&self) -> Vec<String> {
        let lines = self.json();
        lines.iter().map(|line| line["message"].as_str().expect("a text").to_owned()).collect()
    }

    fn layer<S>(&self, logging: Logging) -> impl tracing_subscriber::Layer<S> + Send + Sync
    where
        S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    {
        let bytes = self.0.clone();
        let write = move |line: &[u8]| {
            assert_eq!(line.last(), Some(&b'\n'), "one write has one line");
            bytes.lock().unwrap().extend_from_slice(line);
        };
        logging.writer(write).layer().unwrap()
    }
}

/// Settings without the variables of this process, and with a fixed clock.
pub(crate) fn logging() -> Logging {
    Logging::new().environment([("", "")]).service("orders").clock(clock())
}

fn clock() -> ManualClock {
    ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_228_321_566))
}

/// Logs by these settings on this thread, until the guard is dropped.
pub(crate) fn start(logging: Logging) -> (Lines, DefaultGuard) {
    ask_each_time();
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.layer(logging));
    (lines, powertools_tests::subscriber::set_default(subscriber))
}

/// Lets no place that logs be of interest to nobody for good: `tracing` can remember that of one that
/// another test's thread reaches for the first time just when this one gets its subscriber.
fn ask_each_time() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let nothing = dynamic_filter_fn(|_, _| false);
        let subscriber = tracing_subscriber::registry().with(nothing);
        tracing::subscriber::set_global_default(subscriber).expect("nobody else sets one");
    });
}

/// What `f` logs.
fn logged(logging: Logging, f: impl FnOnce()) -> Lines {
    let (lines, _guard) = start(logging);
    f();
    lines
}

fn invocation() -> InvocationBuilder {
    testing::invocation()
        .clock(clock())
        .request_id("8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        .trace_id("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
        .function_name("orders-fn")
}

/// What `f` logs in an invocation.
fn logged_in_invocation(logging: Logging, f: impl FnOnce()) -> Lines {
    let invocation: Invocation = invocation().build();
    logged(logging, || invocation.sync_scope(f))
}
