#!/usr/bin/env bash
# One would guess that the insert event of a DocumentDB change stream, read with the crate
# aws_lambda_events, holds the inserted document: the sample event in AWS's documentation has it in
# fullDocument, and it is what the function was invoked for.
# The type has no such field. Parsing succeeds and the document is dropped; insert, replace and
# update (with the full document switched on in the event source mapping) are alike. Only the
# feature catch-all-fields keeps it, as untyped JSON. The crate's own samples have no fullDocument.
# Seen on 2026-11-28 with aws_lambda_events 1.2.1 on Rust 1.95.
# For a function with this source: read the event with types of one's own (or as serde_json::Value).
# A test that only asks whether an event parses does not notice.
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
aws_lambda_events = { version = "=1.2.1", default-features = false, features = ["documentdb"] }
serde_json = "=1.0.154"
[profile.dev]
debug = false
TOML
cat > "$dir/src/main.rs" <<'RS'
use aws_lambda_events::event::documentdb::DocumentDbEvent;
use serde_json::{Value, json};

fn main() {
    for operation in ["insert", "replace", "update"] {
        let event = json!({
            "eventSourceArn": "arn:aws:rds:eu-west-1:123456789012:cluster:c",
            "eventSource": "aws:docdb",
            "events": [{"event": {
                "_id": {"_data": "01"},
                "clusterTime": {"$timestamp": {"t": 1676588775, "i": 9}},
                "documentKey": {"_id": {"$oid": "63eeb6e7d418cd98afb1c1d7"}},
                "fullDocument": {"_id": {"$oid": "63eeb6e7d418cd98afb1c1d7"}, "total": 9},
                "ns": {"db": "shop", "coll": "orders"},
                "operationType": operation,
                "updateDescription": {"removedFields": [], "truncatedArrays": [], "updatedFields": {"total": 9}},
            }}],
        });
        let typed: DocumentDbEvent = serde_json::from_value(event.clone()).unwrap();
        let kept = serde_json::to_value(&typed).unwrap();
        let full = |event: &Value| event.pointer("/events/0/event/fullDocument").is_some();
        println!("{operation}: sent {}, kept {}", full(&event), full(&kept));
    }
}
RS
cat > "$dir/expected" <<'OUT'
insert: sent true, kept false
replace: sent true, kept false
update: sent true, kept false
OUT
CARGO_TARGET_DIR="$dir/target" cargo run -q --manifest-path "$dir/Cargo.toml" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: aws_lambda_events treats fullDocument differently now"; exit 1; }
echo "as recorded"
