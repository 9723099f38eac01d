#!/usr/bin/env bash
# One would guess that the crate aws_lambda_events reads the arrival time of a Kinesis record as what it is in
# the JSON, a number of seconds with a fraction: 1545084650.98 is 980 milliseconds past, as .980 is.
# The digits after the point are taken for a count of milliseconds: .98 is read as 98 ms, .5 as 5 ms. Where the
# number was written without trailing zeros, as JSON's writers do, this hits one record in ten, whose milliseconds
# end in 0, and makes it early by up to 0.9 s. With three digits all is right. Seen too: the fraction of the time
# of a DynamoDB record comes out a thousand times too small.
# Seen on 2026-11-30 with aws_lambda_events 1.2.1 on Rust 1.95.
# For code that measures how far it is behind, or orders records of several shards by time: a record can come out
# before one that arrived earlier. AWS's sample events have three digits each. Test a time format with a fraction
# that has fewer digits than the unit.
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
aws_lambda_events = { version = "=1.2.1", default-features = false, features = ["dynamodb", "kinesis"] }
serde_json = "1"
[profile.dev]
debug = false
TOML
cat > "$dir/src/main.rs" <<'RS'
use aws_lambda_events::{dynamodb::StreamRecord, kinesis::KinesisRecord};

fn main() {
    for time in ["1545084650.979", "1545084650.98", "1545084650.981", "1545084650.5", "1545084650.05"] {
        let time_json = format!(r#"{{"approximateArrivalTimestamp":{time},"data":"","#);
        let text = time_json + r#""sequenceNumber":"1","partitionKey":"1"}"#;
        let record: KinesisRecord = serde_json::from_str(&text).unwrap();
        println!("kinesis {time}: {}", *record.approximate_arrival_timestamp);
    }
    let text = r#"{"ApproximateCreationDateTime":1545084650.5,"Keys":{"id":{"S":"1"}},"SizeBytes":1}"#;
    let record: StreamRecord = serde_json::from_str(text).unwrap();
    println!("dynamodb 1545084650.5: {}", record.approximate_creation_date_time);
}
RS
cat > "$dir/expected" <<'OUT'
kinesis 1545084650.979: 2018-12-17 22:10:50.979 UTC
kinesis 1545084650.98: 2018-12-17 22:10:50.098 UTC
kinesis 1545084650.981: 2018-12-17 22:10:50.981 UTC
kinesis 1545084650.5: 2018-12-17 22:10:50.005 UTC
kinesis 1545084650.05: 2018-12-17 22:10:50.005 UTC
dynamodb 1545084650.5: 2018-12-17 22:10:50.000500 UTC
OUT
CARGO_TARGET_DIR="$dir/target" cargo run -q --manifest-path "$dir/Cargo.toml" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the crate reads these times differently now"; exit 1; }
echo "as recorded"
