#!/usr/bin/env bash
# One would guess that States.StringSplit('2026-11-30T09', '-T') gives the four parts of the hour in
# aws-local-stepfunctions, an emulator of Step Functions for Node.js: each character of the second argument is a
# delimiter by itself, and the documentation of Step Functions has an example with four of them. moto does so.
# It looks for the second argument as a whole. "-T" is nowhere in the text, which comes back in one piece, in a
# list. With one character the two agree.
# Seen on 2026-11-30 with aws-local-stepfunctions 3.0.0 on Node.js 20 and moto 5.2.5 on Python 3.11.
# For state machines that are tried out locally: States.ArrayGetItem(..., 0) is the whole text there, without an
# error. One delimiter to a call is the same everywhere.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" aws-local-stepfunctions@3.0.0
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[stepfunctions]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/cases.json" <<'JSON'
[
  "States.StringSplit('tea,milk', ',')",
  "States.StringSplit('2026-11-30T09', '-T')",
  "States.StringSplit('tea;milk,sugar', ',;')",
  "States.ArrayGetItem(States.StringSplit('shop/eu:42', '/:'), 0)"
]
JSON
cat > "$dir/probe.js" <<'JS'
const { StateMachine } = require('aws-local-stepfunctions');

(async () => {
  for (const call of require('./cases.json')) {
    const definition = { StartAt: 'P', States: { P: { Type: 'Pass', Parameters: { 'v.$': call }, End: true } } };
    console.log('local', call, '->', JSON.stringify((await new StateMachine(definition).run({}).result).v));
  }
})();
JS
cat > "$dir/probe.py" <<'PY'
import json
import sys
import time

import boto3
from moto import mock_aws

with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
    client = boto3.client("stepfunctions", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    for number, call in enumerate(json.load(open(sys.argv[1]))):
        states = {"P": {"Type": "Pass", "Parameters": {"v.$": call}, "End": True}}
        arn = client.create_state_machine(
            name=f"machine-{number}", definition=json.dumps({"StartAt": "P", "States": states}),
            roleArn="arn:aws:iam::123456789012:role/states")["stateMachineArn"]
        run = client.start_execution(stateMachineArn=arn, input="{}")["executionArn"]
        for _ in range(200):
            seen = client.describe_execution(executionArn=run)
            if seen["status"] != "RUNNING":
                break
            time.sleep(0.05)
        print("moto", call, "->", json.dumps(json.loads(seen["output"])["v"], separators=(",", ":")))
PY
cat > "$dir/expected" <<'OUT'
local States.StringSplit('tea,milk', ',') -> ["tea","milk"]
local States.StringSplit('2026-11-30T09', '-T') -> ["2026-11-30T09"]
local States.StringSplit('tea;milk,sugar', ',;') -> ["tea;milk,sugar"]
local States.ArrayGetItem(States.StringSplit('shop/eu:42', '/:'), 0) -> "shop/eu:42"
moto States.StringSplit('tea,milk', ',') -> ["tea","milk"]
moto States.StringSplit('2026-11-30T09', '-T') -> ["2026","11","30","09"]
moto States.StringSplit('tea;milk,sugar', ',;') -> ["tea","milk","sugar"]
moto States.ArrayGetItem(States.StringSplit('shop/eu:42', '/:'), 0) -> "shop"
OUT
node "$dir/probe.js" > "$dir/seen"
"$dir/venv/bin/python" "$dir/probe.py" "$dir/cases.json" >> "$dir/seen" 2> "$dir/log" || { cat "$dir/log"; exit 1; }
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two splits texts differently now"; exit 1; }
echo "as recorded"
