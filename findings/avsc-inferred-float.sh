#!/usr/bin/env bash
# One would guess that avsc infers the type double for a number with a fraction, since that is what
# JavaScript's numbers are, and that a value survives the schema that was inferred from it.
# It infers float, of 32 bits, for fractions and for whole numbers beyond an int's range alike (a long only
# where it is told so). 0.1 comes back as 0.10000000149011612, and a time in milliseconds is off by 25 s.
# Seen on 2026-11-28 with avsc 5.7.9 on Node.js 20.
# For a consumer in another language: amounts and times that look slightly wrong may have been cut by the
# producer's schema, and no reader can mend that. Write schemas by hand, or pass a typeHook that widens them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" avsc@5.7.9

cat > "$dir/probe.js" <<'JS'
const { Type } = require("avsc");

for (const value of [7, 0.1, 1795824000123]) {
  const type = Type.forValue(value);
  console.log(JSON.stringify(type.schema()), value, "->", type.fromBuffer(type.toBuffer(value)));
}
const record = Type.forValue({ amount: 19.99, currency: "EUR" });
console.log(record.fields.map((field) => `${field.name}: ${field.type}`).join(", "));
console.log(record.fromBuffer(record.toBuffer({ amount: 19.99, currency: "EUR" })).amount);
JS
cat > "$dir/expected" <<'OUT'
"int" 7 -> 7
"float" 0.1 -> 0.10000000149011612
"float" 1795824000123 -> 1795824025600
amount: "float", currency: "string"
19.989999771118164
OUT
node "$dir/probe.js" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: avsc infers other types now"; exit 1; }
echo "as recorded"
