#!/usr/bin/env bash
# One would guess that a FIFO queue in moto takes a second message with the same deduplication id
# within five minutes for the first one, as SQS does, whether or not the first is still in the queue.
# moto looks for the id among the messages that the queue still holds. While the first waits or is in
# flight, the second is dropped; once the first was received and deleted, the same id is accepted as
# that of a new message, which is delivered.
# Seen on 2026-11-28 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For tests on moto: a producer's retry after the consumer has finished is delivered twice there and
# once by SQS. A consumer that passes has shown that it is idempotent; a producer that relies on the
# window has not been tested.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[sqs]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import boto3
from moto import mock_aws

with mock_aws():
    client = boto3.client("sqs", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    url = client.create_queue(QueueName="orders.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    def send(body):
        client.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="g", MessageDeduplicationId="order-1")

    def receive():
        messages = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        print([message["Body"] for message in messages])
        return messages

    send("first")
    send("second, while the first waits")
    [first] = receive()
    send("third, while the first is in flight")
    receive()
    client.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    receive()
    send("fourth, after the first was deleted")
    receive()
PY
cat > "$dir/expected" <<'OUT'
['first']
[]
[]
['fourth, after the first was deleted']
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto deduplicates FIFO messages differently now"; exit 1; }
echo "as recorded"
