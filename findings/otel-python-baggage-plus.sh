#!/usr/bin/env bash
# One would guess that OpenTelemetry for Python and for JavaScript read and write W3C baggage alike: values are
# percent-encoded, and "+" is one of the characters that may stand there as they are.
# Python encodes as HTML forms do. It reads "+" as a space, so the offset of a time and base64 arrive changed,
# and it writes a space as "+", which JavaScript reads as a plus. Python alone gets its own values back.
# Seen on 2026-11-30 with opentelemetry-api 1.45.2 on Python 3.11, @opentelemetry/core 2.12.1 and
# @opentelemetry/api 1.9.1 on Node.js 20.
# For baggage that crosses languages (a tenant, a flag's key, a time): the value differs from one service to the
# next and no one raises. A reader decodes percent signs and nothing else; a sender writes %20 and %2B.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q opentelemetry-api==1.45.2
npm install --silent --no-audit --no-fund --prefix "$dir" @opentelemetry/core@2.12.1 @opentelemetry/api@1.9.1

cat > "$dir/probe.py" <<'PY'
import sys

from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator

propagator = W3CBaggagePropagator()
if sys.argv[1] == "write":
    carrier = {}
    propagator.inject(carrier, baggage.set_baggage("tenant", "Miller Ltd"))
    print(carrier["baggage"])
else:
    context = propagator.extract({"baggage": sys.argv[2]})
    print("python", dict(baggage.get_all(context)))
PY
cat > "$dir/probe.js" <<'JS'
const { W3CBaggagePropagator } = require('@opentelemetry/core');
const { ROOT_CONTEXT, propagation, defaultTextMapGetter, defaultTextMapSetter } = require('@opentelemetry/api');

const propagator = new W3CBaggagePropagator();
if (process.argv[2] === 'write') {
  const carrier = {};
  const entries = propagation.createBaggage({ tenant: { value: 'Miller Ltd' } });
  propagator.inject(propagation.setBaggage(ROOT_CONTEXT, entries), carrier, defaultTextMapSetter);
  console.log(carrier.baggage);
} else {
  const context = propagator.extract(ROOT_CONTEXT, { baggage: process.argv[3] }, defaultTextMapGetter);
  const entries = propagation.getBaggage(context).getAllEntries().map(([key, { value }]) => [key, value]);
  console.log('javascript', JSON.stringify(Object.fromEntries(entries)));
}
JS
cat > "$dir/expected" <<'OUT'
at=2027-01-01T10:00:00+02:00,key=YWI+Zg==
javascript {"at":"2027-01-01T10:00:00+02:00","key":"YWI+Zg=="}
python {'at': '2027-01-01T10:00:00 02:00', 'key': 'YWI Zg=='}
tenant=Miller+Ltd
javascript {"tenant":"Miller+Ltd"}
python {'tenant': 'Miller Ltd'}
tenant=Miller%20Ltd
javascript {"tenant":"Miller Ltd"}
python {'tenant': 'Miller Ltd'}
OUT
for header in 'at=2027-01-01T10:00:00+02:00,key=YWI+Zg==' \
  "$("$dir/venv/bin/python" "$dir/probe.py" write)" "$(node "$dir/probe.js" write)"; do
  echo "$header"
  node "$dir/probe.js" read "$header"
  "$dir/venv/bin/python" "$dir/probe.py" read "$header"
done > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two reads or writes baggage differently now"; exit 1; }
echo "as recorded"
