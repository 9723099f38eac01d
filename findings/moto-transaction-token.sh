#!/usr/bin/env bash
# One would guess that TransactWriteItems in moto does nothing when it is sent again with the same
# ClientRequestToken: DynamoDB answers such a repeat, for ten minutes, as it did the first, and refuses
# another transaction under that token. That is all the parameter is for.
# moto accepts the token and ignores it. The repeat adds to the counter once more, and another
# transaction with the token is carried out.
# Seen on 2026-11-28 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For tests on moto: code that relies on the token counts twice there and once on AWS, so its test
# fails for no fault of its own; a test that passes has not tried the token. A condition in the
# transaction holds on both.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[dynamodb]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import boto3
from moto import mock_aws

with mock_aws():
    client = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    client.create_table(
        TableName="stock", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])

    def transact(amount, token):
        client.transact_write_items(ClientRequestToken=token, TransactItems=[{"Update": {
            "TableName": "stock", "Key": {"id": {"S": "tea"}}, "UpdateExpression": "ADD sold :n",
            "ExpressionAttributeValues": {":n": {"N": amount}}}}])
        item = client.get_item(TableName="stock", Key={"id": {"S": "tea"}}, ConsistentRead=True)["Item"]
        print(token, f"+{amount}", "sold", item["sold"]["N"])

    transact("1", "token-1")
    transact("1", "token-1")
    transact("5", "token-1")
PY
cat > "$dir/expected" <<'OUT'
token-1 +1 sold 1
token-1 +1 sold 2
token-1 +5 sold 7
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto treats the token of a transaction differently now"; exit 1; }
echo "as recorded"
