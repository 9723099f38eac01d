//! A function on the standard stack that does what its events and its environment say, for tests of
//! the life of a process.

use std::future::pending;
use std::io::Write;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent};
use powertools::{Deadline, Powertools};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    Answer,
    /// Never answer.
    Hang,
    /// Have something to answer when the time runs out.
    FallBack,
    /// Block the thread for so many milliseconds.
    Block(u64),
    /// Guard work in a task that does not know its invocation.
    Stray,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let mut function = Powertools::new(handle);
    if std::env::var_os("WITHOUT_DEADLINE").is_some() {
        function = function.without_deadline();
    }
    function.run().await
}

async fn handle(event: LambdaEvent<Order>) -> Result<&'static str, Error> {
    match event.payload {
        Order::Answer => Ok("answered"),
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
