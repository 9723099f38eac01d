#!/usr/bin/env bash
# One would guess that a rule of EventBridge which is disabled hands nothing on in moto: that is what disabling is for,
# and moto keeps the state and shows it in DescribeRule.
# It keeps the state and does not look at it. An event that matches goes to the targets all the same, after
# DisableRule as well as for a rule that PutRule makes with State DISABLED. A rule without its target, or one that
# is deleted, hands nothing on.
# Seen on 2026-11-30 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For tests of a switch that stops a flow of events (maintenance, a replay, an emergency stop): on moto it never stops
# it. Check the state that the code has set, and take the target away where the test is about what arrives.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[events,sqs]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import json

import boto3
from moto import mock_aws

with mock_aws():
    access = {"region_name": "eu-west-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    events, sqs = boto3.client("events", **access), boto3.client("sqs", **access)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = json.dumps({"source": ["shop"]})

    def show(step, state):
        events.put_events(Entries=[{"Source": "shop", "DetailType": "order", "Detail": json.dumps({"step": step})}])
        received = []
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            received.append(json.loads(message["Body"])["detail"]["step"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        print(step, state, received)

    events.put_rule(Name="r", EventPattern=pattern)
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn}])
    show("made", events.describe_rule(Name="r")["State"])
    events.disable_rule(Name="r")
    show("disabled", events.describe_rule(Name="r")["State"])
    events.remove_targets(Rule="r", Ids=["1"])
    show("without target", events.describe_rule(Name="r")["State"])
    events.delete_rule(Name="r")
    events.put_rule(Name="r2", EventPattern=pattern, State="DISABLED")
    events.put_targets(Rule="r2", Targets=[{"Id": "1", "Arn": arn}])
    show("made disabled", events.describe_rule(Name="r2")["State"])
    events.remove_targets(Rule="r2", Ids=["1"])
    events.delete_rule(Name="r2")
    show("deleted", "-")
PY
cat > "$dir/expected" <<'OUT'
made ENABLED ['made']
disabled DISABLED ['disabled']
without target DISABLED []
made disabled DISABLED ['made disabled']
deleted - []
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto treats disabled rules differently now"; exit 1; }
echo "as recorded"
