#!/usr/bin/env bash
# One would guess that msgpackr writes a time in milliseconds, a whole number, as an integer: MessagePack has integers
# of 64 bits, @msgpack/msgpack writes one, and msgpackr does so for smaller numbers.
# From 2 to the 32nd on it writes a float of 64 bits, and from 2 to the 31st below zero. In Node.js all numbers are
# alike, so no test there can see it. A reader in Python gets 1796080499089.0, a float, as text another id, and a
# reader with typed fields may refuse it. In CBOR cbor-x, by the same author, does so beyond 2 to the 32nd, above and
# below zero. A BigInt is written as an integer.
# Seen on 2026-11-30 with msgpackr 2.1.4, cbor-x 1.6.9, @msgpack/msgpack 3.1.3 and cbor 10.0.12 on Node.js 20,
# msgpack 1.2.4 and cbor2 6.3.0 on Python 3.11.
# For records that other languages read: a number changes its type as it grows, so that the counter of a young system
# arrives as an integer and that of an old one does not. Write BigInt where an integer is meant.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" msgpackr@2.1.4 cbor-x@1.6.9 @msgpack/msgpack@3.1.3 \
    cbor@10.0.12
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q msgpack==1.2.4 cbor2==6.3.0

cat > "$dir/probe.mjs" <<'JS'
import { encode } from '@msgpack/msgpack';
import cbor from 'cbor';
import * as cborX from 'cbor-x';
import { pack, unpack } from 'msgpackr';

const writers = { msgpackr: pack, '@msgpack/msgpack': encode, 'cbor-x': cborX.encode, cbor: cbor.encode };
for (const [name, write] of Object.entries(writers)) {
  for (const value of [4294967295, 4294967296, -2147483648, -2147483649, 1796080499089]) {
    console.log(name, value, Buffer.from(write(value)).toString('hex'));
  }
}
console.log('msgpackr', '1796080499089n', pack(1796080499089n).toString('hex'));
console.log('msgpackr', 'in-node', Number.isInteger(unpack(pack(1796080499089))));
JS
cat > "$dir/probe.py" <<'PY'
import sys

import cbor2
import msgpack

for line in sys.stdin:
    name, value, written = line.split()
    if value != "in-node":
        data = bytes.fromhex(written)
        written = cbor2.loads(data) if "cbor" in name else msgpack.unpackb(data)
    print(name, value, "->", written)
PY
cat > "$dir/expected" <<'OUT'
msgpackr 4294967295 -> 4294967295
msgpackr 4294967296 -> 4294967296.0
msgpackr -2147483648 -> -2147483648
msgpackr -2147483649 -> -2147483649.0
msgpackr 1796080499089 -> 1796080499089.0
@msgpack/msgpack 4294967295 -> 4294967295
@msgpack/msgpack 4294967296 -> 4294967296
@msgpack/msgpack -2147483648 -> -2147483648
@msgpack/msgpack -2147483649 -> -2147483649
@msgpack/msgpack 1796080499089 -> 1796080499089
cbor-x 4294967295 -> 4294967295
cbor-x 4294967296 -> 4294967296.0
cbor-x -2147483648 -> -2147483648
cbor-x -2147483649 -> -2147483649
cbor-x 1796080499089 -> 1796080499089.0
cbor 4294967295 -> 4294967295
cbor 4294967296 -> 4294967296
cbor -2147483648 -> -2147483648
cbor -2147483649 -> -2147483649
cbor 1796080499089 -> 1796080499089
msgpackr 1796080499089n -> 1796080499089
msgpackr in-node -> true
OUT
node "$dir/probe.mjs" > "$dir/texts"
"$dir/venv/bin/python" "$dir/probe.py" < "$dir/texts" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the writers has other types for these numbers now"; exit 1; }
echo "as recorded"
