#!/usr/bin/env bash
# One would guess that a Choice of Step Functions in moto takes 2026-11-30T09:15:00.000Z for a time: the language has
# the timestamps of RFC 3339, whose seconds may have a fraction and whose zone may be an offset. JavaScript's
# toISOString() always writes a fraction.
# Only whole seconds with a Z are one. All others are neither before, after nor equal to anything, and the execution
# goes on with the Default, without an error (IsTimestamp alone logs that it is not fully supported). In
# aws-local-stepfunctions they are times.
# Seen on 2026-11-30 with moto 5.2.5, boto3 1.44.8 and Python 3.11, and aws-local-stepfunctions 3.0.0 on Node.js 20.
# For "is it still before the deadline": a test whose times are written by hand passes, and with the times that
# functions write each branch is the Default. On AWS both work. Test with a time of each form.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[stepfunctions]==5.2.5' boto3==1.44.8 botocore==1.44.8
npm install --silent --no-audit --no-fund --prefix "$dir" aws-local-stepfunctions@3.0.0

cat > "$dir/cases.json" <<'JSON'
{
  "input": {
    "whole": "2026-11-30T09:15:00Z", "fraction": "2026-11-30T09:15:00.000Z", "offset": "2026-11-30T10:15:00+01:00"
  },
  "rules": [
    {"Variable": "$.whole", "TimestampLessThan": "2030-01-01T00:00:00Z"},
    {"Variable": "$.fraction", "TimestampLessThan": "2030-01-01T00:00:00Z"},
    {"Variable": "$.fraction", "TimestampGreaterThan": "2020-01-01T00:00:00Z"},
    {"Variable": "$.fraction", "IsTimestamp": true},
    {"Variable": "$.offset", "TimestampEquals": "2026-11-30T09:15:00Z"}
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
    for number, rule in enumerate(cases["rules"]):
        states = {
            "C": {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"},
            "Yes": {"Type": "Pass", "Result": {"v": "yes"}, "End": True},
            "No": {"Type": "Pass", "Result": {"v": "default"}, "End": True},
        }
        arn = client.create_state_machine(
            name=f"machine-{number}", definition=json.dumps({"StartAt": "C", "States": states}),
            roleArn="arn:aws:iam::123456789012:role/states")["stateMachineArn"]
        run = client.start_execution(stateMachineArn=arn, input=json.dumps(cases["input"]))["executionArn"]
        for _ in range(200):
            seen = client.describe_execution(executionArn=run)
            if seen["status"] != "RUNNING":
                break
            time.sleep(0.05)
        print("moto", json.dumps(rule, separators=(",", ":")), json.loads(seen["output"])["v"])
PY
cat > "$dir/probe.js" <<'JS'
const { StateMachine } = require('aws-local-stepfunctions');
const { input, rules } = require('./cases.json');

(async () => {
  for (const rule of rules) {
    const States = {
      C: { Type: 'Choice', Choices: [{ ...rule, Next: 'Yes' }], Default: 'No' },
      Yes: { Type: 'Pass', Result: { v: 'yes' }, End: true },
      No: { Type: 'Pass', Result: { v: 'default' }, End: true },
    };
    const result = await new StateMachine({ StartAt: 'C', States }).run(input).result;
    console.log('local', JSON.stringify(rule), result.v);
  }
})();
JS
cat > "$dir/expected" <<'OUT'
moto {"Variable":"$.whole","TimestampLessThan":"2030-01-01T00:00:00Z"} yes
moto {"Variable":"$.fraction","TimestampLessThan":"2030-01-01T00:00:00Z"} default
moto {"Variable":"$.fraction","TimestampGreaterThan":"2020-01-01T00:00:00Z"} default
moto {"Variable":"$.fraction","IsTimestamp":true} default
moto {"Variable":"$.offset","TimestampEquals":"2026-11-30T09:15:00Z"} default
local {"Variable":"$.whole","TimestampLessThan":"2030-01-01T00:00:00Z"} yes
local {"Variable":"$.fraction","TimestampLessThan":"2030-01-01T00:00:00Z"} yes
local {"Variable":"$.fraction","TimestampGreaterThan":"2020-01-01T00:00:00Z"} yes
local {"Variable":"$.fraction","IsTimestamp":true} yes
local {"Variable":"$.offset","TimestampEquals":"2026-11-30T09:15:00Z"} yes
OUT
"$dir/venv/bin/python" "$dir/probe.py" "$dir/cases.json" > "$dir/seen" 2> "$dir/log" || { cat "$dir/log"; exit 1; }
node "$dir/probe.js" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two reads times differently now"; exit 1; }
echo "as recorded"
