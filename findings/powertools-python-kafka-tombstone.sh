#!/usr/bin/env bash
# One would guess that kafka_consumer of Powertools for Python gives None as the value of a record that has none:
# that is a tombstone, which says that the key is deleted, and it gives None for a key that is absent.
# Reading the value raises: a KeyError where the event has no member value, and where it has null the error for a
# broken text (KafkaConsumerDeserializationError with a schema of JSON, TypeError without one). Powertools for
# TypeScript gives undefined and null.
# Seen on 2026-11-29 with aws-lambda-powertools 3.37.0 on Python 3.11, and @aws-lambda-powertools/kafka 2.35.0 on
# Node.js 20.
# For a compacted topic: the first deletion makes the batch fail, and so does each retry of it, until the tombstone
# expires. Ask the event itself first. A consumer of one's own has "no value" as a value, apart from JSON's null.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-lambda-powertools==3.37.0
npm install --silent --no-audit --no-fund --prefix "$dir" @aws-lambda-powertools/kafka@2.35.0

cat > "$dir/event.json" <<'JSON'
{"eventSource": "aws:kafka", "bootstrapServers": "broker:9092", "records": {"carts-0": [
  {"topic": "carts", "partition": 0, "offset": 0, "timestamp": 1, "timestampType": "CREATE_TIME", "headers": [],
   "value": "eyJpdGVtcyI6IDJ9"},
  {"topic": "carts", "partition": 0, "offset": 1, "timestamp": 2, "timestampType": "CREATE_TIME", "headers": [],
   "key": "NDI="},
  {"topic": "carts", "partition": 0, "offset": 2, "timestamp": 3, "timestampType": "CREATE_TIME", "headers": [],
   "key": "NDI=", "value": null}]}}
JSON
cat > "$dir/probe.py" <<'PY'
import json
import sys

from aws_lambda_powertools.utilities.kafka import SchemaConfig, kafka_consumer

for config in [SchemaConfig(value_schema_type="JSON"), None]:
    @kafka_consumer(schema_config=config)
    def handler(event, context):
        for record in event.records:
            try:
                value = repr(record.value)
            except Exception as error:
                value = type(error).__name__
            print("Python", "JSON" if config else "none", record.offset, "key", record.key, "value", value)

    handler(json.load(open(sys.argv[1])), None)
PY
cat > "$dir/probe.mjs" <<'JS'
import { readFileSync } from 'node:fs';
import { kafkaConsumer, SchemaType } from '@aws-lambda-powertools/kafka';

const handler = kafkaConsumer(async (event) => {
  for (const { offset, key, value } of event.records) console.log('TypeScript', 'JSON', offset, 'key', key, 'value', value);
}, { value: { type: SchemaType.JSON } });
await handler(JSON.parse(readFileSync(process.argv[2])), {});
JS
cat > "$dir/expected" <<'OUT'
Python JSON 0 key None value {'items': 2}
Python JSON 1 key 42 value KeyError
Python JSON 2 key 42 value KafkaConsumerDeserializationError
Python none 0 key None value '{"items": 2}'
Python none 1 key 42 value KeyError
Python none 2 key 42 value TypeError
TypeScript JSON 0 key undefined value { items: 2 }
TypeScript JSON 1 key 42 value undefined
TypeScript JSON 2 key 42 value null
OUT
"$dir/venv/bin/python" "$dir/probe.py" "$dir/event.json" > "$dir/seen"
node "$dir/probe.mjs" "$dir/event.json" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of them reads a record without a value differently now"; exit 1; }
echo "as recorded"
