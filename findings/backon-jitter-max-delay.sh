#!/usr/bin/env bash
# One would guess that with_max_delay(1 s) of the crate backon is the longest delay there is, with or without
# jitter: it is "max", and the crates exponential-backoff and retry-policies hold to their maximum.
# The limit is put on the delay before the jitter, and with_jitter() then adds up to as much again: delays come
# close to 2 s. In the crate backoff, whose field is max_interval, they come close to 1.5 s.
# Seen on 2026-11-30 with backon 1.6.0, backoff 0.4.0, exponential-backoff 2.1.1 and retry-policies 0.5.2 on
# Rust 1.95. The program below takes the longest of some thousand delays.
# For a budget of time, as a function has: four delays at the limit, planned as 4 s, take between 4 s and 8 s.
# Bound the sum, or take the smaller of the delay and what is left.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat > "$dir/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2024"
[dependencies]
backoff = "=0.4.0"
backon = { version = "=1.6.0", default-features = false, features = ["std"] }
exponential-backoff = "=2.1.1"
retry-policies = "=0.5.2"
[profile.dev]
debug = false
TOML
cat > "$dir/src/main.rs" <<'RS'
use std::time::{Duration, SystemTime};

use backoff::backoff::Backoff as _;
use backon::BackoffBuilder as _;
use retry_policies::{RetryDecision, RetryPolicy as _};

const FIRST: Duration = Duration::from_millis(100);
const MOST: Duration = Duration::from_secs(1);

fn say(name: &str, delays: impl Iterator<Item = Duration>) {
    let longest = delays.max().unwrap().as_secs_f64();
    let whole = ["up to 1 s", "up to 1.5 s", "up to 2 s"];
    println!("{name}: {}", whole[if longest <= 1.0 { 0 } else if longest <= 1.5 { 1 } else { 2 }]);
}

fn main() {
    let backon = backon::ExponentialBuilder::default().with_min_delay(FIRST).with_max_delay(MOST).with_max_times(8);
    say("backon", (0..1000).flat_map(|_| backon.build()));
    say("backon with jitter", (0..1000).flat_map(|_| backon.with_jitter().build()));
    say("backoff", (0..1000).flat_map(|_| {
        let mut delays = backoff::ExponentialBackoff { max_interval: MOST, ..Default::default() };
        (0..8).map_while(move |_| delays.next_backoff())
    }));
    let delays = exponential_backoff::Backoff::new(8, FIRST, MOST);
    say("exponential-backoff", (0..1000).flat_map(|_| delays.iter().flatten()));
    let policy = retry_policies::policies::ExponentialBackoff::builder().retry_bounds(FIRST, MOST);
    let policy = policy.build_with_max_retries(8);
    say("retry-policies", (0..8000).map(|n| match policy.should_retry(SystemTime::now(), n % 8) {
        RetryDecision::Retry { execute_after } => execute_after.duration_since(SystemTime::now()).unwrap_or_default(),
        RetryDecision::DoNotRetry => Duration::ZERO,
    }));
}
RS
cat > "$dir/expected" <<'OUT'
backon: up to 1 s
backon with jitter: up to 2 s
backoff: up to 1.5 s
exponential-backoff: up to 1 s
retry-policies: up to 1 s
OUT
CARGO_TARGET_DIR="$dir/target" cargo run -q --manifest-path "$dir/Cargo.toml" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the crates holds to another maximum now"; exit 1; }
echo "as recorded"
