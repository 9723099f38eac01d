#!/usr/bin/env bash
# One would guess that fastavro refuses 19.99 for a field of type long, as avro for Python and avsc for Node.js do:
# Avro has a schema so that a record fits it, and fastavro itself refuses the text "7" there.
# It cuts the fraction off, of a float as of a Decimal, and writes 19. For a boolean it asks whether the value counts as
# true, so that the text "no" is written as true. In a union it looks for a type that fits: null or long refuses 19.99.
# So the same field refuses it as long as it may be null, and cuts it once it may not. strict=True changes nothing.
# Seen on 2026-11-30 with fastavro 1.13.1 and avro 1.12.2 on Python 3.11, avsc 5.7.9 on Node.js 20.
# For amounts and flags in events: a producer that computes a fraction writes valid records with less in them, and no
# reader can tell. Pass validator=True, or call validate() before schemaless_writer, which has no such option.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q fastavro==1.13.1 avro==1.12.2
npm install --silent --no-audit --no-fund --prefix "$dir" avsc@5.7.9

cat > "$dir/probe.py" <<'PY'
import io
import json
from decimal import Decimal

import avro.io
import avro.schema
import fastavro


def with_fastavro(kind, value, **options):
    stream = io.BytesIO()
    try:
        fastavro.writer(stream, {"type": "record", "name": "R", "fields": [{"name": "v", "type": kind}]},
                        [{"v": value}], **options)
    except Exception:
        return "refused"
    stream.seek(0)
    return next(iter(fastavro.reader(stream)))["v"]


def with_avro(kind, value):
    try:
        avro.io.DatumWriter(avro.schema.parse(json.dumps(kind))).write(value, avro.io.BinaryEncoder(io.BytesIO()))
    except avro.errors.AvroException:
        return "refused"
    return "written"


for kind, value in [
    ("long", 20), ("long", "7"), ("long", 19.99), ("long", Decimal("19.99")), (["null", "long"], 19.99),
    ("boolean", "no"),
]:
    print(f"{kind} {value!r}: fastavro {with_fastavro(kind, value)}, strict {with_fastavro(kind, value, strict=True)}, "
          f"validator {with_fastavro(kind, value, validator=True)}, avro {with_avro(kind, value)}")
PY
cat > "$dir/probe.mjs" <<'JS'
import avsc from 'avsc';

for (const [kind, value] of [['long', 20], ['long', 19.99], ['boolean', 'no']]) {
  let seen = 'written';
  try {
    avsc.Type.forSchema(kind).toBuffer(value);
  } catch {
    seen = 'refused';
  }
  console.log(`${kind} ${value}: avsc ${seen}`);
}
JS
cat > "$dir/expected" <<'OUT'
long 20: fastavro 20, strict 20, validator 20, avro written
long '7': fastavro refused, strict refused, validator refused, avro refused
long 19.99: fastavro 19, strict 19, validator refused, avro refused
long Decimal('19.99'): fastavro 19, strict 19, validator refused, avro refused
['null', 'long'] 19.99: fastavro refused, strict refused, validator refused, avro refused
boolean 'no': fastavro True, strict True, validator refused, avro refused
long 20: avsc written
long 19.99: avsc refused
boolean no: avsc refused
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
node "$dir/probe.mjs" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the writers treats these values differently now"; exit 1; }
echo "as recorded"
