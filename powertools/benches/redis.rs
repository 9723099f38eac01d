//! What the engine takes beyond the two commands that it sends for new work, on a real server.
//!
//! The server is a process of its own: `redis-server` of the system, or the program in the environment variable
//! `REDIS_SERVER`, such as a `valkey-server`. See the README beside this.

use std::env;
use std::future::Future;
use std::hint::black_box;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lambda_runtime::Context;
use powertools::Invocation;
use powertools::idempotency::{Error, Idempotency, RedisStore};
use redis::aio::MultiplexedConnection;
use redis::{Client, cmd};

/// Ways to do the same two writes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    /// The engine.
    Ours,
    /// By hand: a script that claims and one that completes, as the store's.
    Scripts,
    /// By hand: a SET that creates the record, and one that replaces it without a check.
    Bare,
}

const SIDES: [Side; 3] = [Side::Ours, Side::Scripts, Side::Bare];

const RESULT: &str = r#"{"order_id":"order-000001","cents":17385,"status":"charged"}"#;
const WORKERS: u64 = 16;

const CLAIM: &str = "local record = redis.call('GET', KEYS[1])
    if record then return record end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return 1";
const COMPLETE: &str = "local record = redis.call('GET', KEYS[1])
    if not record or string.sub(record, 1, #ARGV[1]) ~= ARGV[1] then return record end
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
    return 1";

fn main() {
    // `cargo test --benches` only wants to know that it works.
    let (rounds, calls) =
        if env::args().any(|arg| arg == "--bench") { (30, 1000) } else { (1, 16) };
    let Some(server) = Server::start() else {
        return eprintln!("skipped: there is no redis-server");
    };
    let one = runtime(1);
    let latencies = measure(rounds, |side, round| {
        block_on(&one, first_calls(side, &server, round, 0..calls)) / calls as u32
    });
    print("one after the other, µs a call", latencies.map(|time| time.as_secs_f64() * 1e6));

    let two = runtime(2);
    let times = measure(rounds / 3 + 1, |side, round| {
        block_on(&two, many_at_once(side, &server, round, 10 * calls))
    });
    let requests = times.map(|time| (2 * 10 * calls) as f64 / time.as_secs_f64());
    print("16 at once on two cores, requests a second", requests);
}

/// The medians of the rounds, in which each side has every place in turn.
fn measure(rounds: usize, mut run: impl FnMut(Side, usize) -> Duration) -> [Duration; 3] {
    let mut times = SIDES.map(|_| Vec::new());
    for round in 0..rounds {
        for turn in 0..SIDES.len() {
            let index = (turn + round) % SIDES.len();
            times[index].push(run(SIDES[index], round));
        }
    }
    times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    })
}

#[expect(clippy::print_stdout, reason = "what a bench is for")]
fn print(what: &str, [ours, scripts, bare]: [f64; 3]) {
    println!("{what}: engine {ours:.1}, two scripts {scripts:.1}, two commands {bare:.1}");
    println!(
        "  the engine beside scripts {:.3}, beside commands {:.3}",
        ours / scripts,
        ours / bare
    );
}

/// Makes first calls one after the other, and returns the time.
async fn first_calls(
    side: Side,
    server: &Server,
    round: usize,
    numbers: std::ops::Range<u64>,
) -> Duration {
    let caller = Caller::new(side, server).await;
    caller.call(&format!("warm-up-{side:?}-{round}-{}", numbers.start)).await;
    let start = Instant::now();
    for number in numbers {
        caller.call(&format!("order-{side:?}-{round}-{number:06}")).await;
    }
    start.elapsed()
}

/// Makes first calls by all workers, and returns the time.
async fn many_at_once(side: Side, server: &Server, round: usize, calls: u64) -> Duration {
    let caller = std::sync::Arc::new(Caller::new(side, server).await);
    caller.call(&format!("warm-up-many-{side:?}-{round}")).await;
    let start = Instant::now();
    let workers = (0..WORKERS).map(|worker| {
        let caller = caller.clone();
        tokio::spawn(Invocation::new(&Context::default()).scope(async move {
            for number in (worker..calls).step_by(WORKERS as usize) {
                caller.call(&format!("many-{side:?}-{round}-{number:06}")).await;
            }
        }))
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("nothing panics");
    }
    start.elapsed()
}

/// A side with its connection.
struct Caller {
    side: Side,
    idempotency: Idempotency<RedisStore>,
    connection: MultiplexedConnection,
    scripts: [redis::Script; 2],
}

impl Caller {
    async fn new(side: Side, server: &Server) -> Self {
        let store = RedisStore::new(&server.url()).expect("the URL is right");
        store.warm_up().await.expect("the server runs");
        let client = Client::open(server.url()).expect("the URL is right");
        Self {
            side,
            idempotency: Idempotency::new(store).expect("the options are right"),
            connection: client.get_multiplexed_async_connection().await.expect("the server runs"),
            scripts: [CLAIM, COMPLETE].map(redis::Script::new),
        }
    }

    async fn call(&self, order: &str) {
        match self.side {
            Side::Ours => {
                let work = async { Ok::<_, Error>(RESULT.to_owned()) };
                let result = self.idempotency.run("charge", order, work).await;
                black_box(result.expect("the server agrees"));
            }
            Side::Scripts => self.by_scripts(&key(order)).await,
            Side::Bare => self.by_commands(&key(order)).await,
        }
    }

    async fn by_scripts(&self, key: &str) {
        let mut connection = self.connection.clone();
        let [claim, complete] = &self.scripts;
        let claimed: i64 = claim
            .key(key)
            .arg(CLAIMED)
            .arg(KEPT)
            .invoke_async(&mut connection)
            .await
            .expect("the server agrees");
        let completed: i64 = complete
            .key(key)
            .arg(HELD)
            .arg(COMPLETED)
            .arg(KEPT)
            .invoke_async(&mut connection)
            .await
            .expect("the server agrees");
        black_box((claimed, completed));
    }

    async fn by_commands(&self, key: &str) {
        let mut connection = self.connection.clone();
        let mut claim = cmd("SET");
        claim.arg(key).arg(CLAIMED).arg("NX").arg("PX").arg(KEPT);
        claim.exec_async(&mut connection).await.expect("the server agrees");
        let mut complete = cmd("SET");
        complete.arg(key).arg(COMPLETED).arg("PX").arg(KEPT);
        complete.exec_async(&mut connection).await.expect("the server agrees");
    }
}

const KEPT: u64 = 3_600_000;
const HELD: &str = r#"{"owner":"0123456789abcdef0123456789abcdef","status":"INPROGRESS""#;
const CLAIMED: &str = r#"{"owner":"0123456789abcdef0123456789abcdef","status":"INPROGRESS","expiration":1800003600,"in_progress_expiration":1800000030000}"#;
const COMPLETED: &str = r#"{"owner":"0123456789abcdef0123456789abcdef","status":"COMPLETED","expiration":1800003600,"data":"{\"order_id\":\"order-000001\",\"cents\":17385,\"status\":\"charged\"}"}"#;

/// As long as the real one.
fn key(order: &str) -> String {
    format!("charge#n1:{order:0>64}")
}

fn runtime(threads: usize) -> tokio::runtime::Runtime {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    runtime.expect("a runtime can be had")
}

/// Runs `work` as in a function: on a worker, inside an invocation.
fn block_on<T>(runtime: &tokio::runtime::Runtime, work: impl Future<Output = T>) -> T {
    runtime.block_on(Invocation::new(&Context::default()).scope(work))
}

/// A server that keeps nothing on disk, and ends with this value.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start() -> Option<Self> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = free.expect("there is a free port").port();
        let program = env::var_os("REDIS_SERVER").unwrap_or_else(|| "redis-server".into());
        let process = Command::new(program)
            .args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        let server = Self { process, port };
        while TcpStream::connect(("127.0.0.1", port)).and_then(|mut it| it.write_all(b"")).is_err()
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        Some(server)
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
