#!/usr/bin/env bash
# One would guess that an EventBridge rule whose target has a constant Input, or an InputPath, sends that to
# the queue: moto stores both, gives them back in ListTargetsByRule, and delivers events to SQS.
# The queue gets the whole event, as if the target had neither. There is no warning.
# Seen on 2026-11-28 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For a function behind that queue: a test on moto shows it the envelope, while on AWS it receives the detail
# or the constant alone. Test both shapes with events of one's own, and let an error name the missing envelope.
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
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="paid", EventPattern=json.dumps({"source": ["shop"]}))

    for settings in [{}, {"InputPath": "$.detail"}, {"Input": '{"order": 0}'}]:
        events.put_targets(Rule="paid", Targets=[{"Id": "queue", "Arn": arn, **settings}])
        stored = events.list_targets_by_rule(Rule="paid")["Targets"][0]
        events.put_events(Entries=[{"Source": "shop", "DetailType": "paid", "Detail": '{"order": 7}'}])
        message = sqs.receive_message(QueueUrl=url)["Messages"][0]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        body = json.loads(message["Body"])
        print({name: stored[name] for name in settings}, "->", body["source"], body["detail-type"], body["detail"])
PY
cat > "$dir/expected" <<'OUT'
{} -> shop paid {'order': 7}
{'InputPath': '$.detail'} -> shop paid {'order': 7}
{'Input': '{"order": 0}'} -> shop paid {'order': 7}
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto sends other messages for a target with an input now"; exit 1; }
echo "as recorded"
