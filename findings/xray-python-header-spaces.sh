#!/usr/bin/env bash
# One would guess that the AWS X-Ray SDK for Python reads a trace header whose parts are separated by "; ":
# the documentation of load balancers shows such values, and X-Ray's SDK for Node.js and OpenTelemetry's
# propagator for Python read them.
# It keeps the root only. Parent and Sampled become entries of the header's free data, under names that
# begin with a space, so that the segment has no parent and decides about sampling by itself.
# Seen on 2026-11-28 with aws-xray-sdk 2.15.0 and opentelemetry-propagator-aws-xray 1.0.2 on Python 3.11, and
# aws-xray-sdk-core 3.12.0 on Node.js 20.
# For whoever writes the header for others to read: no white space. For whoever reads it: trim each part.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-xray-sdk==2.15.0 botocore==1.44.8 wrapt==2.5.2 \
    opentelemetry-propagator-aws-xray==1.0.2 opentelemetry-api==1.45.2
npm install --silent --no-audit --no-fund --prefix "$dir" aws-xray-sdk-core@3.12.0
export HEADER='Root=1-5759e988-bd862e3fe1be46a994272793; Parent=53995c3f42cd8ad8; Sampled=1'

cat > "$dir/probe.py" <<'PY'
import os

from aws_xray_sdk.core.models.trace_header import TraceHeader
from opentelemetry import trace
from opentelemetry.propagators.aws import AwsXRayPropagator

header = TraceHeader.from_header_str(os.environ["HEADER"])
print("python", header.root, header.parent, header.sampled, header.data)
context = AwsXRayPropagator().extract({"X-Amzn-Trace-Id": os.environ["HEADER"]})
span = trace.get_current_span(context).get_span_context()
print("opentelemetry", format(span.span_id, "016x"), span.trace_flags.sampled)
PY
cat > "$dir/probe.js" <<'JS'
const { root, parent, sampled } = require("aws-xray-sdk-core").utils.processTraceData(process.env.HEADER);
console.log("node", root, parent, sampled);
JS
cat > "$dir/expected" <<'OUT'
python 1-5759e988-bd862e3fe1be46a994272793 None None {' Parent': '53995c3f42cd8ad8', ' Sampled': '1'}
opentelemetry 53995c3f42cd8ad8 True
node 1-5759e988-bd862e3fe1be46a994272793 53995c3f42cd8ad8 1
OUT
{ "$dir/venv/bin/python" "$dir/probe.py"; node "$dir/probe.js"; } > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the libraries reads the header differently now"; exit 1; }
echo "as recorded"
