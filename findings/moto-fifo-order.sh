#!/usr/bin/env bash
# One would guess that a FIFO queue in moto delivers a batch that timed out again in its order: SQS never gives
# the second message of a group before the first is deleted, and moto holds a group back while one of its
# messages is in flight.
# After a receive of two messages whose visibility timeout has passed, a receive of one gives the second. The
# second is still listed as pending, so the first finds its own group busy and is passed over; the second is
# then taken off the list and delivered. Made visible by ChangeMessageVisibility they come in order.
# Seen on 2026-11-30 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For tests on moto of a consumer that dies in the middle of a batch, the very case a FIFO queue is for: steps are
# done in the wrong order there, and a consumer that guards against it (by a version, say) drops the first one.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[sqs]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import time

import boto3
from moto import mock_aws

with mock_aws():
    sqs = boto3.Session("a", "b", region_name="eu-west-1").client("sqs")

    def queue(name):
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        for step in ["open", "pay", "close"]:
            sqs.send_message(QueueUrl=url, MessageBody=step, MessageGroupId="order-1")
        return url

    def receive(url, most, seconds):
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=most, VisibilityTimeout=seconds)
        return answer.get("Messages", [])

    def names(messages):
        return [message["Body"] for message in messages]

    url = queue("timed-out.fifo")
    print("first", names(receive(url, 2, 1)), "meanwhile", names(receive(url, 2, 30)))
    time.sleep(1.5)
    again = receive(url, 1, 30)
    print("after the timeout", names(again))
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again[0]["ReceiptHandle"])
    print("then", names(receive(url, 1, 30)))

    url = queue("given-back.fifo")
    messages = receive(url, 2, 30)
    for message in messages:
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    print("given back", names(messages), names(receive(url, 1, 30)))
PY
cat > "$dir/expected" <<'OUT'
first ['open', 'pay'] meanwhile []
after the timeout ['pay']
then ['open']
given back ['open', 'pay'] ['open']
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto orders the messages of a group differently now"; exit 1; }
echo "as recorded"
