#!/usr/bin/env bash
# One would guess that 7.5 % 2 in JSONata, the expression language of Step Functions, is 1.5 in jsonata-python too:
# JSONata's numbers are doubles, its reference defines % for numbers, and JavaScript, where it is at home, gives 1.5.
# jsonata-python gives 1. It drops the fraction of the remainder, so that "kg % 1" is 0 whatever the weight is, and
# the filter for whole numbers, [kg % 1 = 0], lets all of them through. Division and $floor keep fractions.
# Seen on 2026-11-30 with jsonata-python 0.7.1 on Python 3.11 and jsonata 2.2.2 on Node.js 20.
# For expressions of a state machine that are tested in Python: hours left over, cents and weights come out whole.
# a - b * $floor(a / b) is right in both, where neither number is negative.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q jsonata-python==0.7.1
npm install --silent --no-audit --no-fund --prefix "$dir" jsonata@2.2.2

cat > "$dir/cases.json" <<'JSON'
{
  "input": {"orders": [{"id": 1, "kg": 7.5}, {"id": 2, "kg": 8}, {"id": 3, "kg": 0.25}]},
  "expressions": ["7 % 2", "7.5 % 2", "orders.(kg % 1)", "orders[kg % 1 = 0].id", "7.5 - 2 * $floor(7.5 / 2)"]
}
JSON
cat > "$dir/probe.py" <<'PY'
import json
import sys

from jsonata import Jsonata

cases = json.load(open(sys.argv[1]))
for expression in cases["expressions"]:
    value = Jsonata(expression).evaluate(cases["input"])
    print("python", expression, "->", json.dumps(value, separators=(",", ":")))
PY
cat > "$dir/probe.js" <<'JS'
const jsonata = require('jsonata');
const { input, expressions } = require('./cases.json');

(async () => {
  for (const expression of expressions) {
    console.log('javascript', expression, '->', JSON.stringify(await jsonata(expression).evaluate(input)));
  }
})();
JS
cat > "$dir/expected" <<'OUT'
python 7 % 2 -> 1
python 7.5 % 2 -> 1
python orders.(kg % 1) -> [0,0,0]
python orders[kg % 1 = 0].id -> [1,2,3]
python 7.5 - 2 * $floor(7.5 / 2) -> 1.5
javascript 7 % 2 -> 1
javascript 7.5 % 2 -> 1.5
javascript orders.(kg % 1) -> [0.5,0,0.25]
javascript orders[kg % 1 = 0].id -> 2
javascript 7.5 - 2 * $floor(7.5 / 2) -> 1.5
OUT
"$dir/venv/bin/python" "$dir/probe.py" "$dir/cases.json" > "$dir/seen"
node "$dir/probe.js" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two computes remainders differently now"; exit 1; }
echo "as recorded"
