#!/usr/bin/env bash
# One would guess that AWS's durable execution SDK for Python gives back from a step what the step
# returned, or refuses it: the SDK's own serialization marks types, so that a tuple, a Decimal and a
# date come back as such, and a set or a dict with tuples for keys is a SerDesError.
# A dict with integers for keys is neither: its keys come back as strings, in the first run as in the
# replay. Keys that then are equal are merged, so of {1: ..., "1": ...} one value is lost.
# Seen on 2026-11-28 with aws-durable-execution-sdk-python 3.0.0 and its testing SDK 1.4.0 on
# Python 3.11.
# For steps that return a dict by id: result[1] is a KeyError, and result.get(1, 0) is a plausible
# wrong value. Return a list of pairs. A test of the step function alone does not notice.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-durable-execution-sdk-python==3.0.0 \
  aws-durable-execution-sdk-python-testing==1.4.0

cat > "$dir/probe.py" <<'PY'
import logging
from decimal import Decimal

from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.exceptions import SerDesError
from aws_durable_execution_sdk_python.execution import durable_execution
from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestRunner

logging.disable(logging.CRITICAL)
returned = [(1, Decimal("1.50")), {("a", 1): "x"}, {1: "x"}, {1: "x", "1": "y"}]
seen = {}


@durable_execution
def handler(event, context):
    for number, value in enumerate(returned):
        try:
            result = context.step(lambda _, value=value: value, name=f"step-{number}")
        except SerDesError:
            result = SerDesError
        seen.setdefault(number, []).append(result)
    context.wait(Duration.from_seconds(5))


with DurableFunctionTestRunner(handler=handler) as runner:
    runner.run(input="", execution_timeout=60)
for number, (first, replay) in seen.items():
    print(returned[number], "->", first if first is not SerDesError else "SerDesError", first == replay)
PY
cat > "$dir/expected" <<'OUT'
(1, Decimal('1.50')) -> (1, Decimal('1.50')) True
{('a', 1): 'x'} -> SerDesError True
{1: 'x'} -> {'1': 'x'} True
{1: 'x', '1': 'y'} -> {'1': 'y'} True
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the SDK keeps keys of dicts differently now"; exit 1; }
echo "as recorded"
