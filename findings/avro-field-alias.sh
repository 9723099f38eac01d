#!/usr/bin/env bash
# The reader's schema calls a field "total" that the writer's calls "sum", and says so: aliases: ["sum"]. It has a
# default as well. One would guess the writer's value: renaming a field is what aliases are for.
# Apache's own library for Python and the crate apache-avro do not look at the aliases of fields. The value is
# skipped as a field that the reader does not know, and the default stands in its place, without an error.
# fastavro and avsc give the value.
# Seen on 2026-11-30 with avro 1.12.2 and fastavro 1.13.1 on Python 3.11, avsc 5.7.9 on Node.js 20 and apache-avro
# 0.22.0 on Rust 1.95.
# For a consumer that renames a field: every order written before has a total of 0. Without a default it would be an
# error. Keep the old name in the schema, and read both names where old data is met.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q avro==1.12.2 fastavro==1.13.1
npm install --silent --no-audit --no-fund --prefix "$dir" avsc@5.7.9

cat > "$dir/writer" <<'JSON'
{"type": "record", "name": "Order", "fields": [{"name": "sum", "type": "int"}]}
JSON
cat > "$dir/reader" <<'JSON'
{"type": "record", "name": "Order", "fields": [
  {"name": "total", "type": "int", "aliases": ["sum"], "default": 0}]}
JSON
cat > "$dir/probe.py" <<'PY'
import io
import json
import sys

import avro.io
import avro.schema
import fastavro

writer, reader = (open(f"{sys.argv[1]}/{name}").read() for name in ["writer", "reader"])
data = io.BytesIO()
fastavro.schemaless_writer(data, json.loads(writer), {"sum": 5})
data.seek(0)
print("fastavro", fastavro.schemaless_reader(data, json.loads(writer), json.loads(reader))["total"])
data.seek(0)
datum = avro.io.DatumReader(avro.schema.parse(writer), avro.schema.parse(reader))
print("avro", datum.read(avro.io.BinaryDecoder(data))["total"])
PY
cat > "$dir/probe.js" <<'JS'
const { readFileSync } = require('fs');
const { Type } = require('avsc');

const [writer, reader] = ['writer', 'reader']
  .map((name) => Type.forSchema(JSON.parse(readFileSync(`${__dirname}/${name}`))));
console.log('avsc', reader.fromBuffer(writer.toBuffer({ sum: 5 }), reader.createResolver(writer)).total);
JS
mkdir "$dir/src"
cat > "$dir/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2024"
[dependencies]
apache-avro = { version = "=0.22.0", default-features = false }
[profile.dev]
debug = false
TOML
cat > "$dir/src/main.rs" <<'RS'
use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;

fn main() {
    let writer = Schema::parse_str(include_str!("../writer")).unwrap();
    let reader = Schema::parse_str(include_str!("../reader")).unwrap();
    let datum = GenericDatumReader::builder(&writer).reader_schema(&reader).build().unwrap();
    let Value::Record(fields) = datum.read_value(&mut &[10][..]).unwrap() else { panic!("a record") };
    let [(_, Value::Int(total))] = &fields[..] else { panic!("{fields:?}") };
    println!("apache-avro {total}");
}
RS
cat > "$dir/expected" <<'OUT'
fastavro 5
avro 0
avsc 5
apache-avro 0
OUT
"$dir/venv/bin/python" "$dir/probe.py" "$dir" > "$dir/seen"
node "$dir/probe.js" >> "$dir/seen"
CARGO_TARGET_DIR="$dir/target" cargo run -q --manifest-path "$dir/Cargo.toml" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the libraries reads aliases differently now"; exit 1; }
echo "as recorded"
