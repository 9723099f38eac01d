#!/usr/bin/env bash
# One would guess that crhelper, which answers CloudFormation just before a custom resource's function
# times out, says FAILED for the resource at hand: its PhysicalResourceId is in the event of an Update
# or Delete, and crhelper takes it from there in every other answer.
# The answer of the timer has an empty PhysicalResourceId. And the handler is not stopped: if it ends
# within the last half second, a second answer, SUCCESS with the right id, follows the first.
# Seen on 2026-11-28 with crhelper 2.0.12 on Python 3.11.
# For a custom resource: give the work its own limit, well below the function's, and raise. An answer
# must name the resource it was asked about, and the one that was sent first must be the only one.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q crhelper==2.0.12 boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import json
import os
import threading
from types import SimpleNamespace

os.environ["AWS_REGION"] = "eu-west-1"
import crhelper.utils

answered = threading.Event()


class Connection:
    def __init__(self, host, **options):
        pass

    def request(self, method, url, body, headers):
        answer = json.loads(body)
        print(answer["Status"], repr(answer["PhysicalResourceId"]), repr(answer["Reason"]))
        answered.set()

    def getresponse(self):
        return SimpleNamespace(reason="OK")


crhelper.utils.HTTPSConnection = Connection
helper = crhelper.CfnResource(log_level="CRITICAL")


@helper.update
def update(event, context):
    how = event["ResourceProperties"]["How"]
    if how == "raises":
        raise ValueError("too small")
    if how == "late":
        answered.wait(20)
    return event["PhysicalResourceId"]


for how in ["in time", "raises", "late"]:
    answered.clear()
    remaining = 1000 if how == "late" else 60000
    context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: remaining)
    helper({
        "RequestType": "Update", "RequestId": "r", "LogicalResourceId": "Database",
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/1",
        "ResponseURL": "https://example.com/answer", "PhysicalResourceId": "db-1",
        "ResourceProperties": {"How": how},
    }, context)
PY
cat > "$dir/expected" <<'OUT'
SUCCESS 'db-1' ''
FAILED 'db-1' 'too small'
FAILED '' 'Execution timed out'
SUCCESS 'db-1' ''
OUT
"$dir/venv/bin/python" "$dir/probe.py" 2>/dev/null > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: crhelper answers late updates differently now"; exit 1; }
echo "as recorded"
