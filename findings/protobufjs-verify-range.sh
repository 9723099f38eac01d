#!/usr/bin/env bash
# One would guess that verify() of protobufjs, whose task is to say whether an object may be encoded, refuses
# 3000000000 for an int32: it refuses 1.5 and "7" there.
# It asks only whether the number is whole. encode() then keeps the lowest 32 bits, so that 3000000000 arrives
# as -1294967296, 4294967301 as 5, and -1 for a uint32 as 4294967295. fromObject() does the same. The library
# for Python raises.
# Seen on 2026-11-30 with protobufjs 8.8.1 on Node.js 20 and protobuf 7.36.2 on Python 3.11.
# For amounts in cents and times in milliseconds in an int32 that has grown too small: the producer checks, the
# consumer reads a plausible number, and nobody raises. Check the range before encoding, and test it at 2^31.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" protobufjs@8.8.1
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q protobuf==7.36.2

cat > "$dir/probe.js" <<'JS'
const protobuf = require('protobufjs');

const source = 'syntax = "proto3"; message Payment { int32 cents = 1; uint32 count = 2; }';
const Payment = protobuf.parse(source).root.lookupType('Payment');
for (const fields of [{ cents: 1.5 }, { cents: 3000000000 }, { cents: 4294967301 }, { count: -1 }]) {
  const wrong = Payment.verify(fields);
  const arrived = wrong || JSON.stringify(Payment.decode(Payment.encode(fields).finish()));
  console.log('javascript', JSON.stringify(fields), '->', arrived);
}
JS
cat > "$dir/probe.py" <<'PY'
from google.protobuf.wrappers_pb2 import Int32Value, UInt32Value

for kind, value in [(Int32Value, 3000000000), (Int32Value, 4294967301), (UInt32Value, -1)]:
    try:
        print("python", kind.__name__, value, "->", kind(value=value).value)
    except ValueError as error:
        print("python", kind.__name__, value, "->", type(error).__name__)
PY
cat > "$dir/expected" <<'OUT'
javascript {"cents":1.5} -> cents: integer expected
javascript {"cents":3000000000} -> {"cents":-1294967296}
javascript {"cents":4294967301} -> {"cents":5}
javascript {"count":-1} -> {"count":4294967295}
python Int32Value 3000000000 -> ValueError
python Int32Value 4294967301 -> ValueError
python UInt32Value -1 -> ValueError
OUT
node "$dir/probe.js" > "$dir/seen"
"$dir/venv/bin/python" "$dir/probe.py" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the libraries treats such numbers differently now"; exit 1; }
echo "as recorded"
