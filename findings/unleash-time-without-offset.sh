#!/usr/bin/env bash
# One would guess that the official clients of Unleash read a date in the context alike: a constraint
# DATE_AFTER 2020-01-01T00:00:00Z holds for a customer since 2021, in whatever form ISO 8601 allows.
# The Node.js client takes what Date takes. The Python client wants seconds and an offset: 2021-01-01,
# 2021-01-01T00:00:00 and even Python's own date and naive datetime make the constraint false, with
# no warning, for every value of the constraint, so DATE_BEFORE is false too.
# Seen on 2026-11-28 with unleash-client 6.12.1 on Node.js 20 and UnleashClient 6.9.1 on Python 3.11.
# For flags by date of birth or sign-up: the same user gets another variant from another service. Put
# full instants with an offset in the context. An evaluator of one's own should report such a value.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" unleash-client@6.12.1
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q UnleashClient==6.9.1

cat > "$dir/features.json" <<'JSON'
[
  {"name": "after", "type": "release", "enabled": true, "strategies": [{"name": "default", "parameters": {},
    "constraints": [{"contextName": "since", "operator": "DATE_AFTER", "value": "2020-01-01T00:00:00Z"}]}]},
  {"name": "before", "type": "release", "enabled": true, "strategies": [{"name": "default", "parameters": {},
    "constraints": [{"contextName": "since", "operator": "DATE_BEFORE", "value": "2020-01-01T00:00:00Z"}]}]}
]
JSON
cat > "$dir/probe.mjs" <<'JS'
import { readFileSync } from 'node:fs';
import { InMemStorageProvider, Unleash } from 'unleash-client';

const data = JSON.parse(readFileSync(process.argv[2]));
const unleash = new Unleash({
  appName: 'shop', url: 'http://127.0.0.1:1/', disableMetrics: true, refreshInterval: 0,
  storageProvider: new InMemStorageProvider(), bootstrap: { data },
});
unleash.on('error', () => {});
unleash.on('warn', () => {});
unleash.once('ready', () => {
  for (const since of ['2021-01-01T00:00:00Z', '2021-01-01T00:00:00', '2021-01-01']) {
    const on = (flag) => unleash.isEnabled(flag, { properties: { since } });
    console.log('node', since, on('after'), on('before'));
  }
  process.exit(0);
});
JS
cat > "$dir/probe.py" <<'PY'
import json
import logging
import os
import sys
from datetime import date, datetime, timezone

from UnleashClient import UnleashClient
from UnleashClient.cache import FileCache

logging.disable(logging.CRITICAL)
folder, features = sys.argv[1:]
cache = FileCache("shop", directory=folder)
cache.bootstrap_from_dict({"version": 2, "features": json.load(open(features))})
client = UnleashClient(
    url="http://127.0.0.1:1/", app_name="shop", cache=cache, disable_metrics=True, disable_registration=True)
client.initialize_client(fetch_toggles=False)
for since in [
    "2021-01-01T00:00:00Z", "2021-01-01T00:00:00", "2021-01-01",
    datetime(2021, 1, 1, tzinfo=timezone.utc), datetime(2021, 1, 1), date(2021, 1, 1),
]:
    after, before = (client.is_enabled(flag, {"properties": {"since": since}}) for flag in ("after", "before"))
    print("python", type(since).__name__, since, json.dumps(after), json.dumps(before), flush=True)
os._exit(0)
PY
cat > "$dir/expected" <<'OUT'
node 2021-01-01T00:00:00Z true false
node 2021-01-01T00:00:00 true false
node 2021-01-01 true false
python str 2021-01-01T00:00:00Z true false
python str 2021-01-01T00:00:00 false false
python str 2021-01-01 false false
python datetime 2021-01-01 00:00:00+00:00 true false
python datetime 2021-01-01 00:00:00 false false
python date 2021-01-01 false false
OUT
node "$dir/probe.mjs" "$dir/features.json" > "$dir/seen"
"$dir/venv/bin/python" "$dir/probe.py" "$dir" "$dir/features.json" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two clients reads dates differently now"; exit 1; }
echo "as recorded"
