#!/usr/bin/env bash
# One would guess that [?(@.status != 'done')] selects every order that is not done, also those that have no
# status or a null: RFC 9535 says so, for what is absent or of another type is not equal.
# The crate jsonpath_lib selects only orders whose status is another string. Those without one, with null, with a
# number are left out by == and by != alike. The crates serde_json_path and jsonpath-rust select them.
# Seen on 2026-11-30 with jsonpath_lib 0.3.0, serde_json_path 0.7.2 and jsonpath-rust 1.0.12 on Rust 1.95.
# For a filter that looks for what is left to do: the orders nobody has touched yet are the ones that it misses.
# Have an element without the field in the tests of a filter, and select what is done, to subtract it.
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
jsonpath-rust = "=1.0.12"
jsonpath_lib = "=0.3.0"
serde_json = "1"
serde_json_path = "=0.7.2"
[profile.dev]
debug = false
TOML
cat > "$dir/src/main.rs" <<'RS'
use jsonpath_rust::JsonPath as _;
use serde_json::json;

fn main() {
    let orders = json!([
        {"id": 1, "status": "done"}, {"id": 2, "status": "open"}, {"id": 3}, {"id": 4, "status": null},
        {"id": 5, "status": 0},
    ]);
    for path in ["$[?(@.status == 'done')].id", "$[?(@.status != 'done')].id"] {
        let found = jsonpath_lib::select(&orders, path).unwrap();
        println!("jsonpath_lib {path} {}", json!(found));
        let found = serde_json_path::JsonPath::parse(path).unwrap().query(&orders).all();
        println!("serde_json_path {path} {}", json!(found));
        println!("jsonpath-rust {path} {}", json!(orders.query(path).unwrap()));
    }
}
RS
cat > "$dir/expected" <<'OUT'
jsonpath_lib $[?(@.status == 'done')].id [1]
serde_json_path $[?(@.status == 'done')].id [1]
jsonpath-rust $[?(@.status == 'done')].id [1]
jsonpath_lib $[?(@.status != 'done')].id [2]
serde_json_path $[?(@.status != 'done')].id [2,3,4,5]
jsonpath-rust $[?(@.status != 'done')].id [2,3,4,5]
OUT
CARGO_TARGET_DIR="$dir/target" cargo run -q --manifest-path "$dir/Cargo.toml" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the crates selects other orders now"; exit 1; }
echo "as recorded"
