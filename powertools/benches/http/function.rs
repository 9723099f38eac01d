use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use lambda_runtime::Error;
use powertools::Powertools;
use powertools::logging::{Logging, correlation};
use powertools::metrics::{Metrics, Namespace};
use powertools::runtime::lifecycle::{HandlerBegins, HandlerEnds, Lifecycle, Moments};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::runtime_api;
use crate::served::Served;

/// The argument that makes this program one of the functions.
pub(crate) const RUN: &str = "--function";

/// Requests before those that are measured.
const WARM_UP: u64 = 200;

/// Numbers of requests whose difference is counted.
const COUNTS: [u64; 2] = [200, 700];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Side {
    Ours,
    LambdaHttp,
}

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Case {
    /// The router logs nothing, and `lambda_http` runs without a subscriber.
    Silent,
    /// The router logs one line, as JSON: with ours, and with the default subscriber of the runtime.
    Line,
    /// The same through a REST API.
    RestApi,
}

impl Case {
    pub(crate) const ALL: [Self; 3] = [Self::Silent, Self::Line, Self::RestApi];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Silent => "HTTP API, nothing logged",
            Self::Line => "HTTP API, one log line",
            Self::RestApi => "REST API, one log line",
        }
    }

    fn event(self) -> &'static str {
        if self == Self::RestApi { "rest" } else { "http" }
    }

    /// The CPU time of one request, in and out of the kernel, in µs.
    pub(crate) fn time(self, side: Side, requests: u64) -> f64 {
        let program = std::env::current_exe().expect("a program has a path");
        let Output { stderr, .. } = self.process(Command::new(program), side, requests);
        let nanos: f64 = stderr
            .trim_ascii()
            .utf8_chunks()
            .map(|chunk| chunk.valid())
            .collect::<String>()
            .parse()
            .expect("a function tells its time");
        nanos / 1e3 / requests as f64
    }

    /// The instructions of one request outside of the kernel, by `valgrind`.
    pub(crate) fn instructions(self, side: Side) -> f64 {
        let [few, many] = COUNTS;
        let count = |requests| {
            let mut valgrind = Command::new("valgrind");
            valgrind
                .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
                .arg(std::env::current_exe().expect("a program has a path"));
            let Output { stderr, .. } = self.process(valgrind, side, requests);
            let report = String::from_utf8_lossy(&stderr).into_owned();
            let collected = report.lines().find_map(|line| line.split_once("Collected : "));
            let (_, collected) = collected.expect("callgrind reports how many it counted");
            collected.trim().parse::<f64>().expect("a number")
        };
        (count(many) - count(few)) / (many - few) as f64
    }

    fn process(self, mut command: Command, side: Side, requests: u64) -> Output {
        let api = Served::start(&[runtime_api::SERVE, self.event()]);
        let output = command
            .args([RUN, &format!("{self:?}"), &format!("{side:?}"), &requests.to_string()])
            .env("AWS_LAMBDA_RUNTIME_API", &api.address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "orders")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .env("AWS_LAMBDA_LOG_LEVEL", "INFO")
            .env_remove("AWS_LAMBDA_MAX_CONCURRENCY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .expect("the program can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }
}

#[derive(Clone)]
struct Shop {
    logs: bool,
    seen: &'static Seen,
}

/// Ends the process after so many requests.
struct Seen {
    count: AtomicU64,
    last: u64,
    start: OnceLock<Duration>,
}

impl Seen {
    #[expect(clippy::print_stderr, reason = "how the time reaches the bench")]
    fn one(&self) {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        if count == WARM_UP {
            let _ = self.start.set(cpu_time());
        }
        if count == self.last
            && let Some(start) = self.start.get()
        {
            eprintln!("{}", (cpu_time() - *start).as_nanos());
            std::process::exit(0);
        }
    }
}

fn cpu_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().expect("it is not negative")
}

#[derive(Deserialize)]
struct Order {
    customer: String,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    sku: String,
    amount: u32,
    cents: u32,
}

#[derive(Serialize)]
struct Receipt {
    order: u32,
    customer: String,
    skus: Vec<String>,
    cents: u32,
}

async fn place(
    State(shop): State<Shop>,
    Path(order): Path<u32>,
    Json(placed): Json<Order>,
) -> (StatusCode, Json<Receipt>) {
    shop.seen.one();
    if shop.logs {
        tracing::info!(order, items = placed.items.len(), "placed");
    }
    let Order { customer, items } = placed;
    let cents = items.iter().map(|item| item.amount * item.cents).sum();
    let skus = items.into_iter().map(|item| item.sku).collect();
    (StatusCode::CREATED, Json(Receipt { order, customer, skus, cents }))
}

/// A value of the lifecycle that only counts.
#[derive(Default)]
struct Counts(AtomicU64);

impl Lifecycle for Counts {
    fn moments(&self) -> Moments {
        Moments::HANDLER_BEGINS | Moments::HANDLER_ENDS
    }

    fn handler_begins(&self, _: &HandlerBegins<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn handler_ends(&self, _: &HandlerEnds<'_>) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Is one of the functions, until it has seen so many requests.
pub(crate) fn run(case: &str, side: &str, requests: &str) {
    let case = Case::ALL.into_iter().find(|known| format!("{known:?}") == case);
    let case = case.expect("a case has this name");
    let requests: u64 = requests.parse().expect("a number");
    let seen = Box::leak(Box::new(Seen {
        count: AtomicU64::new(0),
        last: WARM_UP + requests,
        start: OnceLock::new(),
    }));
    let shop = Shop { logs: case != Case::Silent, seen };
    let router = Router::new().route("/prod/orders/{id}", post(place));
    let router = router.route("/orders/{id}", post(place)).with_state(shop);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.expect("a runtime can be had").block_on(async {
        if side == "Ours" { ours(router).await } else { by_lambda_http(case, router).await }
    });
    panic!("it ends by itself after the last request: {ended:?}");
}

/// With everything on.
async fn ours(router: Router) -> Result<(), Error> {
    Powertools::http(router)
        .logging(Logging::new().correlation_id(correlation::API_GATEWAY_HTTP))
        .metrics(Metrics::new().namespace(Namespace::from_static("Shop")))
        .warm_up("nothing", || async { Ok::<_, Error>(()) })
        .lifecycle(Counts::default())
        .run()
        .await
}

async fn by_lambda_http(case: Case, router: Router) -> Result<(), Error> {
    if case != Case::Silent {
        lambda_runtime::tracing::init_default_subscriber();
    }
    lambda_http::run(router).await
}
