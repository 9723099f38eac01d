#!/usr/bin/env bash
# One would guess that json-bigint changes how integers above 2^53 are read and leaves fractions to
# JavaScript, all the more with useNativeBigInt, since a BigInt cannot have a fraction.
# The package counts characters: any number with more than 15 of them counts as big. Pi as JavaScript
# itself prints it (3.141592653589793) raises a SyntaxError with useNativeBigInt, and without it
# becomes an object that JSON.stringify writes as a string. 19.99 and 1795830020.538 are numbers.
# Seen on 2026-11-28 with json-bigint 1.0.0 on Node.js 20.
# For services that use it so that ids survive: one computed fraction in an event (a mean, a
# coordinate) makes the whole text unreadable or changes a type. To keep ids exact, keep each
# number's text or send ids as strings.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" json-bigint@1.0.0

cat > "$dir/probe.js" <<'JS'
const bigint = require('json-bigint');

for (const text of ['19.99', '3.141592653589793', '0.30000000000000004', '9007199254740993']) {
  const row = [text];
  for (const options of [{}, { useNativeBigInt: true }]) {
    try {
      const value = bigint(options).parse(text);
      row.push(typeof value === 'bigint' ? `${value}n` : JSON.stringify(value));
    } catch (error) {
      row.push(error.name);
    }
  }
  console.log(row.join(' '));
}
JS
cat > "$dir/expected" <<'OUT'
19.99 19.99 19.99
3.141592653589793 "3.141592653589793" SyntaxError
0.30000000000000004 "0.30000000000000004" SyntaxError
9007199254740993 "9007199254740993" 9007199254740993n
OUT
node "$dir/probe.js" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: json-bigint reads fractions differently now"; exit 1; }
echo "as recorded"
