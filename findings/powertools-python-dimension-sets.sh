#!/usr/bin/env bash
# One would guess that a second add_dimensions() of Powertools for Python, which starts another set of
# dimensions for the same metrics, leaves the first set as it is, or refuses a name that has another value.
# A metric line has room for one value of each name, and the later value takes it without a warning. With
# {"route": "pay", "tier": "gold"} and then {"route": "all"}, the metric is counted under route=all and
# tier=gold in both sets, and route=pay never appears.
# Seen on 2026-11-28 with aws-lambda-powertools 3.37.0 on Python 3.11. Seen too: Powertools for TypeScript
# 2.35.0 changes the first set in the same way, but warns.
# For a total beside a breakdown, the usual reason for two sets: give the total a set of fewer names, never
# a name of another value. An API of one's own must refuse it or write two lines.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-lambda-powertools==3.37.0 boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import contextlib
import io
import json
import warnings

from aws_lambda_powertools import Metrics

for sets in [[{"route": "pay", "tier": "gold"}], [{"route": "pay", "tier": "gold"}, {"route": "all"}]]:
    metrics = Metrics(namespace="Shop", service="orders")
    out = io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings(record=True) as warned:
        for dimensions in sets:
            metrics.add_dimensions(**dimensions)
        metrics.add_metric("orders", "Count", 1)
        metrics.flush_metrics()
    line = json.loads(out.getvalue())
    for names in line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]:
        if names != ["service"]:
            print(len(sets), {name: line[name] for name in sorted(names)}, "warnings:", len(warned))
PY
cat > "$dir/expected" <<'OUT'
1 {'route': 'pay', 'tier': 'gold'} warnings: 0
2 {'route': 'all', 'tier': 'gold'} warnings: 0
2 {'route': 'all'} warnings: 0
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: Powertools writes other dimensions now"; exit 1; }
echo "as recorded"
