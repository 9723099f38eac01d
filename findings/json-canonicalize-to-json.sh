#!/usr/bin/env bash
# One would guess that json-canonicalize writes a record in the form of RFC 8785, members sorted, however the record's
# objects come to their JSON: that form is there so that both sides of a signature have the same bytes.
# What an object's toJSON returns is written by plain JSON.stringify, at all depths, in the order in which it was made.
# A Buffer or an order with a toJSON of its own is written so, and the receiver, who parses the text and writes it
# again, gets other bytes. canonicalize sorts those too, and rfc8785 for Python, from the same text, gives what
# canonicalize gives.
# Seen on 2026-11-30 with json-canonicalize 3.0.1 and canonicalize 4.0.0 on Node.js 20, rfc8785 0.1.4 on Python 3.11.
# For a hash or a signature over a record: it holds while nothing is parsed in between, and fails at the first reader
# that has only the text. Pass JSON.parse(JSON.stringify(record)) to it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" json-canonicalize@3.0.1 canonicalize@4.0.0
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q rfc8785==0.1.4

cat > "$dir/probe.mjs" <<'JS'
import { canonicalize as second } from 'json-canonicalize';
import first from 'canonicalize';

class Price {
  constructor(units) {
    this.units = units;
  }

  toJSON() {
    return { value: { units: this.units, currency: 'EUR' }, kind: 'price' };
  }
}
for (const record of [{ b: 1, a: { d: 2, c: 3 } }, { price: new Price(7) }, { data: Buffer.from([1]) }]) {
  const texts = [first(record), second(record), second(JSON.parse(JSON.stringify(record)))];
  console.log(texts.map((text) => text.trim()).join('\n'));
}
JS
cat > "$dir/probe.py" <<'PY'
import json
import sys

import rfc8785

names = ["canonicalize", "json-canonicalize", "json-canonicalize, parsed"]
for number, line in enumerate(sys.stdin.read().splitlines()):
    right = rfc8785.dumps(json.loads(line)).decode() == line
    print(f"{names[number % 3]}: {line} {'canonical' if right else 'not canonical'}")
PY
cat > "$dir/expected" <<'OUT'
canonicalize: {"a":{"c":3,"d":2},"b":1} canonical
json-canonicalize: {"a":{"c":3,"d":2},"b":1} canonical
json-canonicalize, parsed: {"a":{"c":3,"d":2},"b":1} canonical
canonicalize: {"price":{"kind":"price","value":{"currency":"EUR","units":7}}} canonical
json-canonicalize: {"price":{"value":{"units":7,"currency":"EUR"},"kind":"price"}} not canonical
json-canonicalize, parsed: {"price":{"kind":"price","value":{"currency":"EUR","units":7}}} canonical
canonicalize: {"data":{"data":[1],"type":"Buffer"}} canonical
json-canonicalize: {"data":{"type":"Buffer","data":[1]}} not canonical
json-canonicalize, parsed: {"data":{"data":[1],"type":"Buffer"}} canonical
OUT
node "$dir/probe.mjs" > "$dir/texts"
"$dir/venv/bin/python" "$dir/probe.py" < "$dir/texts" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: json-canonicalize writes these records differently now"; exit 1; }
echo "as recorded"
