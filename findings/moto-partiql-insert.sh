#!/usr/bin/env bash
# One would guess that a PartiQL INSERT in moto is refused if an item with that key is there: in DynamoDB
# INSERT never replaces, a second one raises DuplicateItemException. It is PutItem with the condition
# attribute_not_exists built in, which moto observes.
# In moto INSERT is a plain put. The second one succeeds and the first item is gone, with the attributes
# that the second has not.
# Seen on 2026-11-28 with moto 5.2.5, its parser py-partiql-parser 0.6.3, boto3 1.44.8 and Python 3.11.
# For tests on moto: a lock or an idempotency record that is taken by INSERT is taken by everyone. What
# guards an effect should be a conditional PutItem, which is the same everywhere.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[dynamodb]==5.2.5' py-partiql-parser==0.6.3 boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import json

import boto3
from moto import mock_aws

with mock_aws():
    client = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    client.create_table(
        TableName="locks", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])

    def insert(owner, note):
        statement = f"INSERT INTO \"locks\" VALUE {{'id': 'order-1', '{note}': true, 'owner': '{owner}'}}"
        client.execute_statement(Statement=statement)

    def put(owner):
        client.put_item(TableName="locks", Item={"id": {"S": "order-1"}, "owner": {"S": owner}},
                        ConditionExpression="attribute_not_exists(id)")

    for attempt in [lambda: insert("a", "first"), lambda: insert("b", "second"), lambda: put("c")]:
        try:
            attempt()
            outcome = "accepted"
        except client.exceptions.ClientError as error:
            outcome = error.response["Error"]["Code"]
        item = client.get_item(TableName="locks", Key={"id": {"S": "order-1"}})["Item"]
        print(outcome, json.dumps(item, sort_keys=True))
PY
cat > "$dir/expected" <<'OUT'
accepted {"first": {"BOOL": true}, "id": {"S": "order-1"}, "owner": {"S": "a"}}
accepted {"id": {"S": "order-1"}, "owner": {"S": "b"}, "second": {"BOOL": true}}
ConditionalCheckFailedException {"id": {"S": "order-1"}, "owner": {"S": "b"}, "second": {"BOOL": true}}
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto treats INSERT differently now"; exit 1; }
echo "as recorded"
