#!/usr/bin/env bash
# One would guess that aws-arn-parser for Node.js gives the resource of arn:aws:lambda:...:function:pay:live as
# "function:pay:live": in an ARN the resource is all that follows the fifth colon, and may have colons of its own.
# It gives "function". The name of the function is gone, and the last piece is in a member called "undefined". Queues,
# tables and roles, whose resource has no colon, are whole. The SDK's own parser and arnparse for Python keep the rest.
# Seen on 2026-11-30 with aws-arn-parser 1.0.1 and @aws-sdk/util-arn-parser 3.972.55 on Node.js 20, and arnparse
# 0.0.2 on Python 3.11.
# For code that tells functions, log groups, secrets or executions apart by their ARN: all of one kind are the same
# to it. A stream of DynamoDB loses its minutes, an object of S3 what stands after a colon in its key.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" aws-arn-parser@1.0.1 @aws-sdk/util-arn-parser@3.972.55
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q arnparse==0.0.2

cat > "$dir/arns.json" <<'JSON'
[
  "arn:aws:sqs:eu-west-1:123456789012:orders",
  "arn:aws:lambda:eu-west-1:123456789012:function:pay:live",
  "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf",
  "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-11-30T09:15:00.123"
]
JSON
cat > "$dir/probe.js" <<'JS'
const { parse } = require('@aws-sdk/util-arn-parser');
const parser = require('aws-arn-parser');

for (const arn of require('./arns.json')) {
  const { relativeId, undefined: last } = parser(arn);
  console.log(`aws-arn-parser ${relativeId}, undefined: ${last}; util-arn-parser ${parse(arn).resource}`);
}
JS
cat > "$dir/probe.py" <<'PY'
import json
import sys

from arnparse import arnparse

for arn in json.load(open(sys.argv[1])):
    parsed = arnparse(arn)
    print("arnparse", parsed.resource_type, parsed.resource)
PY
cat > "$dir/expected" <<'OUT'
aws-arn-parser orders, undefined: undefined; util-arn-parser orders
aws-arn-parser function, undefined: live; util-arn-parser function:pay:live
aws-arn-parser secret, undefined: db-AbCdEf; util-arn-parser secret:db-AbCdEf
aws-arn-parser table/orders/stream/2026-11-30T09, undefined: 00.123; util-arn-parser table/orders/stream/2026-11-30T09:15:00.123
arnparse None orders
arnparse function pay:live
arnparse secret db-AbCdEf
arnparse table orders/stream/2026-11-30T09:15:00.123
OUT
node "$dir/probe.js" > "$dir/seen"
"$dir/venv/bin/python" "$dir/probe.py" "$dir/arns.json" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the parsers cuts resources differently now"; exit 1; }
echo "as recorded"
