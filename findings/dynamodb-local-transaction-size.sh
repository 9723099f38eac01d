#!/usr/bin/env bash
# One would guess that the limit of 4 MB for TransactWriteItems is about the items that are written, as
# its description says, in DynamoDB Local, AWS's own emulator, too. It counts the requests there: a value
# counts again for each place of a condition that has its placeholder. Twelve updates, each with a value
# of 300 kB, are accepted. Twelve updates or puts of the same items are refused with a ValidationException
# if a condition compares with the value that is written, although no item is larger.
# Seen on 2026-11-29 with DynamoDB Local 1.25.1, as packed in amplify-dynamodb-simulator 2.9.30
# (needs Java), and boto3 1.44.8 on Python 3.11.
# For tests: a transaction near the limit that the service takes can fail in the emulator. What checks
# the size before it sends is safe with the higher count, and must not be tested for the lower one here.
set -euo pipefail
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" amplify-dynamodb-simulator@2.9.30
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q boto3==1.44.8 botocore==1.44.8
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cd "$dir/node_modules/amplify-dynamodb-simulator/emulator"
java -Djava.library.path=DynamoDBLocal_lib -jar DynamoDBLocal.jar -inMemory -sharedDb -port "$port" > "$dir/log" 2>&1 &
server=$!
for _ in $(seq 300); do
  if (: < "/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  sleep 0.2
done

cat > "$dir/probe.py" <<'PY'
import sys

import boto3
from botocore.exceptions import ClientError

client = boto3.client("dynamodb", region_name="eu-west-1", endpoint_url=f"http://127.0.0.1:{sys.argv[1]}",
                      aws_access_key_id="a", aws_secret_access_key="b")
client.create_table(
    TableName="orders", BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
value = {"S": "x" * 300_000}


def send(what, action):
    try:
        client.transact_write_items(TransactItems=[action({"id": {"S": f"{what} {n}"}}) for n in range(12)])
        print(what, "accepted")
    except ClientError as error:
        print(what, error.response["Error"]["Code"])


def update(condition):
    def action(key):
        update = {"TableName": "orders", "Key": key, "UpdateExpression": "SET body = :v",
                  "ExpressionAttributeValues": {":v": value}}
        return {"Update": update | condition}
    return action


def put(key):
    return {"Put": {"TableName": "orders", "Item": key | {"body": value},
                    "ConditionExpression": "attribute_not_exists(body) OR body <> :v",
                    "ExpressionAttributeValues": {":v": value}}}


send("update", update({}))
send("update if another", update({"ConditionExpression": "attribute_not_exists(body) OR body <> :v"}))
send("put if another", put)
PY
cat > "$dir/expected" <<'OUT'
update accepted
update if another ValidationException
put if another ValidationException
OUT
"$dir/venv/bin/python" "$dir/probe.py" "$port" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: DynamoDB Local counts a transaction differently now"; exit 1; }
echo "as recorded"
