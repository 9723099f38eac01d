#!/usr/bin/env bash
# One would guess that the path $.Records[0].body in a state of Step Functions in moto is the body: it names one value,
# and moto gives one for $.Records[0], $.numbers[0] and $.order.id.
# A field of a member of an array comes wrapped in a list: "body.$": "$.Records[0].body" is ["x"], a Choice that
# compares the field takes its default, and States.Format writes the brackets. There is no error.
# aws-local-stepfunctions, which runs state machines in Node.js, gives the value.
# Seen on 2026-11-30 with moto 5.2.5 and boto3 1.44.8 on Python 3.11, aws-local-stepfunctions 3.0.0 on Node.js 20.
# For tests on moto: a task gets another type than it will get, and a branch on such a field is never taken. A task that
# was made to take the list fails on AWS. Take the member in one state and its field in the next: right in both.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[stepfunctions]==5.2.5' boto3==1.44.8 botocore==1.44.8
npm install --silent --no-audit --no-fund --prefix "$dir" aws-local-stepfunctions@3.0.0

cat > "$dir/machines.json" <<'JSON'
{
  "input": {"Records": [{"body": "x"}], "numbers": [7], "order": {"id": 1}},
  "machines": [
    {"P": {"Type": "Pass", "Parameters": {"v.$": "$.numbers[0]"}, "End": true}},
    {"P": {"Type": "Pass", "Parameters": {"v.$": "$.order.id"}, "End": true}},
    {"P": {"Type": "Pass", "Parameters": {"v.$": "$.Records[0].body"}, "End": true}},
    {"P": {"Type": "Pass", "Parameters": {"v.$": "States.Format('<{}>', $.Records[0].body)"}, "End": true}},
    {"P": {"Type": "Pass", "InputPath": "$.Records[0]", "Next": "Q"},
     "Q": {"Type": "Pass", "Parameters": {"v.$": "$.body"}, "End": true}},
    {"P": {"Type": "Choice", "Choices": [{"Variable": "$.Records[0].body", "StringEquals": "x", "Next": "X"}],
           "Default": "Other"},
     "X": {"Type": "Pass", "Result": {"v": "x"}, "End": true},
     "Other": {"Type": "Pass", "Result": {"v": "other"}, "End": true}}
  ]
}
JSON
cat > "$dir/probe.py" <<'PY'
import json
import sys
import time

import boto3
from moto import mock_aws

cases = json.load(open(sys.argv[1]))
with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
    client = boto3.client("stepfunctions", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    for number, states in enumerate(cases["machines"]):
        arn = client.create_state_machine(
            name=f"machine-{number}", definition=json.dumps({"StartAt": "P", "States": states}),
            roleArn="arn:aws:iam::123456789012:role/states")["stateMachineArn"]
        run = client.start_execution(stateMachineArn=arn, input=json.dumps(cases["input"]))["executionArn"]
        for _ in range(200):
            seen = client.describe_execution(executionArn=run)
            if "output" in seen:
                break
            time.sleep(0.05)
        print("moto", json.dumps(json.loads(seen["output"]), separators=(",", ":")))
PY
cat > "$dir/probe.js" <<'JS'
const { StateMachine } = require('aws-local-stepfunctions');
const { input, machines } = require('./machines.json');

(async () => {
  for (const States of machines) {
    const { result } = new StateMachine({ StartAt: 'P', States }).run(input);
    console.log('local', JSON.stringify(await result));
  }
})();
JS
cat > "$dir/expected" <<'OUT'
moto {"v":7}
moto {"v":1}
moto {"v":["x"]}
moto {"v":"<[x]>"}
moto {"v":"x"}
moto {"v":"other"}
local {"v":7}
local {"v":1}
local {"v":"x"}
local {"v":"<x>"}
local {"v":"x"}
local {"v":"x"}
OUT
"$dir/venv/bin/python" "$dir/probe.py" "$dir/machines.json" > "$dir/seen" 2> "$dir/log" || { cat "$dir/log"; exit 1; }
node "$dir/probe.js" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two reads such paths differently now"; exit 1; }
echo "as recorded"
