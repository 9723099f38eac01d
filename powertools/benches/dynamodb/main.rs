//! What the engine takes beyond the two SDK calls that it makes for new work, and for work whose write it commits.
//!
//! The table is a process of its own that agrees to every write, so its time does not count. See
//! the README beside this folder. `--instructions` counts instructions instead of CPU time.

mod bare;
mod process;
#[path = "../served.rs"]
mod served;
mod table;

use std::env;
use std::future::Future;
use std::hint::black_box;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use lambda_runtime::Context;
use powertools::Invocation;
use powertools::idempotency::transaction::{Commit, Item, Put};
use powertools::idempotency::{DynamoDbStore, Error, Idempotency, LeanClient};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Ways to do the same two requests.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    /// The engine.
    Ours,
    /// The engine, with the client that is not the SDK's.
    Lean,
    /// By hand, each request with its own time limit.
    Limited,
    /// By hand, with one limit for all requests of the client.
    Client,
    /// By hand, with what the SDK does by default: no limit.
    Plain,
    /// The engine, with a write that is committed together with the record.
    Commit,
    /// The same by hand, each request with its own time limit.
    Transaction,
}

/// First calls; the sides beside ours are its floors.
const FIRST_CALLS: [Side; 5] = [Side::Ours, Side::Lean, Side::Limited, Side::Client, Side::Plain];
/// First calls that commit a write.
const COMMITS: [Side; 2] = [Side::Commit, Side::Transaction];

const NAME: &str = "charge";
const TABLE: &str = "idempotency";
const ORDERS: &str = "orders";
const RESULT: &str = r#"{"order_id":"order-000001","cents":17385,"status":"charged"}"#;

/// Pairs of measurements, and first calls in each of them.
const ROUNDS: usize = 12;
const CALLS: u64 = 1000;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [process::SERVE] => process::serve(),
        [process::RUN, side, count, address] => {
            let mut sides = FIRST_CALLS.into_iter().chain(COMMITS);
            let side = sides.find(|&known| format!("{known:?}") == side);
            run(side.expect("a side has this name"), count.parse().expect("a number"), address);
        }
        _ if args.contains(&"--instructions") => {
            table::first_calls("instructions", FIRST_CALLS.map(process::instructions));
            table::commits("instructions", COMMITS.map(process::instructions));
        }
        _ if args.contains(&"--bench") => {
            table::first_calls("µs", time(FIRST_CALLS, ROUNDS, CALLS));
            table::commits("µs", time(COMMITS, ROUNDS, CALLS));
        }
        // `cargo test --benches` only wants to know that it works.
        _ => _ = (time(FIRST_CALLS, 1, 2), time(COMMITS, 1, 2)),
    }
}

/// The CPU time of one first call on each side, in µs: the median of the rounds.
fn time<const N: usize>(sides: [Side; N], rounds: usize, calls: u64) -> [f64; N] {
    let table = process::table();
    let mut times = sides.map(|_| Vec::new());
    for round in 0..rounds {
        for turn in 0..N {
            let index = (turn + round) % N;
            let time = run(sides[index], calls, &table.address);
            times[index].push(time.as_secs_f64() * 1e6 / calls as f64);
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

/// Makes `count` first calls. Returns the CPU time of this process, in and out of the kernel.
fn run(side: Side, count: u64, address: &str) -> Duration {
    let endpoint = &format!("http://{address}");
    let client = client(side, endpoint);
    block_on(async {
        let store = match side {
            Side::Lean => DynamoDbStore::lean(lean(endpoint), TABLE),
            _ => DynamoDbStore::new(client.clone(), TABLE),
        };
        let idempotency = Idempotency::new(store).expect("the options are right");
        let call = async |number: u64| {
            let order = format!("order-{number:06}");
            match side {
                Side::Ours | Side::Lean => {
                    let work = async { Ok::<_, Error>(result()) };
                    let result = idempotency.run(NAME, &order, work).await;
                    black_box(result.expect("the table agrees"));
                }
                Side::Limited => bare::first_call(&client, &order, Some(bare::limits())).await,
                Side::Client | Side::Plain => bare::first_call(&client, &order, None).await,
                Side::Commit => {
                    let call = idempotency.operation(NAME).key(&order).expect("the key is valid");
                    let put = Put::new(
                        ORDERS,
                        Item::new().set("id", order.as_str()).set("cents", 17_385),
                    );
                    let work =
                        async { Ok::<_, Error>(Commit::new(result()).put(put.if_absent("id"))) };
                    black_box(call.commit(work).await.expect("the table agrees"));
                }
                Side::Transaction => bare::commit(&client, &order, bare::limits()).await,
            }
        };

        // Connects, and signs for the first time.
        call(0).await;
        let start = cpu_time();
        for number in 0..count {
            // As between two events: the runtime goes to rest, and each call sets its timers anew.
            tokio::task::yield_now().await;
            call(number).await;
        }
        cpu_time() - start
    })
}

fn result() -> serde_json::Value {
    serde_json::json!({ "order_id": "order-000001", "cents": 17_385, "status": "charged" })
}

fn client(side: Side, endpoint: &str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "bench"))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    let config = match side {
        Side::Client => config.timeout_config(bare::timeouts()).retry_config(bare::retries()),
        _ => config,
    };
    Client::from_conf(config.build())
}

fn lean(endpoint: &str) -> LeanClient {
    LeanClient::builder()
        .region("eu-central-1")
        .credentials("key", "secret", None)
        .endpoint_url(endpoint)
        .build()
        .expect("the settings are valid")
}

/// Runs `work` as in a function: on one thread, inside an invocation.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime
        .expect("a runtime can be had")
        .block_on(Invocation::new(&Context::default()).scope(work))
}

fn cpu_time() -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(tv_sec.cast_unsigned(), u32::try_from(tv_nsec).expect("less than a second"))
}
