//! What spans cost: CPU of an event with five of them, the latency of each mode, and the start.
//!
//! Each function is a process of its own on one thread, so that the kernel counts its CPU time. The
//! figures of `tracing` are those of `tracing-opentelemetry` by itself, whose spans go nowhere.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lambda_runtime::{Error, LambdaEvent};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use powertools::Powertools;
use powertools::testing::{Event, FakeRuntime};
use powertools_otel::Otel;
use tracing_subscriber::prelude::*;

const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
const MODES: [&str; 6] = ["none", "tracing", "before", "after", "every", "stdout"];

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("collector"), _) => collect(),
        (Some("function"), Some(mode)) => function(&mode),
        _ => measure(),
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
        "before" => function.lifecycle(Otel::new()).run(),
        "after" => function.lifecycle(Otel::new().after_reply()).run(),
        "every" => function.lifecycle(Otel::new().every(Duration::from_secs(1))).run(),
        "stdout" => function.lifecycle(Otel::stdout()).run(),
        _ => panic!("{mode} is no mode"),
    };
    run.await.unwrap();
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

fn measure() {
    let mut collector = this("collector", "").stdout(Stdio::piped()).spawn().unwrap();
    let port = first_line(&mut collector);
    let endpoint = format!("http://127.0.0.1:{port}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!("| mode | CPU of an event | latency p50 | p99 |");
    println!("|---|--:|--:|--:|");
    for mode in MODES {
        let (cpu, mut latencies) = runtime.block_on(events(mode, &endpoint, 4_000));
        latencies.sort();
        let at = |share: usize| latencies[latencies.len() * share / 100].as_secs_f64() * 1e6;
        println!("| {mode} | {cpu:.1} µs | {:.0} µs | {:.0} µs |", at(50), at(99));
    }
    let mut starts = [Vec::new(), Vec::new()];
    for _ in 0..60 {
        for (mode, times) in ["none", "before"].into_iter().zip(&mut starts) {
            times.push(start(mode, &endpoint));
        }
    }
    let [without, with] = starts.map(|mut times| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e3
    });
    println!(
        "\nstart to first poll: {without:.2} ms without, {with:.2} ms with: {:.3}",
        with / without
    );
    collector.kill().unwrap();
}

/// Returns the CPU time of an event in microseconds, and the latency of each.
async fn events(mode: &str, endpoint: &str, count: u32) -> (f64, Vec<Duration>) {
    let lambda = FakeRuntime::new()
        .function_name("bench")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_BSP_MAX_QUEUE_SIZE", "100000");
    let function = lambda.spawn(this("function", mode)).unwrap();
    let process = function.id().unwrap();
    let mut latencies = Vec::new();
    let mut before = 0;
    for number in 0..count + 500 {
        if number == 500 {
            before = cpu(process);
            latencies.clear();
        }
        let start = Instant::now();
        let outcome = lambda.invoke(Event::new(number).trace_id(TRACE)).await;
        latencies.push(start.elapsed());
        assert!(outcome.response().is_some(), "{outcome:?}");
    }
    let used = cpu(process) - before;
    function.kill().await;
    (used as f64 / 1e3 / f64::from(count), latencies)
}

/// The nanoseconds that the main thread of a process ran.
fn cpu(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/schedstat")).unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// The time until a function asks for its first event.
fn start(mode: &str, endpoint: &str) -> Duration {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = listener.local_addr().unwrap().to_string();
    let start = Instant::now();
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
    let took = start.elapsed();
    function.kill().unwrap();
    function.wait().unwrap();
    took
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
