#!/usr/bin/env bash
# One would guess that a rule "all lines of the order are in stock" in JsonLogic holds for an order without
# lines, as with every() in JavaScript and all() in Python and Rust, and that it is the same rule as "no
# line is out of stock".
# all is false for an empty array; none, which is its opposite, is true. The three below agree, so it is
# how the format is understood, and flagd's rules with it.
# Seen on 2026-11-28 with json-logic-js 2.0.5 and @openfeature/flagd-core 4.0.1 on Node.js 20, and
# panzi-json-logic 1.0.1 on Python 3.11.
# For rules that are carried over, from code or to it: rewriting "all are good" as "none is bad", which any
# reviewer would accept, changes the result for the empty list. A rules engine of one's own says what it does.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" json-logic-js@2.0.5 @openfeature/flagd-core@4.0.1 \
  @openfeature/core@1.12.0
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q panzi-json-logic==1.0.1

cat > "$dir/rules.json" <<'JSON'
{
  "all good": {"all": [{"var": "lines"}, {">": [{"var": "stock"}, 0]}]},
  "none bad": {"none": [{"var": "lines"}, {"<=": [{"var": "stock"}, 0]}]}
}
JSON
cat > "$dir/probe.mjs" <<'JS'
import { readFileSync } from 'node:fs';
import { FlagdCore } from '@openfeature/flagd-core';
import jsonLogic from 'json-logic-js';

const quiet = { error() {}, warn() {}, info() {}, debug() {} };
const evaluate = (rule, context) => {
  const core = new FlagdCore(undefined, quiet);
  const targeting = { if: [rule, 'on', 'off'] };
  const flag = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off', targeting };
  core.setConfigurations(JSON.stringify({ flags: { flag } }));
  return core.resolveBooleanEvaluation('flag', false, context, quiet).value;
};
for (const [name, rule] of Object.entries(JSON.parse(readFileSync(process.argv[2])))) {
  for (const data of [{ lines: [{ stock: 2 }] }, { lines: [] }]) {
    console.log(name, data.lines.length, 'json-logic-js', jsonLogic.apply(rule, data), 'flagd', evaluate(rule, data));
  }
}
JS
cat > "$dir/probe.py" <<'PY'
import json
import sys

from json_logic import jsonLogic

for name, rule in json.load(open(sys.argv[1])).items():
    for data in [{"lines": [{"stock": 2}]}, {"lines": []}]:
        print(name, len(data["lines"]), "panzi-json-logic", json.dumps(jsonLogic(rule, data)))
PY
cat > "$dir/expected" <<'OUT'
all good 1 json-logic-js true flagd true
all good 0 json-logic-js false flagd false
none bad 1 json-logic-js true flagd true
none bad 0 json-logic-js true flagd true
all good 1 panzi-json-logic true
all good 0 panzi-json-logic false
none bad 1 panzi-json-logic true
none bad 0 panzi-json-logic true
OUT
node "$dir/probe.mjs" "$dir/rules.json" > "$dir/seen"
"$dir/venv/bin/python" "$dir/probe.py" "$dir/rules.json" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of them evaluates empty lists differently now"; exit 1; }
echo "as recorded"
