#!/usr/bin/env bash
# One would guess that all libraries compute one fingerprint for an Avro schema: that is what its
# parsing canonical form is for, and a logical type, which the form leaves out, cannot matter.
# Apache's library for Python leaves the logical type out and keeps the braces: {"type":"long"}. The
# specification has the plain "long", and fastavro and avsc write that. So they agree on a schema of
# plain types, and every schema with a date, a time or a decimal of bytes has another fingerprint.
# Seen on 2026-11-28 with avro 1.12.2 and fastavro 1.13.1 on Python 3.11, avsc 5.7.9 on Node.js 20.
# Seen too: the crate apache-avro 0.22.0 keeps the braces as well.
# For a reader of single-object encoding, or a cache of schemas by fingerprint: an unknown fingerprint
# may be that of a known schema, computed by the other family. Register both.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q avro==1.12.2 fastavro==1.13.1
npm install --silent --no-audit --no-fund --prefix "$dir" avsc@5.7.9

cat > "$dir/schemas.json" <<'JSON'
[
  {"type": "record", "name": "Order", "fields": [{"name": "at", "type": "long"}]},
  {"type": "record", "name": "Order", "fields": [
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}
]
JSON
cat > "$dir/probe.py" <<'PY'
import json
import sys

import avro.schema
import fastavro.schema

for schema in json.load(open(sys.argv[1])):
    apache = avro.schema.parse(json.dumps(schema))
    form = fastavro.schema.to_parsing_canonical_form(schema)
    print("avro", str(apache.canonical_form).split('"fields":')[1], apache.fingerprint("md5").hex())
    print("fastavro", form.split('"fields":')[1], fastavro.schema.fingerprint(form, "md5"))
PY
cat > "$dir/probe.js" <<'JS'
const avro = require('avsc');

for (const schema of require(process.argv[2])) {
  console.log('avsc', avro.Type.forSchema(schema).fingerprint('md5').toString('hex'));
}
JS
cat > "$dir/expected" <<'OUT'
avro [{"name":"at","type":"long"}]} cacb6246301f0848190c76574d84d6a8
fastavro [{"name":"at","type":"long"}]} cacb6246301f0848190c76574d84d6a8
avro [{"name":"at","type":{"type":"long"}}]} ccca69c9b2c8162e37893714b63aa464
fastavro [{"name":"at","type":"long"}]} cacb6246301f0848190c76574d84d6a8
avsc cacb6246301f0848190c76574d84d6a8
avsc cacb6246301f0848190c76574d84d6a8
OUT
"$dir/venv/bin/python" "$dir/probe.py" "$dir/schemas.json" > "$dir/seen"
node "$dir/probe.js" "$dir/schemas.json" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the three computes other fingerprints now"; exit 1; }
echo "as recorded"
