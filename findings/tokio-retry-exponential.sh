#!/usr/bin/env bash
# One would guess that ExponentialBackoff::from_millis(100) of the crate tokio-retry starts with a delay of
# 100 ms and doubles it: 100, 200, 400, 800. The crate retry, whose type for this has the same constructor,
# does so.
# The number is the base of the power as well as the first delay: 100 ms, 10 s, 1000 s, more than a day. To
# double, the base has to be 2 and the rest a factor: from_millis(2).factor(50). That the third delay is a
# quarter of an hour shows only in an outage, since the first, of 100 ms, looks right.
# Seen on 2026-11-28 with tokio-retry 0.3.2 and retry 2.2.0 on Rust 1.95.
# For a function: the second retry outlasts a timeout of ten seconds, so the work is cut short instead of
# failing with the error of the service. Set max_delay, and print the delays once in a test.
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
retry = { version = "=2.2.0", default-features = false }
tokio-retry = "=0.3.2"
[profile.dev]
debug = false
TOML
cat > "$dir/src/main.rs" <<'RS'
fn main() {
    let delays = tokio_retry::strategy::ExponentialBackoff::from_millis(100);
    println!("tokio-retry {:?}", delays.take(4).collect::<Vec<_>>());
    let delays = tokio_retry::strategy::ExponentialBackoff::from_millis(2).factor(50);
    println!("tokio-retry, base 2 {:?}", delays.take(4).collect::<Vec<_>>());
    let delays = retry::delay::Exponential::from_millis(100);
    println!("retry {:?}", delays.take(4).collect::<Vec<_>>());
}
RS
cat > "$dir/expected" <<'OUT'
tokio-retry [100ms, 10s, 1000s, 100000s]
tokio-retry, base 2 [100ms, 200ms, 400ms, 800ms]
retry [100ms, 200ms, 400ms, 800ms]
OUT
CARGO_TARGET_DIR="$dir/target" cargo run -q --manifest-path "$dir/Cargo.toml" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two crates computes other delays now"; exit 1; }
echo "as recorded"
