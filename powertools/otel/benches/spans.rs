//! What spans cost: CPU of an event with five of them, the latency of each mode, the start, and the first event, which sets
//! up what the start leaves out.
//!
//! Each function is a process of its own on one thread, so that the kernel counts its CPU time. There are two
//! to compare with: `tracing` is `tracing-opentelemetry` by itself, whose spans go nowhere, and `upstream` is
//! what a person would write by hand to export them before the reply: the SDK's batch processor with the
//! exporter of `opentelemetry-otlp`, and a flush of it where the runtime may block. That exporter has the
//! smallest client there can be, one blocking connection that is kept. Neither has a root span of the event.

#![expect(clippy::print_stdout, reason = "what a bench is for")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use lambda_runtime::{Error, LambdaEvent};
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::trace::SdkTracerProvider;
use powertools::Powertools;
use powertools::logging::Logging;
use powertools::testing::{Event, FakeRuntime, FunctionProcess};
use powertools_otel::Otel;
use tokio::runtime::Runtime;
use tracing_subscriber::prelude::*;

const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
/// Events at a time of one mode, and how often each process of a mode has its turn. The first turn warms up.
const BLOCK: u32 = 200;
const BLOCKS: u32 = 5;
/// Processes of each mode: where the kernel puts its threads makes one slower or faster for all of its life.
const PROCESSES: u32 = 12;
const MODES: [&str; 7] = ["none", "tracing", "upstream", "before", "after", "every", "stdout"];

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("collector"), _) => collect(),
        (Some("function"), Some(mode)) => function(&mode),
        (Some("starts"), _) => starts("http://127.0.0.1:4318"),
        (Some("first"), _) => {
            with_collector(|runtime, endpoint| runtime.block_on(firsts(endpoint)))
        }
        _ => with_collector(measure),
    }
}

/// Takes requests on a port that it writes to its standard output, and answers each with nothing.
fn collect() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    for stream in listener.incoming() {
        let stream = stream.unwrap();
        std::thread::spawn(move || answer(stream));
    }
}

fn answer(mut stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 << 10]);
    loop {
        let end = loop {
            if let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
                let length = text.split("content-length: ").nth(1)?.lines().next()?;
                break head + 4 + length.trim().parse::<usize>().ok()?;
            }
            read(&mut stream, &mut bytes, &mut buffer)?;
        };
        while bytes.len() < end {
            read(&mut stream, &mut bytes, &mut buffer)?;
        }
        bytes.drain(..end);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    }
}

fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>, buffer: &mut [u8]) -> Option<()> {
    let count = stream.read(buffer).ok().filter(|count| *count > 0)?;
    bytes.extend_from_slice(&buffer[..count]);
    Some(())
}

#[tokio::main(flavor = "current_thread")]
async fn function(mode: &str) {
    let function = Powertools::new(handle);
    let run = match mode {
        "none" => function.run(),
        "tracing" => {
            let provider = SdkTracerProvider::builder().build();
            let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
            let filter = tracing_subscriber::filter::LevelFilter::INFO;
            tracing_subscriber::registry().with(layer.with_filter(filter)).init();
            function.run()
        }
        "upstream" => return upstream().await,
        "before" => function.lifecycle(Otel::new()).run(),
        "after" => function.lifecycle(Otel::new().after_reply()).run(),
        "every" => function.lifecycle(Otel::new().every(Duration::from_secs(1))).run(),
        "stdout" => function.lifecycle(Otel::stdout()).run(),
        "logs" => function.logging(Logging::new()).run(),
        "logs and before" => function.logging(Logging::new()).lifecycle(Otel::new()).run(),
        _ => panic!("{mode} is no mode"),
    };
    run.await.unwrap();
}

/// A function that exports by hand.
async fn upstream() {
    let endpoint = std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").unwrap();
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(Client::default())
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .build()
        .unwrap();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
    let filter = tracing_subscriber::filter::LevelFilter::INFO;
    tracing_subscriber::registry().with(layer.with_filter(filter)).init();
    let handle = move |event| {
        let provider = provider.clone();
        async move {
            let answer = handle(event).await;
            tokio::task::spawn_blocking(move || provider.force_flush()).await??;
            answer
        }
    };
    Powertools::new(handle).run().await.unwrap();
}

/// One blocking connection.
#[derive(Debug, Default)]
struct Client(Mutex<Option<TcpStream>>);

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut connection = self.0.lock().unwrap();
        if connection.is_none() {
            let stream = TcpStream::connect(request.uri().authority().unwrap().as_str())?;
            stream.set_nodelay(true)?;
            *connection = Some(stream);
        }
        let stream = connection.as_mut().unwrap();
        let (path, body) = (request.uri().path(), request.body());
        let mut bytes =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len())
                .into_bytes();
        bytes.extend_from_slice(body);
        stream.write_all(&bytes)?;
        let mut answer = [0; 1024];
        let count = stream.read(&mut answer)?;
        assert!(answer[..count].ends_with(b"\r\n\r\n"), "it has no body");
        Ok(Response::new(Bytes::new()))
    }
}

/// Five spans, and the root span where there is one.
async fn handle(event: LambdaEvent<u32>) -> Result<u32, Error> {
    order(event.payload).await;
    Ok(event.payload)
}

#[tracing::instrument]
async fn order(id: u32) {
    step("validate", id).await;
    charge(id).await;
    step("answer", id).await;
}

#[tracing::instrument]
async fn charge(id: u32) {
    step("bank", id).await;
}

#[tracing::instrument]
async fn step(name: &'static str, id: u32) {
    tokio::task::yield_now().await;
}

fn with_collector(measure: fn(&Runtime, &str)) {
    let mut collector = this("collector", "").stdout(Stdio::piped()).spawn().unwrap();
    let port = first_line(&mut collector);
    measure(&Runtime::new().unwrap(), &format!("http://127.0.0.1:{port}"));
    collector.kill().unwrap();
}

fn measure(runtime: &Runtime, endpoint: &str) {
    println!("| mode | CPU of an event | lower quartile | latency p50 | p99 |");
    println!("|---|--:|--:|--:|--:|");
    let measured = runtime.block_on(events(endpoint));
    for (mode, (mut cpu, mut latencies)) in MODES.into_iter().zip(measured) {
        cpu.sort();
        latencies.sort();
        let cpu = |share| cpu[cpu.len() * share / 100] as f64 / 1e3 / f64::from(BLOCK);
        let at = |share: usize| latencies[latencies.len() * share / 100].as_secs_f64() * 1e6;
        println!(
            "| {mode} | {:.1} µs | {:.1} µs | {:.0} µs | {:.0} µs |",
            cpu(50),
            cpu(25),
            at(50),
            at(99)
        );
    }
    runtime.block_on(firsts(endpoint));
    starts(endpoint);
}

/// Whose first events are compared. The function without spans is the floor.
const FIRSTS: [&str; 4] = ["none", "tracing", "upstream", "before"];

/// Starts functions in turns, and compares the first events of one turn.
async fn firsts(endpoint: &str) {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let mut round = Vec::new();
        for mode in FIRSTS {
            round.push(first(mode, endpoint).await);
        }
        rounds.push(round);
    }
    println!(
        "\n| mode | CPU of the first event | beyond `none` | of a later event | beyond `none` |"
    );
    println!("|---|--:|--:|--:|--:|");
    for (at, mode) in FIRSTS.into_iter().enumerate() {
        let micros = |cost: fn(&Costs, &Costs) -> f64| {
            median(rounds.iter().map(|round| cost(&round[at], &round[0])).collect()) / 1e3
        };
        println!(
            "| {mode} | {:.0} µs | {:.0} µs | {:.0} µs | {:.0} µs |",
            micros(|own, _| own.first),
            micros(|own, none| own.first - none.first),
            micros(|own, _| own.later),
            micros(|own, none| own.later - none.later),
        );
    }
}

/// The CPU time of events in nanoseconds.
struct Costs {
    first: f64,
    later: f64,
}

/// Measures the first event of a function, and the mean of later ones.
async fn first(mode: &'static str, endpoint: &str) -> Costs {
    const LATER: u32 = 20;
    let (lambda, function) = spawn(mode, endpoint);
    let process = function.id().unwrap();
    let before = at_rest(process).await;
    invoke(&lambda, 0).await;
    let after = at_rest(process).await;
    let first = (after - before) as f64;
    for number in 0..LATER {
        invoke(&lambda, number).await;
    }
    let later = (at_rest(process).await - after) as f64 / f64::from(LATER);
    function.kill().await;
    Costs { first, later }
}

/// Waits until a function does nothing, as before it has an event, and returns its CPU time.
async fn at_rest(process: u32) -> u64 {
    let mut used = 0;
    loop {
        let before = std::mem::replace(&mut used, cpu(process));
        if used > 0 && used == before {
            return used;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What is started, and what it is compared with.
const STARTS: [(&str, &str); 5] = [
    ("none", "none"),
    ("tracing", "none"),
    ("before", "none"),
    ("logs", "logs"),
    ("logs and before", "logs"),
];

/// Starts functions in turns, and compares those of one turn.
fn starts(endpoint: &str) {
    let rounds = (0..ROUNDS).map(|_| STARTS.map(|(mode, _)| start(mode, endpoint) as f64));
    let rounds: Vec<_> = rounds.collect();
    let index = |name| STARTS.iter().position(|(mode, _)| *mode == name).unwrap();
    println!("\n| mode | CPU from the start to the first poll | of | ratio |\n|---|--:|---|--:|");
    for (at, (mode, base)) in STARTS.into_iter().enumerate() {
        let base_at = index(base);
        let time = median(rounds.iter().map(|round| round[at]).collect());
        let ratio = median(rounds.iter().map(|round| round[at] / round[base_at]).collect());
        println!("| {mode} | {:.2} ms | {base} | {ratio:.3} |", time / 1e6);
    }
}

/// How often each function is started.
const ROUNDS: usize = 150;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Returns the CPU time of each block of events in nanoseconds, and the latency of each event, for each of
/// the modes. They take turns, so that what else the machine does meets all of them.
async fn events(endpoint: &str) -> Vec<(Vec<u64>, Vec<Duration>)> {
    let mut measured = vec![(Vec::new(), Vec::new()); MODES.len()];
    for _ in 0..PROCESSES {
        let functions = MODES.map(|mode| spawn(mode, endpoint));
        for block in 0..BLOCKS {
            for ((lambda, function), (used, latencies)) in functions.iter().zip(&mut measured) {
                let process = function.id().unwrap();
                let (before, measured) = (cpu(process), latencies.len());
                for number in 0..BLOCK {
                    latencies.push(invoke(lambda, number).await);
                }
                match block {
                    0 => latencies.truncate(measured),
                    _ => used.push(cpu(process) - before),
                }
            }
        }
        for (_, function) in functions {
            function.kill().await;
        }
    }
    measured
}

fn spawn(mode: &str, endpoint: &str) -> (FakeRuntime, FunctionProcess) {
    let lambda = FakeRuntime::new()
        .function_name("bench")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_BSP_MAX_QUEUE_SIZE", "100000");
    let function = lambda.spawn(this("function", mode)).unwrap();
    (lambda, function)
}

/// Sends an event, and returns its latency.
async fn invoke(lambda: &FakeRuntime, number: u32) -> Duration {
    let start = Instant::now();
    let outcome = lambda.invoke(Event::new(number).trace_id(TRACE)).await;
    let latency = start.elapsed();
    assert!(outcome.response().is_some(), "{outcome:?}");
    latency
}

/// The nanoseconds that the threads of a process ran.
fn cpu(process: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let of_thread = |thread: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(thread.unwrap().path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    threads.filter_map(of_thread).sum()
}

/// The CPU time in nanoseconds until a function asks for its first event.
fn start(mode: &str, endpoint: &str) -> u64 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = listener.local_addr().unwrap().to_string();
    let mut function = this("function", mode)
        .env("AWS_LAMBDA_RUNTIME_API", api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .spawn()
        .unwrap();
    let (mut connection, _) = listener.accept().unwrap();
    connection.read_exact(&mut [0; 3]).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    let used = cpu(function.id());
    function.kill().unwrap();
    function.wait().unwrap();
    used
}

fn this(role: &str, mode: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([role, mode]).stdout(Stdio::null()).stderr(Stdio::inherit());
    command
}

fn first_line(child: &mut Child) -> String {
    let (mut line, mut byte) = (String::new(), [0]);
    let stdout = child.stdout.as_mut().unwrap();
    while stdout.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
        line.push(char::from(byte[0]));
    }
    line
}
