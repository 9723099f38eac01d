//! Servers in Python.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// AWS's testing library, and the emulator of DynamoDB that behaves most like the service.
const PACKAGES: [&str; 2] =
    ["aws-durable-execution-sdk-python-testing==1.4.0", "moto[server]==5.2.5"];

/// The region of all that is emulated.
pub(crate) const REGION: &str = "us-west-2";

/// A server, which ends with this process: with its standard input.
pub(crate) struct Server {
    url: String,
    _process: Child,
}

impl Server {
    /// Starts a script of Python, which writes its port.
    pub(crate) fn start(script: &str) -> Self {
        static PYTHON: LazyLock<PathBuf> = LazyLock::new(python);

        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
        let mut process = Command::new(&*PYTHON)
            .arg(&script)
            .envs([
                ("AWS_ACCESS_KEY_ID", "key"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_DEFAULT_REGION", REGION),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server can be started");
        let mut port = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut port).expect("it writes its port");
        assert!(!port.is_empty(), "{} has ended", script.display());
        Self { url: format!("http://127.0.0.1:{}", port.trim()), _process: process }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Sends a request, and returns the JSON of the response.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Value {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        for _ in 0..100 {
            let mut request =
                Request::builder().method(method.clone()).uri(format!("{}{path}", self.url));
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(Full::from(body.clone())).unwrap();
            let Ok(response) = client.request(request).await else {
                // It is about to listen.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let status = response.status();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
            return serde_json::from_slice(&body)
                .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&body)));
        }
        panic!("the server at {} does not answer", self.url);
    }
}

/// Returns a Python with the packages, which are installed once.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let (python, stamp) = (folder.join("bin/python"), folder.join("installed"));
    let packages = PACKAGES.join(" ");
    if !std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == packages) {
        let run = |command: &mut Command| {
            assert!(command.status().is_ok_and(|status| status.success()), "{command:?} failed");
        };
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run(Command::new(&python).args(pip).args(PACKAGES));
        std::fs::write(stamp, packages).expect("the folder can be written");
    }
    python
}
