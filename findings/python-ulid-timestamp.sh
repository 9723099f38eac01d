#!/usr/bin/env bash
# One would guess that ULID.from_timestamp(1796080499) of the package python-ulid is an id of that second in 2026, as
# datetime.fromtimestamp has it, and that 1796080499 and 1796080499.0, equal numbers, give ids of one time.
# An int is taken for milliseconds and a float for seconds. The int gives an id of 21 January 1970, which sorts before
# all others; time.time() gives a right one, int(time.time()) does not. ulid for Node.js has milliseconds only.
# Seen on 2026-11-30 with python-ulid 4.1.0 on Python 3.11 and ulid 3.0.2 on Node.js 20.
# For ids as sort keys that are made for a time from a record (JSON has one kind of number): whole seconds come as an
# int and land in 1970, and those with a fraction come out right. Pass a datetime, with from_datetime.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q python-ulid==4.1.0
npm install --silent --no-audit --no-fund --prefix "$dir" ulid@3.0.2

cat > "$dir/probe.py" <<'PY'
import json
from datetime import datetime, timezone

from ulid import ULID

for text in ["1796080499.5", "1796080499.0", "1796080499", "1796080499500"]:
    made = ULID.from_timestamp(json.loads(text))
    print("python", text, str(made)[:10], made.datetime.isoformat(timespec="milliseconds"))
made = ULID.from_datetime(datetime(2026, 11, 30, 23, 14, 59, tzinfo=timezone.utc))
print("python from_datetime", str(made)[:10], made.datetime.isoformat(timespec="milliseconds"))
print("back", made.timestamp, made.milliseconds, ULID.from_timestamp(made.timestamp).milliseconds == made.milliseconds)
PY
cat > "$dir/probe.mjs" <<'JS'
import { decodeTime, ulid } from 'ulid';

const made = ulid(1796080499500);
console.log('node', 1796080499500, made.slice(0, 10), new Date(decodeTime(made)).toISOString());
JS
cat > "$dir/expected" <<'OUT'
python 1796080499.5 01M8QBTYSC 2026-11-30T23:14:59.500+00:00
python 1796080499.0 01M8QBTY9R 2026-11-30T23:14:59.000+00:00
python 1796080499 0001NGW0VK 1970-01-21T18:54:40.499+00:00
python 1796080499500 01M8QBTYSC 2026-11-30T23:14:59.500+00:00
python from_datetime 01M8QBTY9R 2026-11-30T23:14:59.000+00:00
back 1796080499.0 1796080499000 True
node 1796080499500 01M8QBTYSC 2026-11-30T23:14:59.500Z
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
node "$dir/probe.mjs" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the packages reads times differently now"; exit 1; }
echo "as recorded"
