#!/usr/bin/env bash
# One would guess that the CloudEvents SDK for JavaScript reads the data of a structured event as it
# stands: the format allows any JSON value there, and 0 and false are values.
# They are dropped, and the event is one without data. 1, true and [] are kept. The SDK writes all of them,
# so what one function sends with HTTP.structured is not what the next gets from HTTP.toEvent.
# Seen on 2026-11-28 with cloudevents 10.0.0 on Node.js 20, read also with cloudevents 2.2.0 on Python 3.11.
# For events that carry one value (stock is now 0, the flag is off): data is undefined exactly when it
# matters, and a fallback such as "no data, no change" takes over. Send an object. A parser of one's own
# must ask whether the member is there, not whether it is true.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" cloudevents@10.0.0
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q cloudevents==2.2.0

cat > "$dir/probe.js" <<'JS'
const { CloudEvent, HTTP } = require('cloudevents');

for (const data of [1, 0, true, false, 'x', []]) {
  const { body } = HTTP.structured(new CloudEvent({
    id: '1', source: '/stock', type: 'changed', datacontenttype: 'application/json', data,
  }));
  const read = HTTP.toEvent({ headers: { 'content-type': 'application/cloudevents+json' }, body });
  console.log(JSON.stringify({ written: JSON.parse(body).data, read: read.data ?? 'nothing', body }));
}
JS
cat > "$dir/probe.py" <<'PY'
import json
import sys

from cloudevents.v1.http import from_json

for line in sys.stdin:
    case = json.loads(line)
    python = from_json(case["body"]).get_data()
    print(*(json.dumps(value) for value in [case["written"], case["read"], python]))
PY
cat > "$dir/expected" <<'OUT'
1 1 1
0 "nothing" 0
true true true
false "nothing" false
"x" "x" "x"
[] [] []
OUT
node "$dir/probe.js" | "$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two reads such data differently now"; exit 1; }
echo "as recorded"
