#!/usr/bin/env bash
# One would guess that the JMESPath function not_null, which returns the first of its arguments that is not
# null, gives 0 for not_null(paid, price) where paid is 0: that is a number, and JMESPath counts it as true.
# In Powertools for TypeScript the result is null, even though the second argument has a value: it finds the
# first that is not null, 0, and then takes what is false in JavaScript for nothing. The same goes for ""
# and false. The libraries jmespath for JavaScript and for Python return the value.
# Seen on 2026-11-28 with @aws-lambda-powertools/jmespath 2.35.0 and jmespath 0.16.0 on Node.js 20, and
# jmespath 1.1.0 on Python 3.11.
# For an idempotency key by this expression: null is no key, and by default the toolkit then runs the handler
# without a record (seen too, with its idempotency 2.35.0), each time that the event comes.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @aws-lambda-powertools/jmespath@2.35.0 jmespath@0.16.0
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q jmespath==1.1.0

cat > "$dir/events.json" <<'JSON'
[{"a": null, "b": 2}, {"a": 1, "b": 2}, {"a": 0, "b": 2}, {"a": "", "b": 2}, {"a": false, "b": 2}]
JSON
cat > "$dir/probe.mjs" <<'JS'
import { readFileSync } from 'node:fs';
import { search } from '@aws-lambda-powertools/jmespath';
import jmespath from 'jmespath';

for (const event of JSON.parse(readFileSync(process.argv[2]))) {
  const values = [search('not_null(a, b)', event), jmespath.search(event, 'not_null(a, b)')];
  console.log(`a ${JSON.stringify(event.a)} powertools ${JSON.stringify(values[0])} jmespath ${JSON.stringify(values[1])}`);
}
JS
cat > "$dir/probe.py" <<'PY'
import json
import sys

import jmespath

for event in json.load(open(sys.argv[1])):
    print("a", json.dumps(event["a"]), "python", json.dumps(jmespath.search("not_null(a, b)", event)))
PY
cat > "$dir/expected" <<'OUT'
a null powertools 2 jmespath 2
a 1 powertools 1 jmespath 1
a 0 powertools null jmespath 0
a "" powertools null jmespath ""
a false powertools null jmespath false
a null python 2
a 1 python 1
a 0 python 0
a "" python ""
a false python false
OUT
node "$dir/probe.mjs" "$dir/events.json" > "$dir/seen"
"$dir/venv/bin/python" "$dir/probe.py" "$dir/events.json" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of them evaluates not_null differently now"; exit 1; }
echo "as recorded"
