//! A function, and the service of durable functions around it.

use std::env;
use std::process::Command;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use aws_sdk_lambda::config::{BehaviorVersion, Config, Credentials, Region};
use hyper::Method;
use powertools::testing::FakeRuntime;
use powertools_durable::sdk;
use serde_json::{Value, json};

use crate::server::{REGION, Server};

/// The service of durable functions, with a clock that jumps over waits.
pub(crate) struct Service(Server);

impl Service {
    /// Returns the one of this process.
    pub(crate) fn get() -> &'static Self {
        static SERVICE: LazyLock<Service> =
            LazyLock::new(|| Service(Server::start("tests/it/serve.py")));
        &SERVICE
    }

    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }

    /// Returns a command for a process of this program that runs `test` alone, and can be the function of this
    /// service.
    pub(crate) fn process_of(&self, test: &str) -> Command {
        let mut command = Command::new(env::current_exe().expect("a test has a program"));
        // Otherwise the harness can begin a line, and capture others.
        command.args([test, "--exact", "--nocapture", "--quiet"]).envs([
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_ENDPOINT_URL_LAMBDA", self.url()),
        ]);
        command
    }

    /// Returns options whose client calls this service.
    pub(crate) fn options(&self) -> sdk::Options {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
            .endpoint_url(self.url())
            .build();
        let client = sdk::LambdaClient::from_conf(config);
        sdk::Options::builder().lambda_client(client).build().expect("the options are valid")
    }

    /// Starts an execution of the function, and returns its ARN.
    pub(crate) async fn execute(&self, lambda: &FakeRuntime, event: &Value) -> String {
        static COUNT: Mutex<u32> = Mutex::new(0);
        let name = {
            let mut count = COUNT.lock().unwrap();
            *count += 1;
            format!("execution-{count}")
        };
        let input = json!({
            "AccountId": "123456789012",
            "FunctionName": "test-function",
            "FunctionQualifier": "$LATEST",
            "ExecutionName": name,
            "ExecutionTimeoutSeconds": 7 * 24 * 3600,
            "ExecutionRetentionPeriodDays": 7,
            "Input": event.to_string(),
            "LambdaEndpoint": lambda.invoke_api(),
        });
        let started = self.call(Method::POST, "/start-durable-execution", input.to_string()).await;
        let arn = started["ExecutionArn"].as_str();
        arn.unwrap_or_else(|| panic!("no execution was started: {started}")).to_owned()
    }

    /// Waits for the end of an execution. Returns `None` if the library has lost it.
    pub(crate) async fn end(&self, arn: &str) -> Option<Value> {
        let path = format!("/2025-12-01/durable-executions/{}", arn.replace('/', "%2F"));
        for _ in 0..300 {
            let execution = self.call(Method::GET, &path, String::new()).await;
            if execution["Status"] != "RUNNING" {
                return Some(execution);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        None
    }

    async fn call(&self, method: Method, path: &str, body: String) -> Value {
        self.0.call(method, path, &[("content-type", "application/json")], body).await
    }
}

/// Repeats what the library has lost: about one wait of thirty never ends, since its runner can cancel the
/// task that ends the wait while it arms the next one.
pub(crate) async fn unless_lost<T>(mut execute: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..4 {
        if let Some(done) = execute().await {
            return done;
        }
    }
    panic!("no execution has ended");
}
