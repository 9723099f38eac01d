#!/usr/bin/env bash
# One would guess that the package structured-headers writes the number 1.0005 as the decimal 1.0
# (HTTP structured fields have at most three digits after the point, rounded to even).
# It writes "1.", a decimal without a digit after its point. That is not a valid field: the RFC
# wants at least one digit there, and the package's own parser refuses what it wrote. It happens to
# every fraction that rounds to a whole number in three digits. The crate sfv writes "1.0".
# Seen on 2026-11-28 with structured-headers 2.1.0 on Node.js 20.
# For a reader of such headers (Idempotency-Key's parameters, rate limits): a field with a bad
# parameter is invalid as a whole, so the key in front of it is lost as well; answer 400 and say so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" structured-headers@2.1.0

cat > "$dir/probe.mjs" <<'JS'
import { parseItem, serializeItem } from 'structured-headers';

for (const number of [1.5, 1.001, 1.0005, 0.0002]) {
  const text = serializeItem(['key', new Map([['t', number]])]);
  let read;
  try {
    read = parseItem(text)[1].get('t');
  } catch (error) {
    read = error.constructor.name;
  }
  console.log(number, text, read);
}
JS
cat > "$dir/expected" <<'OUT'
1.5 "key";t=1.5 1.5
1.001 "key";t=1.001 1.001
1.0005 "key";t=1. ParseError
0.0002 "key";t=0. ParseError
OUT
node "$dir/probe.mjs" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: structured-headers writes decimals differently now"; exit 1; }
echo "as recorded"
