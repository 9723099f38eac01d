#!/usr/bin/env bash
# One would guess that DynamoDB Local, AWS's own emulator, gives numbers back in one form, as the
# service does: 1.0 is stored and returned as 1, since leading and trailing zeros are trimmed.
# PutItem does so for the attributes at the top of the item. A number inside a list or a map, and
# every number that UpdateItem sets, keeps the text that was sent: "2.50", "7.00", "1E3". Later
# reads, old images and the records of the stream have that text too. Comparisons are by value.
# Seen on 2026-11-28 with DynamoDB Local 1.25.1, as packed in amplify-dynamodb-simulator 2.9.30
# (needs Java), and boto3 1.44.8 on Python 3.11.
# For tests: never compare the texts of numbers, and treat stream images as equal only by value. A
# key that is derived from the text of a number differs between the emulator and the service.
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
import json
import sys

import boto3

client = boto3.client("dynamodb", region_name="eu-west-1", endpoint_url=f"http://127.0.0.1:{sys.argv[1]}",
                      aws_access_key_id="a", aws_secret_access_key="b")
client.create_table(
    TableName="orders", BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
key = {"id": {"S": "1"}}


def show(step):
    item = client.get_item(TableName="orders", Key=key, ConsistentRead=True)["Item"]
    del item["id"]
    print(step, json.dumps(item, sort_keys=True))


client.put_item(TableName="orders", Item=key | {"n": {"N": "1.0"}, "l": {"L": [{"N": "2.50"}]}})
show("put")
client.update_item(TableName="orders", Key=key, UpdateExpression="SET n = :n, l = :l",
                   ConditionExpression="n = :same",
                   ExpressionAttributeValues={":n": {"N": "7.00"}, ":l": {"N": "1E3"}, ":same": {"N": "1.000"}})
show("update")
PY
cat > "$dir/expected" <<'OUT'
put {"l": {"L": [{"N": "2.50"}]}, "n": {"N": "1"}}
update {"l": {"N": "1E3"}, "n": {"N": "7.00"}}
OUT
"$dir/venv/bin/python" "$dir/probe.py" "$port" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: DynamoDB Local returns numbers differently now"; exit 1; }
echo "as recorded"
