//! A function whose spans go where its first argument says, on one thread.

use std::fmt::{self, Write as _};
use std::future::pending;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::{self, Message, RecordError};
use powertools::events::SqsEvent;
use powertools::logging::Logging;
use powertools::{Invocation, Powertools};
use powertools_otel::Otel;
use tokio::sync::Notify;
use tracing::field::{Field, Visit};
use tracing::{Event, Instrument, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

fn main() -> ExitCode {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let mut runtime = match &*mode {
        "threads" => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = runtime.worker_threads(4).enable_all().build().expect("a runtime can be made");
    match runtime.block_on(run(&mode)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn run(mode: &str) -> Result<(), Error> {
    let logging = || Logging::new().redact(["card"]);
    let warm_up = async || {
        tracing::info!("warming up");
        Ok::<_, Error>(())
    };
    let function = Powertools::new(handle).warm_up("pool", warm_up);
    match mode {
        "logs" => function.logging(logging()).lifecycle(Otel::stdout()).run().await,
        "every" => {
            let otel = Otel::new().every(Duration::from_secs(600));
            function.lifecycle(otel).run().await
        }
        "often" => {
            let otel = Otel::new().every(Duration::from_millis(20));
            function.lifecycle(otel).run().await
        }
        "records" => {
            let otel = Otel::new().every(Duration::from_secs(600));
            Powertools::new(records).lifecycle(otel).run().await
        }
        "ends" => Powertools::new(ends).logging(logging()).lifecycle(Otel::stdout()).run().await,
        "nested" => Powertools::new(nested).lifecycle(Otel::stdout()).run().await,
        "own" => {
            let otel = Otel::stdout();
            let subscriber = tracing_subscriber::registry().with(otel.layer()).with(Lines);
            tracing::subscriber::set_global_default(subscriber)?;
            function.lifecycle(otel).run().await
        }
        "around" => {
            let (otel, logging) = (Otel::stdout(), logging().key("trace_id", "of the process"));
            let subscriber =
                tracing_subscriber::registry().with(otel.layer()).with(logging.layer()?);
            tracing::subscriber::set_global_default(subscriber)?;
            let span = tracing::info_span!("main", span_id = "of the program");
            function.lifecycle(otel).run().instrument(span).await
        }
        "bare" => {
            let otel = Otel::stdout();
            let subscriber = tracing_subscriber::registry().with(otel.layer());
            tracing::subscriber::set_global_default(subscriber)?;
            function.lifecycle(otel).run().await
        }
        "other" => {
            logging().init()?;
            function.lifecycle(Otel::stdout()).run().await
        }
        "across" => {
            let restored = Arc::new(Notify::new());
            let release = restored.clone();
            let hold = move || {
                let held = restored.clone().notified_owned();
                tokio::spawn(held.instrument(tracing::info_span!("held")));
                async { Ok::<_, Error>(()) }
            };
            let function = Powertools::new(handle).lifecycle(Otel::stdout());
            let function = function.before_snapshot(move || {
                tracing::info_span!("hook").in_scope(|| ());
                let holding = hold();
                let _ = writeln!(std::io::stdout(), "before the snapshot");
                holding
            });
            let function = function.after_restore(move || {
                let release = release.clone();
                async move {
                    release.notify_one();
                    tokio::task::yield_now().await;
                    Ok::<_, Error>(())
                }
            });
            function.run().await
        }
        "threads" => {
            Powertools::new(on_threads).warm_up("pool", warm_up).lifecycle(Otel::new()).run().await
        }
        _ => function.lifecycle(Otel::stdout()).run().await,
    }
}

/// Writes the fields of events, without any rule.
struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        struct Fields(String);

        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                let _ = write!(self.0, " {field}={value:?}");
            }
        }

        let mut fields = Fields(event.metadata().target().to_owned());
        event.record(&mut fields);
        let _ = writeln!(std::io::stdout(), "{}", fields.0);
    }
}

async fn handle(event: LambdaEvent<String>) -> Result<String, Error> {
    charge("4111").await;
    Ok(event.payload)
}

#[tracing::instrument]
async fn charge(card: &str) {
    tracing::info!("charged");
    tokio::task::yield_now().await;
}

/// Records that never end, each in a task of its own.
async fn records(event: LambdaEvent<SqsEvent>) -> Result<String, Error> {
    let hang = async |_: Message<String>| {
        pending::<()>().instrument(tracing::info_span!("call")).await;
        Ok::<_, RecordError>(())
    };
    let report = batch::sqs(event.payload).run_spawned(hang).await;
    assert!(!report.is_done(), "none of them ends");
    Ok(String::new())
}

/// Events of whose values one logs an event itself.
async fn nested(event: LambdaEvent<String>) -> Result<String, Error> {
    struct Item;

    impl fmt::Debug for Item {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            tracing::info!(size = 3_u64, "inner");
            f.write_str("item")
        }
    }

    let span = tracing::info_span!("step");
    tracing::info!(parent: &span, order = 7_u64, item = ?Item, "before");
    tracing::info!(parent: &span, order = 8_u64, "then");
    span.in_scope(|| tracing::info!(order = 9_u64, item = ?Item, "outer"));
    Ok(event.payload)
}

/// Threads that write a line when they end: after a line, after a span, after neither.
async fn ends(event: LambdaEvent<String>) -> Result<String, Error> {
    struct Last;

    impl Drop for Last {
        fn drop(&mut self) {
            tracing::info!("the thread ends");
        }
    }

    thread_local! {
        static LAST: Last = const { Last };
    }

    let work: [fn(); 3] = [
        || tracing::info!("in the thread"),
        || {
            tracing::info_span!("in the thread").in_scope(|| ());
        },
        || (),
    ];
    for work in work {
        let thread = std::thread::spawn(move || {
            LAST.with(|_| ());
            work();
        });
        thread.join().expect("it does not panic");
    }
    Ok(event.payload)
}

async fn on_threads(event: LambdaEvent<u64>) -> Result<u64, Error> {
    order(event.payload).await;
    Ok(event.payload)
}

#[tracing::instrument]
async fn order(number: u64) {
    let step = |name| {
        let span = tracing::info_span!("step", otel.name = name, number);
        async { tokio::task::yield_now().await }.instrument(span)
    };
    step("charge").await;
    let task = tokio::spawn(Invocation::carry(step("task")));
    step("store").await;
    let _ = task.await;
}
