//! One start of a program: what it took until it had answered two events.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use powertools::testing::{FakeRuntime, Outcome};
use serde_json::json;
use tokio::process::Command;

use crate::endpoint::Endpoint;

/// What one start took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// From the start of the process until it asked for its first event.
    pub(crate) first_poll: Duration,
    /// From then until its first response.
    pub(crate) first: Duration,
    /// From the second event until its response.
    pub(crate) second: Duration,
    /// The time on a processor until the first response, in and out of the kernel.
    pub(crate) cpu: Duration,
    /// The most memory that it had in use until the first response, in bytes.
    pub(crate) memory: u64,
}

/// Starts `program` and sends it two events, one after the other.
pub(crate) async fn start(program: &Path, endpoint: &Endpoint) -> Start {
    let lambda = lambda(endpoint);
    let order = |number: u32| json!({ "order": format!("order-{number}") });

    // It waits for the function, so that it is delivered with the first poll.
    let first = lambda.send(order(1));
    let started = Instant::now();
    let function = lambda.spawn(command(program)).expect("the program can be started");
    first.delivered().await;
    let polled = Instant::now();
    let outcome = first.outcome().await;
    let answered = Instant::now();
    let process = function.id().expect("it waits for the next event");
    let cpu = cpu(process).expect("the process has a clock");
    let memory = memory(process).expect("the process has a status");
    expect_charged(&outcome, 1, &function.stderr());

    // It has asked for the next event by then, as between two events on Lambda.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let second = lambda.send(order(2));
    second.delivered().await;
    let delivered = Instant::now();
    let outcome = second.outcome().await;
    let second = delivered.elapsed();
    expect_charged(&outcome, 2, &function.stderr());
    function.kill().await;

    Start { first_poll: polled - started, first: answered - polled, second, cpu, memory }
}

/// The instructions of `program` until it has its first two events, by valgrind. In the second it
/// ends itself.
pub(crate) async fn instructions(program: &Path, endpoint: &Endpoint) -> f64 {
    let lambda = lambda(endpoint).timeout(Duration::from_secs(300));
    let mut command = command("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    let function = lambda.spawn(command).expect("valgrind is installed");
    let outcome = lambda.invoke(json!({ "order": "order-1" })).await;
    expect_charged(&outcome, 1, &function.stderr());
    lambda.invoke(json!({ "order": "exit" })).await;
    function.wait().await;
    let report = function.stderr();
    let collected = report.iter().find_map(|line| line.split_once("Collected : "));
    let (_, collected) = collected.unwrap_or_else(|| panic!("callgrind counted none: {report:?}"));
    collected.trim().parse().expect("a number")
}

/// Starts from an empty environment, to which the `FakeRuntime` adds: an inherited `SSL_CERT_DIR` would have every
/// certificate read twice.
fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

fn lambda(endpoint: &Endpoint) -> FakeRuntime {
    let url = format!("https://localhost:{}", endpoint.address.port());
    FakeRuntime::new()
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_SESSION_TOKEN", "token")
        .env("AWS_ENDPOINT_URL", url)
        // What the SDK's own client reads.
        .env("SSL_CERT_FILE", endpoint.system.to_string_lossy())
        // What ours reads, in place of the roots that are compiled in: the endpoint has no
        // certificate of Amazon's.
        .env("AWS_CA_BUNDLE", endpoint.few.to_string_lossy())
        // No files of the person who measures.
        .env("HOME", "/nowhere")
}

fn expect_charged(outcome: &Outcome, order: u32, stderr: &[String]) {
    let receipt = outcome.response().map(|response| response.body().clone());
    let expected = format!("\"charged order-{order}\"");
    assert_eq!(receipt.as_deref(), Some(expected.as_bytes()), "{outcome:?}\n{stderr:#?}");
}

fn cpu(process: u32) -> io::Result<Duration> {
    let process = Pid::from_raw(process.try_into().map_err(io::Error::other)?);
    Ok(clock_gettime(clock_getcpuclockid(process)?)?.into())
}

fn memory(process: u32) -> io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    let kilobytes = kilobytes.ok_or_else(|| io::Error::other("no VmHWM"))?;
    Ok(1024 * kilobytes.parse::<u64>().map_err(io::Error::other)?)
}
