#!/usr/bin/env bash
# The reader's schema has a field of bytes that the writer did not know, with the default "\u00ff".
# One would guess the one byte ff: in the default of bytes and fixed, the specification has each code
# point from 0 to 255 stand for the byte of that value. avsc for Node.js gives that.
# fastavro gives the str "ÿ" where every record that has the field gives bytes. Apache's library for
# Python encodes the text as UTF-8, two bytes, and so fills a fixed of two bytes with three.
# Seen on 2026-11-28 with avro 1.12.2 and fastavro 1.13.1 on Python 3.11, avsc 5.7.9 on Node.js 20.
# Seen too: the crate apache-avro 0.22.0 encodes the text as UTF-8, but not the default of a decimal.
# For schemas that evolve: keep such defaults empty or to code points below 80 (hexadecimal), where
# the bytes at least are the same, and check the type of what a reader puts there.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q avro==1.12.2 fastavro==1.13.1
npm install --silent --no-audit --no-fund --prefix "$dir" avsc@5.7.9

cat > "$dir/schemas.json" <<'JSON'
{
  "writer": {"type": "record", "name": "Order", "fields": []},
  "readers": [
    {"type": "record", "name": "Order", "fields": [{"name": "mark", "type": "bytes", "default": "\u00ff"}]},
    {"type": "record", "name": "Order", "fields": [
      {"name": "mark", "type": {"type": "fixed", "name": "Mark", "size": 2}, "default": "\u0001\u00ff"}]}
  ]
}
JSON
cat > "$dir/probe.py" <<'PY'
import io
import json
import sys

import avro.io
import avro.schema
import fastavro

schemas = json.load(open(sys.argv[1]))
for reader in schemas["readers"]:
    writer, resolved = (avro.schema.parse(json.dumps(schema)) for schema in (schemas["writer"], reader))
    apache = avro.io.DatumReader(writer, resolved).read(avro.io.BinaryDecoder(io.BytesIO()))
    fast = fastavro.schemaless_reader(io.BytesIO(), schemas["writer"], reader)
    print("avro", ascii(apache["mark"]), "fastavro", ascii(fast["mark"]))
PY
cat > "$dir/probe.js" <<'JS'
const avro = require('avsc');

const { writer, readers } = require(process.argv[2]);
for (const schema of readers) {
  const reader = avro.Type.forSchema(schema);
  const resolver = reader.createResolver(avro.Type.forSchema(writer));
  console.log('avsc', reader.fromBuffer(Buffer.alloc(0), resolver).mark.toString('hex'));
}
JS
cat > "$dir/expected" <<'OUT'
avro b'\xc3\xbf' fastavro '\xff'
avro b'\x01\xc3\xbf' fastavro '\x01\xff'
avsc ff
avsc 01ff
OUT
"$dir/venv/bin/python" "$dir/probe.py" "$dir/schemas.json" > "$dir/seen"
node "$dir/probe.js" "$dir/schemas.json" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the three reads defaults of bytes differently now"; exit 1; }
echo "as recorded"
