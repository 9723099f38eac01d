#!/usr/bin/env bash
# One would guess that a subscription to a topic in moto whose filter is {"tier": ["gold", {"exists": false}]} gets the
# messages without a tier: the members of such an array are alternatives, and moto knows "exists" by itself.
# It gives up at the first text or number of the array if the attribute is absent, so the message is dropped. With
# the two in the other order it is delivered. A filter on the body (FilterPolicyScope) goes the same way.
# Seen on 2026-11-30 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For consumers that are to take what older publishers send, who do not know the attribute: on moto these messages are
# lost or not by the order of the array, which on SNS means nothing. Write {"exists": false} first.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[sns,sqs]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import json

import boto3
from moto import mock_aws


def received(scope, rules):
    access = {"region_name": "eu-west-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    with mock_aws():
        sns, sqs = boto3.client("sns", **access), boto3.client("sqs", **access)
        topic = sns.create_topic(Name="orders")["TopicArn"]
        url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={
            "FilterPolicy": json.dumps({"tier": rules}), "FilterPolicyScope": scope, "RawMessageDelivery": "true"})
        for order, tier in enumerate(["gold", "basic", None]):
            body, attributes = {"order": order}, {}
            if tier and scope == "MessageBody":
                body["tier"] = tier
            elif tier:
                attributes["tier"] = {"DataType": "String", "StringValue": tier}
            sns.publish(TopicArn=topic, Message=json.dumps(body), MessageAttributes=attributes)
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return ", ".join(["gold", "basic", "none"][json.loads(message["Body"])["order"]] for message in messages)


for scope in ["MessageAttributes", "MessageBody"]:
    for rules in [[{"exists": False}], ["gold", {"exists": False}], [{"exists": False}, "gold"]]:
        print(scope, json.dumps(rules), "->", received(scope, rules))
PY
cat > "$dir/expected" <<'OUT'
MessageAttributes [{"exists": false}] -> none
MessageAttributes ["gold", {"exists": false}] -> gold
MessageAttributes [{"exists": false}, "gold"] -> gold, none
MessageBody [{"exists": false}] -> none
MessageBody ["gold", {"exists": false}] -> gold
MessageBody [{"exists": false}, "gold"] -> gold, none
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto filters messages without the attribute differently now"; exit 1; }
echo "as recorded"
