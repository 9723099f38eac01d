#!/usr/bin/env bash
# One would guess that UpdateItem with ReturnValues=UPDATED_NEW returns every attribute that the
# expression has set, as DynamoDB's documentation has it and as DynamoDB Local does.
# moto returns only those whose value is different from before. Setting a status that is already
# there answers with empty Attributes, and a SET of two attributes may answer with one of them.
# Seen on 2026-11-28 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For code that reads a counter or a version out of the reply: on moto the repeat of an update,
# which is what idempotent code sends, finds no such key. Take ALL_NEW where a repeat is possible.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[dynamodb]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import json

import boto3
from moto import mock_aws

with mock_aws():
    client = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    client.create_table(
        TableName="orders", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])

    client.put_item(TableName="orders", Item={"id": {"S": "1"}})

    def update(status, version):
        reply = client.update_item(
            TableName="orders", Key={"id": {"S": "1"}}, ReturnValues="UPDATED_NEW",
            UpdateExpression="SET #s = :s, version = :v",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={":s": {"S": status}, ":v": {"N": version}})
        print(json.dumps(reply["Attributes"], sort_keys=True))

    update("DONE", "1")
    update("DONE", "2")
    update("DONE", "2")
PY
cat > "$dir/expected" <<'OUT'
{"status": {"S": "DONE"}, "version": {"N": "1"}}
{"version": {"N": "2"}}
{}
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto returns other attributes now"; exit 1; }
echo "as recorded"
