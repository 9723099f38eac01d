#!/usr/bin/env bash
# One would guess that loads(dumps(x)) of the package dynamodb-json gives x back, since DynamoDB's
# JSON marks each value with its type and so can say anything.
# A map with a key that is called like a type ("S", "M", "BOOL") does not come back: dumps writes
# {"M": {"S": {"S": "x"}}}, which is right, and loads takes the inner map for a type marker once
# more and returns the bare "x". The map and its other keys are gone, without an error.
# Seen on 2026-11-28 with dynamodb-json 1.4.2 on Python 3.11.
# For a reader of stream records: what such an object means is decided by its place (attribute
# value, or map of attributes), never by the name of its key. Sizes ("S", "M") are common keys.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q dynamodb-json==1.4.2

cat > "$dir/probe.py" <<'PY'
from dynamodb_json import json_util

for stock in [{"S": "few", "M": "many"}, {"S": "few"}, {"M": 3}, {"XL": "few"}]:
    text = json_util.dumps({"stock": stock})
    print(text, json_util.loads(text))
PY
cat > "$dir/expected" <<'OUT'
{"stock": {"M": {"S": {"S": "few"}, "M": {"S": "many"}}}} {'stock': 'few'}
{"stock": {"M": {"S": {"S": "few"}}}} {'stock': 'few'}
{"stock": {"M": {"M": {"N": "3"}}}} {'stock': 3}
{"stock": {"M": {"XL": {"S": "few"}}}} {'stock': {'XL': 'few'}}
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: dynamodb-json reads maps differently now"; exit 1; }
echo "as recorded"
