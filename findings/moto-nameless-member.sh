#!/usr/bin/env bash
# One would guess that a map of DynamoDB keeps its members whatever their names are.
# moto stores a member whose name is empty and returns it without its level: {"M": {"": {"L": []}}}
# becomes {"M": {"L": []}}, and beside a member b {"M": {"L": [], "b": ...}}. The type has become
# the name, and its value, a bare list, is no attribute value.
# Seen on 2026-11-28 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For stores of JSON, where "" is a valid name: such a result is written, and cannot be read again.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[dynamodb,server]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import json
import urllib.request

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://{host}:{port}"
client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="eu-west-1",
                      aws_access_key_id="a", aws_secret_access_key="b")
client.create_table(
    TableName="orders", BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])

maps = [{"": {"L": []}}, {"": {"L": []}, "b": {"N": "1"}}, {"a": {"L": []}}]
for n, members in enumerate(maps):
    client.put_item(TableName="orders", Item={"id": {"S": str(n)}, "data": {"M": members}})
    # Without boto3, which would not show a value that it cannot read.
    request = urllib.request.Request(endpoint, method="POST", headers={
        "X-Amz-Target": "DynamoDB_20120810.GetItem", "Content-Type": "application/x-amz-json-1.0",
        "Authorization": "AWS4-HMAC-SHA256 Credential=a/20261128/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=x"},
        data=json.dumps({"TableName": "orders", "Key": {"id": {"S": str(n)}}}).encode())
    print(json.dumps(json.load(urllib.request.urlopen(request))["Item"]["data"], sort_keys=True))
server.stop()
PY
cat > "$dir/expected" <<'OUT'
{"M": {"L": []}}
{"M": {"L": [], "b": {"N": "1"}}}
{"M": {"a": {"L": []}}}
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen" 2> "$dir/log" || { tail -5 "$dir/log"; exit 1; }
diff "$dir/expected" "$dir/seen" || { echo "changed: moto returns other values now"; exit 1; }
echo "as recorded"
