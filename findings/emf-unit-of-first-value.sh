#!/usr/bin/env bash
# One would guess that AWS's own libraries for embedded metrics, given one metric name with two
# units, report a conflict, convert the value, or at least take the unit that came last.
# Both the Python and the JavaScript library keep the unit of the first value and put the second
# value beside it as it is: 1 second and 250 milliseconds become [1, 250] seconds. Nothing is logged.
# (Powertools for Python takes the last unit for all values, Powertools for TypeScript raises.)
# Seen on 2026-11-28 with aws-embedded-metrics 3.5.0 (PyPI) on Python 3.11 and 4.2.1 (npm) on
# Node.js 20.
# For a metrics API: a name whose unit changes within one flush must be an error, or two metrics.
# The graph shows a plausible wrong value otherwise.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-embedded-metrics==3.5.0
npm install --silent --no-audit --no-fund --prefix "$dir" aws-embedded-metrics@4.2.1

cat > "$dir/probe.py" <<'PY'
import json

from aws_embedded_metrics.logger.metrics_context import MetricsContext
from aws_embedded_metrics.serializers.log_serializer import LogSerializer

context = MetricsContext.empty()
context.put_metric("latency", 1, "Seconds")
context.put_metric("latency", 250, "Milliseconds")
for text in LogSerializer.serialize(context):
    line = json.loads(text)
    print("python", json.dumps(line["_aws"]["CloudWatchMetrics"][0]["Metrics"]), line["latency"])
PY
cat > "$dir/probe.js" <<'JS'
process.env.AWS_EMF_ENVIRONMENT = 'Local';
const { MetricsContext } = require('aws-embedded-metrics/lib/logger/MetricsContext');
const { LogSerializer } = require('aws-embedded-metrics/lib/serializers/LogSerializer');

const context = MetricsContext.empty();
context.putMetric('latency', 1, 'Seconds');
context.putMetric('latency', 250, 'Milliseconds');
for (const text of new LogSerializer().serialize(context)) {
  const line = JSON.parse(text);
  console.log('javascript', JSON.stringify(line._aws.CloudWatchMetrics[0].Metrics), JSON.stringify(line.latency));
}
JS
cat > "$dir/expected" <<'OUT'
python [{"Name": "latency", "Unit": "Seconds"}] [1, 250]
javascript [{"Name":"latency","Unit":"Seconds"}] [1,250]
OUT
AWS_EMF_ENVIRONMENT=Local "$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
node "$dir/probe.js" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the libraries treat a second unit differently now"; exit 1; }
echo "as recorded"
