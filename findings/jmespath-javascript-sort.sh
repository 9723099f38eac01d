#!/usr/bin/env bash
# One would guess that the JMESPath function sort, in the JavaScript library of the language's author,
# puts numbers in the order of their values: the language says so, and the library checks that the
# array holds only numbers or only strings.
# It then sorts numbers as text: 1, 10, 9. sort_by compares values and is right, and so is sort in
# jmespath for Python. An expression such as sort(prices)[0] gives a plausible price that is not the lowest.
# Seen on 2026-11-28 with jmespath 0.16.0 on Node.js 20 and jmespath 1.1.0 on Python 3.11.
# For expressions that several languages share (keys, metrics, configuration): use sort_by(list, &@), or
# min and max. A test with one-digit numbers does not notice.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" jmespath@0.16.0
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q jmespath==1.1.0

cat > "$dir/expressions.json" <<'JSON'
["sort(prices)", "sort(prices)[0]", "sort_by(prices, &@)", "min(prices)"]
JSON
cat > "$dir/probe.js" <<'JS'
const { search } = require('jmespath');
const { readFileSync } = require('node:fs');

for (const expression of JSON.parse(readFileSync(process.argv[2]))) {
  console.log(`javascript ${expression} ${JSON.stringify(search({ prices: [100, 20, 3] }, expression))}`);
}
JS
cat > "$dir/probe.py" <<'PY'
import json
import sys

import jmespath

for expression in json.load(open(sys.argv[1])):
    value = jmespath.search(expression, {"prices": [100, 20, 3]})
    print(f"python {expression} {json.dumps(value, separators=(',', ':'))}")
PY
cat > "$dir/expected" <<'OUT'
javascript sort(prices) [100,20,3]
javascript sort(prices)[0] 100
javascript sort_by(prices, &@) [3,20,100]
javascript min(prices) 3
python sort(prices) [3,20,100]
python sort(prices)[0] 3
python sort_by(prices, &@) [3,20,100]
python min(prices) 3
OUT
node "$dir/probe.js" "$dir/expressions.json" > "$dir/seen"
"$dir/venv/bin/python" "$dir/probe.py" "$dir/expressions.json" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two sorts numbers differently now"; exit 1; }
echo "as recorded"
