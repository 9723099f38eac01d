#!/usr/bin/env bash
# One would guess that the condition {"beta": true} of a GrowthBook flag means {"beta": {"$eq": true}},
# as in MongoDB, whose syntax it borrows, and that every SDK decides alike.
# The JavaScript SDK converts the attribute to the type of a bare value before it compares: true also
# matches "no" (a string that is not empty), 0 matches "", "VIP" matches ["VIP"]. With $eq and $in it
# compares strictly. The Python SDK compares strictly in both forms.
# Seen on 2026-11-28 with @growthbook/growthbook 1.8.0 on Node.js 20, growthbook 4.0.0 on Python 3.11.
# For flags that a browser and a function both evaluate: write $eq, or one of the two turns the flag
# on for everyone whose attribute says "no". A rules engine of one's own must not convert types.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @growthbook/growthbook@1.8.0
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q growthbook==4.0.0

cat > "$dir/cases.json" <<'JSON'
[[true, "no"], [true, 1], [0, ""], ["VIP", ["VIP"]], [5, 5]]
JSON
cat > "$dir/probe.mjs" <<'JS'
import { readFileSync } from 'node:fs';
import { GrowthBook } from '@growthbook/growthbook';

const on = (condition, attribute) => {
  const rules = [{ condition: { a: condition }, force: true }];
  const features = { flag: { defaultValue: false, rules } };
  return new GrowthBook({ attributes: { a: attribute }, features }).isOn('flag');
};
for (const [value, attribute] of JSON.parse(readFileSync(process.argv[2]))) {
  console.log('javascript', JSON.stringify([value, attribute]), on(value, attribute), on({ $eq: value }, attribute));
}
JS
cat > "$dir/probe.py" <<'PY'
import json
import sys

from growthbook import GrowthBook


def on(condition, attribute):
    rules = [{"condition": {"a": condition}, "force": True}]
    features = {"flag": {"defaultValue": False, "rules": rules}}
    return json.dumps(GrowthBook(attributes={"a": attribute}, features=features).is_on("flag"))


for value, attribute in json.load(open(sys.argv[1])):
    text = json.dumps([value, attribute], separators=(",", ":"))
    print("python", text, on(value, attribute), on({"$eq": value}, attribute))
PY
cat > "$dir/expected" <<'OUT'
javascript [true,"no"] true false
javascript [true,1] true false
javascript [0,""] true false
javascript ["VIP",["VIP"]] true false
javascript [5,5] true true
python [true,"no"] false false
python [true,1] false false
python [0,""] false false
python ["VIP",["VIP"]] false false
python [5,5] true true
OUT
node "$dir/probe.mjs" "$dir/cases.json" > "$dir/seen"
"$dir/venv/bin/python" "$dir/probe.py" "$dir/cases.json" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two SDKs compares bare values differently now"; exit 1; }
echo "as recorded"
