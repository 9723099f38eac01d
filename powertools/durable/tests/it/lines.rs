//! The log lines of executions, in a process of its own, since its subscriber is that of the process.

use std::env;
use std::time::Duration;

use lambda_runtime::Error;
use powertools::logging::Logging;
use powertools::testing::FakeRuntime;
use powertools::{LambdaError, Powertools};
use powertools_durable::{DurableContext, service};
use serde_json::{Value, json};

use crate::lambda::{Service, unless_lost};

/// The test. In a process with the variable below, it is the function.
const TEST: &str = "lines::an_execution_that_fails_has_one_line_that_says_so";
const IS_FUNCTION: &str = "LINES_FUNCTION";

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("the card was declined")]
struct Declined;

async fn declines(_: Value, durable: DurableContext) -> Result<(), Error> {
    tracing::info!("placed");
    durable.wait(Duration::from_secs(3600)).await?;
    tracing::info!("due");
    Err(Declined.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_fails_has_one_line_that_says_so() {
    if env::var_os(IS_FUNCTION).is_some() {
        let function = Powertools::service(service(declines)).logging(Logging::new());
        return function.run().await.unwrap();
    }
    let lines = unless_lost(async || {
        let (service, lambda) = (Service::get(), FakeRuntime::new());
        let mut command = service.process_of(TEST);
        command.env(IS_FUNCTION, "yes");
        let function = lambda.spawn(command).expect("a process can be started");
        let execution = service.execute(&lambda, &json!({})).await;
        let end = service.end(&execution).await?;
        assert_eq!(end["Status"], "FAILED", "{end}");
        function.kill().await;
        Some(function.stdout())
    })
    .await;
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines: Vec<_> = lines.filter(|line| line["level"] != "DEBUG").collect();
    let field = |name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(field("level"), ["INFO", "INFO", "ERROR"], "{lines:#?}");
    let error = &lines[2];
    assert_eq!(error["exception_name"], "Declined", "{error:#}");
}
