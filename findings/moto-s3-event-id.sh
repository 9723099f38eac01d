#!/usr/bin/env bash
# One would guess that each event that moto's S3 sends to EventBridge has an id of its own, as each event that
# PutEvents takes has there, and as EventBridge's have: it is what tells two events apart.
# All of them have one id, a constant, whatever the bucket, the object and the kind of the event. The id in
# the reply of PutEvents is another for each entry.
# Seen on 2026-11-28 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For a consumer that drops duplicates by the id of the event, which is right on AWS: on moto the first
# object is handled and every later one is taken for its repetition. Give such a test ids of its own.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[events,s3,sqs]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import json

import boto3
from moto import mock_aws

with mock_aws():
    access = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    s3, events, sqs = (boto3.client(name, **access) for name in ["s3", "events", "sqs"])
    url = sqs.create_queue(QueueName="objects")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["aws.s3", "shop"]}))
    events.put_targets(Rule="all", Targets=[{"Id": "queue", "Arn": arn}])
    for bucket in ["invoices", "letters"]:
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})

    def ids(kind):
        found = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                event = json.loads(message["Body"])
                found += [event["id"]] if event["detail-type"] == kind else []
        return found

    for bucket in ["invoices", "letters"]:
        for key in ["1", "2"]:
            s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    seen = ids("Object Created")
    print("objects", len(seen), "ids", sorted(set(seen)))

    for order in [1, 2]:
        events.put_events(Entries=[{"Source": "shop", "DetailType": "paid", "Detail": json.dumps({"order": order})}])
    seen = ids("paid")
    print("entries", len(seen), "different ids", len(set(seen)))
PY
cat > "$dir/expected" <<'OUT'
objects 4 ids ['17793124-05d4-b198-2fde-7ededc63b103']
entries 2 different ids 2
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto gives other ids to the events of S3 now"; exit 1; }
echo "as recorded"
