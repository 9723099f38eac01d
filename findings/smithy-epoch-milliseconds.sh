#!/usr/bin/env bash
# One would guess that the AWS SDK for Rust reads a timestamp of the JSON protocols, such as the
# arrival time 1545084650.123 of a Kinesis record, as that time: DateTime holds whole nanoseconds.
# The JSON number goes through a double whose fraction is then cut: 122,999,906 ns. to_millis() cuts
# once more and gives .122, and it does so for 496 of the 1,000 milliseconds of a second. The same
# digits given as text (DateTime::from_str with EpochSeconds) are read exactly.
# Seen on 2026-11-28 with aws-smithy-types 1.9.3 and aws-smithy-json 0.61.9 on Rust 1.95.
# For code that compares such a time with one from an event or a log line: round to the nearest
# millisecond; to_millis() alone is early by one in half of the cases, and equality fails.
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
aws-smithy-json = "=0.61.9"
aws-smithy-types = "=1.9.3"
[profile.dev]
debug = false
TOML
cat > "$dir/src/main.rs" <<'RS'
use aws_smithy_json::deserialize::{json_token_iter, token::expect_timestamp_or_null};
use aws_smithy_types::{DateTime, date_time::Format::EpochSeconds};

fn from_json(number: &str) -> DateTime {
    let mut tokens = json_token_iter(number.as_bytes());
    expect_timestamp_or_null(tokens.next(), EpochSeconds).unwrap().unwrap()
}

fn main() {
    let text = "1545084650.123";
    let exact = DateTime::from_str(text, EpochSeconds).unwrap();
    for time in [from_json(text), exact] {
        println!("{} {}", time.subsec_nanos(), time.to_millis().unwrap());
    }
    let early = (0..1000)
        .filter(|ms| from_json(&format!("1700000000.{ms:03}")).to_millis().unwrap() == 1_700_000_000_000 + ms - 1)
        .count();
    println!("{early} of 1000 early");
}
RS
cat > "$dir/expected" <<'OUT'
122999906 1545084650122
123000000 1545084650123
496 of 1000 early
OUT
CARGO_TARGET_DIR="$dir/target" cargo run -q --manifest-path "$dir/Cargo.toml" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the SDK's types read fractions of a second differently now"; exit 1; }
echo "as recorded"
