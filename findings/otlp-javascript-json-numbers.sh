#!/usr/bin/env bash
# One would guess that OpenTelemetry for JavaScript exports a number as the same value whether the
# exporter writes OTLP as JSON or as protobuf: both are serializers of one package.
# Protobuf writes 1e21 as a double. JSON writes every number without a fraction as intValue, 2^63 and
# 1e21 too, which no 64-bit integer can hold: a reader that goes by the protobuf rules refuses the whole
# request, with all its spans. NaN becomes a doubleValue of null, so the attribute arrives empty.
# Seen on 2026-11-28 with @opentelemetry/otlp-transformer 0.223.1 and sdk-trace-base 2.12.1 on
# Node.js 20, read with opentelemetry-proto 1.45.2 on Python 3.11.
# For an exporter of one's own: decide between integer and double by the range as well, and write NaN as
# the string that proto JSON has for it. One attribute can cost the batch.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @opentelemetry/otlp-transformer@0.223.1 \
  @opentelemetry/sdk-trace-base@2.12.1 @opentelemetry/api@1.9.1
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q opentelemetry-proto==1.45.2

cat > "$dir/probe.js" <<'JS'
const { JsonTraceSerializer, ProtobufTraceSerializer } = require('@opentelemetry/otlp-transformer');
const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');

for (const total of [2, 2.5, 2 ** 53, 2 ** 63, 1e21, NaN]) {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  provider.getTracer('shop').startSpan('pay', { attributes: { total } }).end();
  const requests = [JsonTraceSerializer, ProtobufTraceSerializer]
    .map((serializer) => serializer.serializeRequest(exporter.getFinishedSpans()))
    .map((bytes) => Buffer.from(bytes).toString('base64'));
  console.log(total, ...requests);
}
JS
cat > "$dir/probe.py" <<'PY'
import base64
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def total(read, data):
    try:
        request = read(base64.b64decode(data))
    except json_format.ParseError:
        return "unreadable"
    [attribute] = request.resource_spans[0].scope_spans[0].spans[0].attributes
    return str(attribute.value).strip() or "empty"


for line in sys.stdin:
    number, as_json, as_protobuf = line.split()
    print(
        number, "| JSON", total(lambda text: json_format.Parse(text, ExportTraceServiceRequest()), as_json),
        "| protobuf", total(ExportTraceServiceRequest.FromString, as_protobuf))
PY
cat > "$dir/expected" <<'OUT'
2 | JSON int_value: 2 | protobuf int_value: 2
2.5 | JSON double_value: 2.5 | protobuf double_value: 2.5
9007199254740992 | JSON int_value: 9007199254740992 | protobuf int_value: 9007199254740992
9223372036854776000 | JSON unreadable | protobuf double_value: 9.2233720368547758e+18
1e+21 | JSON unreadable | protobuf double_value: 1e+21
NaN | JSON empty | protobuf double_value: nan
OUT
node "$dir/probe.js" | "$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the serializers treat numbers differently now"; exit 1; }
echo "as recorded"
