#!/usr/bin/env bash
# One would guess that a rule in moto whose pattern names a field of the objects in an array
# (detail.items.sku) matches an event in which one of the objects has that value: EventBridge looks
# into arrays, and moto does so for an array of strings.
# moto never finds a field behind an array of objects, not even of a single one. The event is dropped
# without an error, and a pattern that asks that the field does not exist matches it.
# Seen on 2026-11-28 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For tests on moto: a rule for an event with line items (an order, the resources of CloudTrail) gives
# nothing there. The pattern need not be wrong; try it against the service's TestEventPattern.
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
    session = boto3.Session("a", "b", region_name="eu-west-1")
    events, sqs = session.client("events"), session.client("sqs")

    def delivered(name, pattern, detail):
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name=name, EventPattern=json.dumps({"detail": pattern}))
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
        events.put_events(Entries=[{"Source": "shop", "DetailType": "Order", "Detail": json.dumps(detail)}])
        messages = sqs.receive_message(QueueUrl=url).get("Messages", [])
        events.remove_targets(Rule=name, Ids=["1"])
        print(name, json.dumps(pattern), json.dumps(detail), len(messages))

    delivered("strings", {"skus": ["b"]}, {"skus": ["a", "b"]})
    delivered("object", {"items": {"sku": ["b"]}}, {"items": {"sku": "b"}})
    delivered("objects", {"items": {"sku": ["b"]}}, {"items": [{"sku": "a"}, {"sku": "b"}]})
    delivered("one", {"items": {"sku": ["b"]}}, {"items": [{"sku": "b"}]})
    delivered("absent", {"items": {"sku": [{"exists": False}]}}, {"items": [{"sku": "b"}]})
PY
cat > "$dir/expected" <<'OUT'
strings {"skus": ["b"]} {"skus": ["a", "b"]} 1
object {"items": {"sku": ["b"]}} {"items": {"sku": "b"}} 1
objects {"items": {"sku": ["b"]}} {"items": [{"sku": "a"}, {"sku": "b"}]} 0
one {"items": {"sku": ["b"]}} {"items": [{"sku": "b"}]} 0
absent {"items": {"sku": [{"exists": false}]}} {"items": [{"sku": "b"}]} 1
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto matches arrays of objects differently now"; exit 1; }
echo "as recorded"
