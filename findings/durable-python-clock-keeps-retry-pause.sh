#!/usr/bin/env bash
# One would guess that the clock of AWS's testing library for durable functions, which jumps over
# waits by default (skip_time), jumps over every pause: a wait of an hour, and one of a day, take no
# time.
# The pause before an invocation that failed is repeated is a real one, of 5 seconds each time,
# whatever the clock.
# Seen on 2026-11-30 with aws-durable-execution-sdk-python 3.0.0 and its testing SDK 1.4.0 on
# Python 3.11.
# For tests of functions that die or run out of time: three deaths add 15 seconds, so that a timeout
# that was meant for a hang ends a test that is right. Executor.RETRY_BACKOFF_SECONDS can be set.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-durable-execution-sdk-python==3.0.0 \
  aws-durable-execution-sdk-python-testing==1.4.0

cat > "$dir/probe.py" <<'PY'
import logging
import time

from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.exceptions import InvocationError
from aws_durable_execution_sdk_python.execution import durable_execution
from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestRunner

logging.disable(logging.CRITICAL)


def run(hours, failures):
    left = [failures]

    @durable_execution
    def handler(event, context):
        if hours:
            context.wait(Duration.from_seconds(hours * 3600))
        if left[0]:
            left[0] -= 1
            raise InvocationError("as the probe has it")

    with DurableFunctionTestRunner(handler=handler) as runner:
        start = time.monotonic()
        status = runner.run(input="", execution_timeout=400_000).status.value
        took = time.monotonic() - start
    print(f"{hours} h of waiting, {failures} failed invocations: {status}, {5 * int(took / 5)} s or more")


run(0, 0)
run(24, 0)
run(0, 1)
run(0, 2)
PY
cat > "$dir/expected" <<'OUT'
0 h of waiting, 0 failed invocations: SUCCEEDED, 0 s or more
24 h of waiting, 0 failed invocations: SUCCEEDED, 0 s or more
0 h of waiting, 1 failed invocations: SUCCEEDED, 5 s or more
0 h of waiting, 2 failed invocations: SUCCEEDED, 10 s or more
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the clock jumps over the pauses of repeated invocations now"; exit 1; }
echo "as recorded"
