//! A function on the standard stack that follows its events and its environment, for tests of
//! the life of a process.

use std::future::pending;
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use lambda_runtime::{Error, LambdaEvent};
use powertools::{Deadline, InitOnce, Powertools, aws};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    Answer,
    /// Never answer.
    Hang,
    /// Answer with a fallback when the time runs out.
    FallBack,
    /// Block the thread for this many milliseconds.
    Block(u64),
    /// Guard work in a task that does not know its invocation.
    Stray,
    /// Wait for this many milliseconds.
    Sleep(u64),
    /// Return how often the value was initialised.
    Value,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    if std::env::var_os("WHOLE_CHAIN").is_some() {
        aws::load_with(|| aws::loader().load())?;
        assert_eq!(aws::load_with(|| aws::loader().load()), Err(aws::Error::Loaded));
    }
    let mut function = Powertools::new(handle);
    if std::env::var_os("WITHOUT_DEADLINE").is_some() {
        function = function.without_deadline();
    }
    for millis in words("START_TIMEOUT_MILLIS") {
        function = function.start_timeout(Duration::from_millis(millis.parse()?));
    }
    for name in words("WARM_UPS") {
        function = match name.strip_prefix("required-") {
            Some(kind) => {
                let kind = kind.to_owned();
                function.warm_up_required(&name, move || warm_up(kind.clone()))
            }
            None => {
                let kind = name.clone();
                function.warm_up(&name, move || warm_up(kind.clone()))
            }
        };
    }
    for name in words("SNAPSHOT_HOOKS") {
        let (before, after) = (format!("before {name}"), format!("after {name}"));
        function = function
            .before_snapshot(move || snapshot_hook(before.clone()))
            .after_restore(move || snapshot_hook(after.clone()));
    }
    for name in words("SHUTDOWN_HOOKS") {
        let line = format!("hook {name}");
        function = function.on_shutdown(name, async move || {
            say(&line).expect("it can be said");
            if line == "hook hangs" {
                pending().await
            }
        });
    }
    function.run().await
}

/// Returns the words in an environment variable.
fn words(variable: &str) -> Vec<String> {
    let list = std::env::var(variable).unwrap_or_default();
    list.split_whitespace().map(str::to_owned).collect()
}

async fn warm_up(kind: String) -> Result<(), Error> {
    match kind.as_str() {
        "value" => value().await.map(drop),
        "fails" => Err("no such table".into()),
        "panics" => panic!("in a warm-up"),
        "hangs" => pending().await,
        "blocks" => {
            std::thread::sleep(Duration::from_millis(5500));
            Ok(())
        }
        "guarded" => stray().await.map(drop),
        "tables" => {
            Client::new(aws::config().await).list_tables().send().await?;
            Ok(())
        }
        "restored" if powertools::process::restores() > 0 => Err("no such table".into()),
        _ => say(&format!("warming up {kind}")),
    }
}

/// Fails as `before-panics`, `after-fails` and similar words describe.
async fn snapshot_hook(line: String) -> Result<(), Error> {
    say(&line)?;
    match line.as_str() {
        "before before-fails" | "after after-fails" => {
            Err(Error::from(std::io::Error::other("connection reset")))
        }
        "before before-panics" | "after after-panics" => panic!("in a hook"),
        _ => Ok(()),
    }
}

/// Returns how often the value was initialised.
async fn value() -> Result<&'static u32, Error> {
    static VALUE: InitOnce<u32> = InitOnce::new();
    static MADE: AtomicU32 = AtomicU32::new(0);
    VALUE
        .get_or_try_init(async || {
            let number = MADE.fetch_add(1, Ordering::Relaxed) + 1;
            say(&format!("making value {number}"))?;
            Ok(number)
        })
        .await
}

async fn handle(event: LambdaEvent<Order>) -> Result<&'static str, Error> {
    match event.payload {
        Order::Answer => Ok("answered"),
        Order::Sleep(time) => {
            say("sleeping")?;
            tokio::time::sleep(Duration::from_millis(time)).await;
            Ok("slept")
        }
        Order::Value => Ok(["first", "second", "third"][*value().await? as usize - 1]),
        Order::Hang => {
            say("hanging")?;
            pending().await
        }
        Order::FallBack => {
            let reserve = Duration::from_millis(500);
            Deadline::current().run_or(reserve, pending(), |_| Ok("accepted")).await
        }
        Order::Block(time) => {
            std::thread::sleep(Duration::from_millis(time));
            Ok("unblocked")
        }
        Order::Stray => tokio::spawn(stray()).await?,
    }
}

async fn stray() -> Result<&'static str, Error> {
    let work = async { Ok("without a limit") };
    Deadline::current().run(Duration::from_secs(1), work).await
}

fn say(line: &str) -> Result<(), Error> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
