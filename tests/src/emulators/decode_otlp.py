"""Reads a request of OTLP and writes it as JSON, by OpenTelemetry's own types.

They read it in place of a collector: OpenTelemetry's collector and Jaeger are published by their projects in none of the
registries that the tests install from, which are PyPI, npm and Debian's.
"""

import sys

from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

request = ExportTraceServiceRequest()
request.ParseFromString(sys.stdin.buffer.read())
print(MessageToJson(request, indent=None))
