#!/usr/bin/env bash
# One would guess that the crate jmespath, which keeps 64-bit integers as they are (9007199254740993
# comes out of "@" unchanged), also compares them as integers.
# "==" compares them as doubles: 9007199254740992 and 9007199254740993 are equal, and a filter such
# as [?id == `9007199254740993`] finds the record of another id as well. jmespath for Python
# compares the exact integers.
# Seen on 2026-11-28 with the crate jmespath 0.5.0 on Rust 1.95 and jmespath 1.1.0 on Python 3.11.
# For keys that are taken by JMESPath: two orders with ids above 2^53 can come out as one, and their
# idempotency records with them. Compare integers as integers.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q jmespath==1.1.0
mkdir "$dir/src"
cat > "$dir/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2024"
[dependencies]
jmespath = "=0.5.0"
[profile.dev]
debug = false
TOML
cat > "$dir/src/main.rs" <<'RS'
fn main() {
    let orders = r#"[{"id":9007199254740992,"to":"a"},{"id":9007199254740993,"to":"b"}]"#;
    for text in ["[1].id", "[0].id == [1].id", "[?id == `9007199254740993`].to"] {
        let data = jmespath::Variable::from_json(orders).unwrap();
        println!("{text}: {}", jmespath::compile(text).unwrap().search(data).unwrap());
    }
}
RS
cat > "$dir/probe.py" <<'PY'
import json

import jmespath

orders = [{"id": 9007199254740992, "to": "a"}, {"id": 9007199254740993, "to": "b"}]
for text in ["[1].id", "[0].id == [1].id", "[?id == `9007199254740993`].to"]:
    print(f"{text}: {json.dumps(jmespath.search(text, orders), separators=(',', ':'))}")
PY
cat > "$dir/expected" <<'OUT'
[1].id: 9007199254740993
[0].id == [1].id: true
[?id == `9007199254740993`].to: ["a","b"]
[1].id: 9007199254740993
[0].id == [1].id: false
[?id == `9007199254740993`].to: ["b"]
OUT
CARGO_TARGET_DIR="$dir/target" cargo run -q --manifest-path "$dir/Cargo.toml" > "$dir/seen"
"$dir/venv/bin/python" "$dir/probe.py" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two compares integers differently now"; exit 1; }
echo "as recorded"
