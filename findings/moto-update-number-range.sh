#!/usr/bin/env bash
# One would guess that moto refuses a number that is too large for DynamoDB in every kind of write, since it refuses it in
# PutItem with DynamoDB's own message: a magnitude has to be below 1E+126.
# In UpdateItem it stores any number and returns it as it was written, also from an update in TransactWriteItems, where a put
# of the same number is refused.
# Seen on 2026-12-01 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For code that updates items with numbers from elsewhere (measurements, sums that grow): it passes
# every test on moto and gets a ValidationException in production. Check the range before the request.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[dynamodb]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

with mock_aws():
    db = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    db.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"id": {"S": "1"}}

    def outcome(write):
        try:
            write()
        except ClientError as error:
            return error.response["Error"]["Code"]
        return db.get_item(TableName="t", Key=key)["Item"]["n"]["N"]

    for number in ["1234567", "1E+200"]:
        put = {"TableName": "t", "Item": {**key, "n": {"N": number}}}
        update = {
            "TableName": "t",
            "Key": key,
            "UpdateExpression": "SET n = :n",
            "ExpressionAttributeValues": {":n": {"N": number}},
        }
        print("put", outcome(lambda: db.put_item(**put)))
        print("update", outcome(lambda: db.update_item(**update)))
        print("transact put", outcome(lambda: db.transact_write_items(TransactItems=[{"Put": put}])))
        print("transact update", outcome(lambda: db.transact_write_items(TransactItems=[{"Update": update}])))
PY
cat > "$dir/expected" <<'OUT'
put 1234567
update 1234567
transact put 1234567
transact update 1234567
put ValidationException
update 1E+200
transact put TransactionCanceledException
transact update 1E+200
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto looks at the numbers of updates now"; exit 1; }
echo "as recorded"
