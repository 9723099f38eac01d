//! A function, or a program, that logs to its standard output, with the settings of the environment.

use std::fmt;
use std::io::Write as _;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream, poll_fn};
use lambda_runtime::{Context, Error, LambdaEvent, StreamResponse};
use powertools::batch::{self, Batch, Record, RecordError, Reply, Source};
use powertools::logging::{self, Logging};
use powertools::parameters::Parameter;
use powertools::{Deadline, Invocation, Powertools, logged};
use tokio::sync::Notify;
use tower::service_fn;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{self, SubscriberExt};

#[tokio::main]
async fn main() -> Result<(), Error> {
    match std::env::args().nth(1).as_deref() {
        Some("lines") => write_lines(),
        Some("nested") => {
            logging::init()?;
            tracing::info!(value = ?Logs, "outer {:?}", Logs);
            Ok(())
        }
        Some("twice") => Ok(logging::init().and_then(|()| logging::init())?),
        Some("together") => Powertools::new(hundred_lines).logging(together()).run().await,
        Some("together, killed") => lines_until_killed(),
        Some("together, aborted") => {
            std::panic::set_hook(Box::new(|_| std::process::abort()));
            Powertools::new(panics).logging(together().filter("powertools::panic=off")).run().await
        }
        Some("together, stdout locked") => lines_under_the_lock_of_stdout(),
        Some("together, shut down") => {
            let function = Powertools::new(logs_in_shutdown).logging(together());
            let wait = || async {
                IS_SHUT_DOWN.notify_one();
                HAS_LOGGED.notified().await;
            };
            function.on_shutdown("wait", wait).run().await
        }
        Some("locked") => {
            panic_inside_a_layer();
            Ok(())
        }
        Some("records of the user") => records_with_code().await,
        Some("a layer that reacts") => {
            let subscriber = tracing_subscriber::registry().with(Reacts);
            let subscriber = subscriber.with(Logging::new().layer()?);
            tracing::subscriber::set_global_default(subscriber)?;
            warn_of_settings();
            Ok(())
        }
        Some("anyhow") => Powertools::new(fails).logging(Logging::new()).run().await,
        Some("streamed") => Powertools::new(streamed).logging(Logging::new()).run().await,
        Some("streamed among others") => {
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Messages))?;
            Powertools::new(streamed).run().await
        }
        Some("http") => Powertools::http(http).logging(Logging::new()).run().await,
        Some("plain") => {
            logging::init()?;
            lambda_runtime::run(service_fn(alone)).await
        }
        Some("among others") => {
            let others = tracing_subscriber::registry().with(Messages);
            tracing::subscriber::set_global_default(others.with(Logging::new().layer()?))?;
            logging::log_panics();
            Powertools::new(handle).logging(Logging::new()).run().await
        }
        Some("preset") => {
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Messages))?;
            Powertools::new(handle).logging(Logging::new()).run().await
        }
        Some("earlier") => {
            tracing::subscriber::with_default(tracing_subscriber::registry(), || {});
            run().await
        }
        _ => run().await,
    }
}

async fn run() -> Result<(), Error> {
    let logging = Logging::new().buffer(20 * 1024);
    Powertools::new(handle).logging(logging).run().await
}

fn together() -> Logging {
    Logging::new().together(true)
}

/// Logs a hundred lines, some of which yield to other events.
async fn hundred_lines(event: LambdaEvent<u64>) -> Result<(), Error> {
    let event = event.payload;
    for number in 0..100_usize {
        tracing::info!(event, number, "{}", "x".repeat(8 * number));
        if number % 10 == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// Logs lines that are not due before the panic.
async fn panics(_: LambdaEvent<String>) -> Result<(), Error> {
    tracing::info!("before");
    panic!("on purpose")
}

/// Logs while it has the lock of the standard output.
fn lines_under_the_lock_of_stdout() -> Result<(), Error> {
    together().init()?;
    let invocation = Invocation::new(&Context::default());
    let lines = logging::observe(async {
        let mut stdout = std::io::stdout().lock();
        tracing::info!("one");
        // For longer than a line is held: now another thread is to write it.
        std::thread::sleep(Duration::from_millis(200));
        tracing::info!("two");
        writeln!(stdout, "printed")?;
        tracing::warn!("three");
        Ok(())
    });
    futures_util::FutureExt::now_or_never(invocation.scope(lines)).expect("it blocks")
}

static IS_SHUT_DOWN: Notify = Notify::const_new();
static HAS_LOGGED: Notify = Notify::const_new();

/// Logs a line in the last moment.
async fn logs_in_shutdown(_: LambdaEvent<String>) -> Result<(), Error> {
    tracing::warn!("begun");
    IS_SHUT_DOWN.notified().await;
    tracing::info!("last");
    HAS_LOGGED.notify_one();
    std::future::pending().await
}

/// Logs a line about every five milliseconds, and tells its number and its time in ms to the standard error.
fn lines_until_killed() -> Result<(), Error> {
    together().init()?;
    let invocation = Invocation::new(&Context::default());
    let start = std::time::Instant::now();
    let lines = logging::observe(async {
        for number in 0_u64.. {
            tracing::info!(number, "line");
            eprintln!("{number} {}", start.elapsed().as_millis());
            // The handler blocks its thread.
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    });
    futures_util::FutureExt::now_or_never(invocation.scope(lines)).expect("it blocks")
}

#[logged]
async fn alone(event: LambdaEvent<String>) -> Result<String, Error> {
    handle(event).await
}

/// Another layer: it writes levels and messages, of warnings and errors.
struct Messages;

impl<S: tracing::Subscriber> Layer<S> for Messages {
    fn on_event(&self, event: &tracing::Event<'_>, _: layer::Context<'_, S>) {
        if *event.metadata().level() <= tracing::Level::WARN {
            event.record(&mut |field: &tracing::field::Field, value: &dyn fmt::Debug| {
                if field.name() == "message" {
                    let level = event.metadata().level();
                    let _ = writeln!(std::io::stdout(), "{level} {value:?}");
                }
            });
        }
    }
}

async fn handle(event: LambdaEvent<String>) -> Result<String, Error> {
    tracing::debug!("kept");
    match event.payload.as_str() {
        "panic" => panic!("on purpose"),
        "overrun" => std::future::pending().await,
        "panic in a task" => {
            let panics = Invocation::carry(async { panic!("in a task") });
            let _ = tokio::spawn(panics).await;
            Ok(event.payload)
        }
        "caught" => {
            let _ = std::panic::catch_unwind(|| panic!("caught"));
            Err("something else".into())
        }
        _ => Ok(event.payload),
    }
}

async fn http(request: powertools::http::Request) -> Result<String, Error> {
    match request.uri().path() {
        "/panic" => panic!("secret"),
        path => Ok(path.to_owned()),
    }
}

async fn fails(event: LambdaEvent<String>) -> Result<String, anyhow::Error> {
    Err(anyhow::anyhow!("no number in {}", event.payload).context("no order"))
}

type Pieces = BoxStream<'static, Result<&'static str, Error>>;

async fn streamed(event: LambdaEvent<String>) -> Result<StreamResponse<Pieces>, Error> {
    let hello = stream::iter([Ok("hello")]);
    Ok(match event.payload.as_str() {
        "panic" => hello.chain(poll_fn(|_| panic!("in the body"))).boxed(),
        _ => hello.chain(stream::iter([Err("connection reset".into())])).boxed(),
    }
    .into())
}

/// A layer that is locked while it formats a value.
#[derive(Default)]
struct Locked(std::sync::Mutex<String>);

impl<S: tracing::Subscriber> Layer<S> for Locked {
    fn on_event(&self, event: &tracing::Event<'_>, _: layer::Context<'_, S>) {
        let mut text = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        event.record(&mut |field: &tracing::field::Field, value: &dyn fmt::Debug| {
            *text = format!("{field}={value:?}");
        });
    }
}

/// A value that panics when it is formatted.
struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in a value")
    }
}

fn panic_inside_a_layer() {
    let subscriber = tracing_subscriber::registry().with(Locked::default());
    let subscriber = subscriber.with(Logging::new().layer().expect("valid"));
    tracing::subscriber::set_global_default(subscriber).expect("the first");
    logging::log_panics();
    let _ = std::panic::catch_unwind(|| tracing::info!(value = ?Panics, "x"));
}

/// A batch of a source whose records run code when they are asked for what identifies them.
struct Jobs(Vec<Job>);

#[derive(Clone, Debug)]
struct Job(&'static str);

impl Source for Jobs {
    type Record = Job;
    type Reply = Reply<&'static str>;

    fn take_records(&mut self) -> Result<Vec<Job>, batch::Error> {
        Ok(std::mem::take(&mut self.0))
    }
}

impl Record for Job {
    type Identifier = &'static str;

    fn identifier(&self) -> Option<&'static str> {
        Some(self.0)
    }

    fn attempt(&self) -> Option<u32> {
        match self.0 {
            "logs" => tracing::info!("asked"),
            "panics" => panic!("asked"),
            _ => Invocation::new(&Context::default()).sync_scope(|| ()),
        }
        Some(2)
    }
}

async fn records_with_code() -> Result<(), Error> {
    logging::init()?;
    let jobs = Jobs(["logs", "panics", "enters"].map(Job).into());
    let handle = async |job: Job| {
        tracing::info!("one");
        tracing::info!("two");
        if job.0 == "panics" { Err(RecordError::from("no")) } else { Ok(()) }
    };
    let batch = Batch::new(jobs).run(handle);
    let report = Invocation::new(&Context::default()).scope(batch).await;
    let reply = serde_json::to_string(&report.into_reply()?)?;
    writeln!(std::io::stdout(), "{reply}")?;
    Ok(())
}

/// A layer that does with each event what this is about, as one that measures or reads a setting.
struct Reacts;

impl<S: tracing::Subscriber> Layer<S> for Reacts {
    fn on_event(&self, _: &tracing::Event<'_>, _: layer::Context<'_, S>) {
        warn_of_settings();
    }
}

/// Does what is a warning, once, where the reserve is too long and the variable is invalid.
fn warn_of_settings() {
    static LIMIT: Parameter<u32> = Parameter::json("/limit");
    let reserve = Duration::from_secs(3600);
    let guarded = async { Deadline::current().run(reserve, async { Ok::<_, Error>(()) }).await };
    let invocation = Invocation::new(&Context::default());
    let _ = futures_util::FutureExt::now_or_never(invocation.scope(guarded));
    let _ = futures_util::FutureExt::now_or_never(LIMIT.get());
}

/// Writes lines of all lengths.
fn write_lines() -> Result<(), Error> {
    logging::init()?;
    for number in 0..100 {
        tracing::info!(number, "{}", "x".repeat(50 * number));
    }
    eprintln!("done");
    Ok(())
}

/// A value that logs when it is formatted.
struct Logs;

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tracing::info!(inner = true, "inner");
        f.write_str("value")
    }
}
