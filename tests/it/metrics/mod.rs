//! Metrics, on the lines that CloudWatch reads.

use std::time::{Duration, SystemTime};

use powertools::metrics::{Metrics, Namespace};
use powertools::testing::{self, CapturedMetrics, InvocationBuilder, ManualClock};
use serde_json::Value;

mod bad_input;
mod ends;
mod facade;
mod isolation;
mod limits;
mod process;
mod python;
mod replays;
mod reuse;
mod scopes;
mod settings;
mod shape;
mod wide;

/// 2026-11-21T02:32:01.566Z.
const NOW: u64 = 1_795_228_321_566;

fn clock() -> ManualClock {
    ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_millis(NOW))
}

fn invocation() -> InvocationBuilder {
    testing::invocation().clock(clock()).function_name("orders-fn")
}

/// What `f` measures in an invocation.
fn measured(f: impl FnOnce()) -> CapturedMetrics {
    let captured = testing::metrics();
    captured.invocation(invocation().build()).sync_scope(f);
    captured
}

/// The lines of what `f` measures in an invocation, as JSON.
fn lines(f: impl FnOnce()) -> Vec<Value> {
    json(&measured(f))
}

fn json(captured: &CapturedMetrics) -> Vec<Value> {
    let lines = captured.json_lines();
    lines.iter().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// Settings that read no variable of this process.
fn metrics(captured: &CapturedMetrics) -> Metrics {
    captured.settings().namespace(Namespace::from_static("Shop")).service("orders")
}
