#!/usr/bin/env bash
# One would guess that a message of SQS which was just received can be hidden for another minute in moto, however old it is:
# the twelve hours for which a message can be invisible begin when it is received, by SQS's documentation.
# In moto they begin when the message was sent. A message that waited in the queue for thirteen hours cannot be hidden
# for a minute any more, while a fresh one can be hidden for twelve hours; zero is refused as well. And one such entry in
# ChangeMessageVisibilityBatch fails the whole request, where SQS lists it under Failed.
# Seen on 2026-12-01 with moto 5.2.5, boto3 1.44.8, freezegun 1.5.5 and Python 3.11.
# For tests with a moved clock, of retries after a long outage for example: on moto every delay of an old message is refused,
# and the other messages of the same request keep their timeout too. On SQS only what is hidden too long from its receive is.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[sqs]==5.2.5' boto3==1.44.8 botocore==1.44.8 freezegun==1.5.5

cat > "$dir/probe.py" <<'PY'
from datetime import timedelta

import boto3
from botocore.exceptions import ClientError
from freezegun import freeze_time
from moto import mock_aws

with mock_aws(), freeze_time("2026-12-01 06:00:00") as clock:
    sqs = boto3.client("sqs", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]

    def received():
        return sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]

    def show(what, change):
        try:
            change()
            print(what, "accepted")
        except ClientError as error:
            print(what, error.response["Error"]["Code"])

    def hide(handle, seconds):
        return lambda: sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=seconds)

    sqs.send_message(QueueUrl=url, MessageBody="old")
    clock.tick(timedelta(hours=13))
    old = received()
    show("waited 13 hours, a minute:", hide(old, 60))
    show("waited 13 hours, zero:", hide(old, 0))
    sqs.send_message(QueueUrl=url, MessageBody="fresh")
    fresh = received()
    show("fresh, twelve hours:", hide(fresh, 43200))
    entries = [
        {"Id": "fresh", "ReceiptHandle": fresh, "VisibilityTimeout": 60},
        {"Id": "old", "ReceiptHandle": old, "VisibilityTimeout": 60},
    ]
    show("both in one request:", lambda: sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries))
PY
cat > "$dir/expected" <<'OUT'
waited 13 hours, a minute: InvalidParameterValue
waited 13 hours, zero: InvalidParameterValue
fresh, twelve hours: accepted
both in one request: InvalidParameterValue
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto counts the time of visibility differently now"; exit 1; }
echo "as recorded"
