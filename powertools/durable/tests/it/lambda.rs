//! A function, and the service of durable functions around it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use aws_sdk_lambda::config::{BehaviorVersion, Config, Credentials, Region};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use powertools::testing::FakeRuntime;
use powertools_durable::sdk;
use serde_json::{Value, json};

/// The package of AWS's testing library.
const LIBRARY: &str = "aws-durable-execution-sdk-python-testing==1.4.0";

/// The service of durable functions, with a clock that jumps over waits.
pub(crate) struct Service {
    url: String,
    _process: Child,
    // It ends with this.
    _stdin: Mutex<ChildStdin>,
}

impl Service {
    /// Returns the one of this process.
    pub(crate) fn get() -> &'static Self {
        static SERVICE: LazyLock<Service> = LazyLock::new(Service::start);
        &SERVICE
    }

    fn start() -> Self {
        let python = python();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/serve.py");
        let mut process = Command::new(python)
            .arg(script)
            .envs([
                ("AWS_ACCESS_KEY_ID", "key"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_DEFAULT_REGION", "us-west-2"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service of durable functions can be started");
        let mut url = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut url).expect("it writes its address");
        let stdin = Mutex::new(process.stdin.take().expect("it is piped"));
        Self { url: url.trim().to_owned(), _process: process, _stdin: stdin }
    }

    /// Returns options whose client calls this service.
    pub(crate) fn options(&self) -> sdk::Options {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-west-2"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
            .endpoint_url(&self.url)
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
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        for _ in 0..100 {
            let request = Request::builder()
                .method(method.clone())
                .uri(format!("{}{path}", self.url))
                .header("content-type", "application/json")
                .body(Full::from(body.clone()))
                .unwrap();
            let Ok(response) = client.request(request).await else {
                // It is about to listen.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let body = response.into_body().collect().await.unwrap().to_bytes();
            return serde_json::from_slice(&body)
                .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&body)));
        }
        panic!("the service of durable functions does not answer");
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

/// Returns a Python with the testing library, which is installed once.
fn python() -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let (python, done) = (folder.join("bin/python"), folder.join(LIBRARY));
    if !done.exists() {
        let run = |command: &mut Command| {
            assert!(command.status().is_ok_and(|status| status.success()), "{command:?} failed");
        };
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", LIBRARY];
        run(Command::new(&python).args(pip));
        std::fs::write(done, "").expect("the folder can be written");
    }
    python
}
