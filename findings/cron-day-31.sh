#!/usr/bin/env bash
# One would guess that a parser for EventBridge's cron expressions gives, for the 31st of each month
# (0 10 31 * ? *), the months that have 31 days and leaves the others out.
# aws-cron-parser for npm takes the days over into the next month: after 31 January comes 3 March,
# after 31 March comes 1 May; and 29 February is 1 March in three years of four. The Python package
# aws-croniter leaves these months out.
# Seen on 2026-11-28 with aws-cron-parser 1.1.12 on Node.js 20 and aws-croniter 2.1.1 on Python 3.11.
# For code that compares an event's scheduled time with what it expects ("did we miss a run?"): such
# a list holds runs that never happen. Test schedules with the 29th, 30th and 31st.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" aws-cron-parser@1.1.12
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-croniter==2.1.1

cat > "$dir/probe.js" <<'JS'
const { parse, next } = require('aws-cron-parser');

for (const expression of ['0 10 31 * ? *', '0 10 29 2 ? *']) {
  const cron = parse(expression);
  const runs = [];
  let at = new Date('2026-01-01T00:00:00Z');
  for (let i = 0; i < 4; i += 1) {
    at = next(cron, at);
    runs.push(at.toISOString().slice(0, 10));
  }
  console.log(expression, runs.join(' '));
}
JS
cat > "$dir/probe.py" <<'PY'
from datetime import datetime, timezone

from aws_croniter import AwsCroniter

for expression in ["0 10 31 * ? *", "0 10 29 2 ? *"]:
    runs = AwsCroniter(expression).get_next(datetime(2026, 1, 1, tzinfo=timezone.utc), 4)
    print(expression, *[run.strftime("%Y-%m-%d") for run in runs])
PY
cat > "$dir/expected" <<'OUT'
0 10 31 * ? * 2026-01-31 2026-03-03 2026-03-31 2026-05-01
0 10 29 2 ? * 2026-03-01 2027-03-01 2028-02-29 2029-03-01
0 10 31 * ? * 2026-01-31 2026-03-31 2026-05-31 2026-07-31
0 10 29 2 ? * 2028-02-29 2032-02-29 2036-02-29 2040-02-29
OUT
node "$dir/probe.js" > "$dir/seen"
"$dir/venv/bin/python" "$dir/probe.py" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two parsers gives other days now"; exit 1; }
echo "as recorded"
