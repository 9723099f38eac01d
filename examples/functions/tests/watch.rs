//! Runs each function under `cargo lambda watch` and calls it with `cargo lambda invoke`, and the HTTP function with
//! a client of HTTP.
//!
//! `smoke.rs` checks the complete replies. This test requires cargo-lambda (`pip install
//! cargo-lambda`) and builds the functions again:
//!
//! ```sh
//! cargo test -p functions --test watch -- --ignored
//! ```

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use powertools::testing::events::{self, KinesisRecord, SqsMessage};
use serde_json::{Value, json};

#[test]
#[ignore = "requires cargo-lambda and builds the functions again"]
fn every_function_replies_under_cargo_lambda_watch() {
    let watch = Watch::start(Stdio::inherit());
    for (function, event, expected) in calls() {
        let reply = watch.invoke(function, &event);
        for (member, value) in expected.as_object().expect("members of the reply") {
            assert_eq!(reply[member], *value, "{function}: {reply}");
        }
    }
}

/// The requests are sent at once, and `cargo lambda watch` passes them to its only instance of the function one
/// after another. That they race, with several workers and in several processes, is tested on the fake Lambda
/// service, in `tests/it/http`.
#[test]
#[ignore = "requires cargo-lambda and builds the functions again"]
fn a_hundred_concurrent_duplicates_have_one_effect_and_one_answer() {
    let output = std::env::temp_dir().join(format!("powertools-{}-watch", std::process::id()));
    let watch = Watch::start(File::create(&output).expect("a file for the output").into());
    // Without a key nothing is charged, and afterwards the function is running.
    let without_key = events::api_gateway_v2("POST", "/charges").json(json!({ "amount": 100 }));
    assert_eq!(watch.invoke("http-api", &without_key.build())["statusCode"], 400);

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let answers = runtime.block_on(watch.post_concurrently(100));
    let mut first = 0;
    for (status, is_replayed, body) in &answers {
        match status {
            200 => {
                assert_eq!(body, r#"{"charged":100}"#);
                first += u32::from(!is_replayed);
            }
            status => assert_eq!(*status, 409, "{body}"),
        }
    }
    assert_eq!((answers.len(), first), (200, 1));
    // The second requests were sent when the first had been answered.
    assert!(answers[100..].iter().all(|(status, ..)| *status == 200));

    drop(watch);
    let output_text = fs::read_to_string(&output).expect("it was written");
    fs::remove_file(&output).expect("it is there");
    let effects = output_text.lines().filter(|line| line.contains(r#""ChargesAccepted":1"#));
    assert_eq!(effects.count(), 1, "{output_text}");
}

/// Returns each function with an event and members of its reply.
fn calls() -> Vec<(&'static str, Value, Value)> {
    let none_failed = json!({ "batchItemFailures": [] });
    let order = json!({ "order_id": "o-1", "amount": 100 });
    let bad = SqsMessage::from("not JSON").id("m-bad");
    let good = SqsMessage::from(json!({ "id": "o-1", "amount": 100 }));
    let entry = SqsMessage::from(r#"{"cents":7}"#).group("a");
    let click = KinesisRecord::json("ada", json!({ "page": "/" }));
    let (key, item) = (json!({ "sku": "mug" }), json!({ "sku": "mug", "stock": 3 }));
    let charge = events::api_gateway_v2("POST", "/charges").json(json!({ "amount": 100 }));
    let mut charge = charge.header("Idempotency-Key", "k-1").build();
    charge["requestContext"]["authorizer"] = json!({ "iam": { "userArn": "ada" } });
    let state = json!({ "Name": "Charge", "EnteredTime": "2026-11-21T12:00:00Z" });
    let context = json!({ "Execution": { "Id": "e-1" }, "State": state });
    vec![
        ("orders", order.clone(), json!({ "charged": 100 })),
        (
            "sqs-orders",
            events::sqs("orders").message(good).message(bad).build(),
            json!({ "batchItemFailures": [{ "itemIdentifier": "m-bad" }] }),
        ),
        ("fifo-ledger", events::sqs("ledger.fifo").message(entry).build(), none_failed.clone()),
        ("kinesis-clicks", events::kinesis("clicks").record(click).build(), none_failed.clone()),
        ("stream-projector", events::dynamodb("items").insert(key, item).build(), none_failed),
        ("http-api", charge, json!({ "statusCode": 200, "body": r#"{"charged":100}"# })),
        (
            "step-task",
            json!({ "context": context, "order_id": "o-1", "amount": 100 }),
            json!({ "order_id": "o-1" }),
        ),
        ("place-order", json!({ "id": "o-1", "amount": 100 }), json!({ "order_id": "o-1" })),
        ("outbox-sender", events::dynamodb("outbox").build(), json!({ "batchItemFailures": [] })),
        ("portable", json!({ "weight": 1_200 }), json!({ "price": 590 })),
    ]
}

/// A running `cargo lambda watch`, which starts a function at its first event.
struct Watch {
    process: Child,
    address: SocketAddr,
}

impl Watch {
    fn start(output: Stdio) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = free.local_addr().expect("it is bound");
        drop(free);
        let process = cargo_lambda("watch", address)
            .args(["--ignore-changes", "--wait", "--env-var", "LOCAL_CALLER=me"])
            .stdin(Stdio::null())
            .stdout(output)
            .spawn()
            .expect("cargo-lambda is installed");
        let watch = Self { process, address };

        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(start.elapsed() < Duration::from_secs(600), "cargo-lambda is not listening");
            thread::sleep(Duration::from_millis(100));
        }
        watch
    }

    /// Sends so many duplicates of one POST to the function URL at once, and all of them again on the same connections.
    /// Returns the status, whether it is a replay, and the body of each answer.
    async fn post_concurrently(&self, count: usize) -> Vec<(u16, bool, String)> {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let uri = format!("http://{}/lambda-url/http-api/charges", self.address);
        let mut answers = Vec::new();
        for _ in 0..2 {
            let sent: Vec<_> = (0..count)
                .map(|_| {
                    let request = Request::post(&uri)
                        .header("content-type", "application/json")
                        .header("idempotency-key", r#""8e03978e-40d5-43e8-bc93-6894a57f9324""#)
                        .body(Full::from(r#"{"amount":100}"#))
                        .expect("a valid request");
                    tokio::spawn(client.request(request))
                })
                .collect();
            for response in sent {
                let response = response.await.expect("no panic").expect("an answer");
                let (parts, body) = response.into_parts();
                let body = body.collect().await.expect("a whole body").to_bytes();
                let is_replayed = parts.headers.contains_key("idempotency-replayed");
                let body = String::from_utf8_lossy(&body).into_owned();
                answers.push((parts.status.as_u16(), is_replayed, body));
            }
        }
        answers
    }

    fn invoke(&self, function: &str, event: &Value) -> Value {
        let file =
            std::env::temp_dir().join(format!("powertools-{}-{function}.json", std::process::id()));
        fs::write(&file, event.to_string()).expect("a file for the event");
        let output = cargo_lambda("invoke", self.address)
            .arg("--data-file")
            .arg(&file)
            .arg(function)
            .output()
            .expect("cargo-lambda is installed");
        fs::remove_file(&file).expect("it is there");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{function}: {stderr}");
        serde_json::from_slice(&output.stdout).expect("a reply in JSON")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SIGINT makes it stop its functions.
        let interrupted =
            Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        if !interrupted.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

fn cargo_lambda(command: &str, address: SocketAddr) -> Command {
    let mut cargo = Command::new("cargo-lambda");
    cargo.args(["lambda", command, "--invoke-address", &address.ip().to_string()]);
    cargo.args(["--invoke-port", &address.port().to_string()]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo
}
