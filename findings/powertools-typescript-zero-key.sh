#!/usr/bin/env bash
# One would guess that the idempotency of Powertools for TypeScript, told that an event must have a key
# (throwOnNoIdempotencyKey), refuses events without an orderId, and takes the orderId 0 as the key that it is.
# It refuses 0, false and lists of such values with the error for a null, "No data found". Without the option it warns
# that there is no key, and then uses it: the repeat is answered from the first call, while an event with a null runs
# each time. Of the events below Powertools for Python refuses only the one with the null.
# Seen on 2026-11-30 with @aws-lambda-powertools/idempotency 2.35.0 on Node.js 20 and aws-lambda-powertools 3.37.0 on
# Python 3.11.
# For keys that count from zero (a partition, an offset, a seat): the first one is never processed, however often it is
# sent. Have a part in the key that is a text. A check of one's own must ask for null, not for what is false.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @aws-lambda-powertools/idempotency@2.35.0 \
    @aws-lambda-powertools/jmespath@2.35.0
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-lambda-powertools==3.37.0 boto3==1.44.8 botocore==1.44.8

cat > "$dir/cases.json" <<'JSON'
[
  ["orderId", {"orderId": 7}],
  ["orderId", {"orderId": 0}],
  ["orderId", {"orderId": false}],
  ["[partition, offset]", {"partition": 0, "offset": 0}],
  ["orderId", {"orderId": null}]
]
JSON
cat > "$dir/probe.mjs" <<'JS'
import { readFileSync } from 'node:fs';
import {
  IdempotencyConfig, IdempotencyItemAlreadyExistsError, makeIdempotent,
} from '@aws-lambda-powertools/idempotency';
import { BasePersistenceLayer } from '@aws-lambda-powertools/idempotency/persistence';

class Memory extends BasePersistenceLayer {
  records = new Map();

  async _putRecord(record) {
    const stored = this.records.get(record.idempotencyKey);
    if (stored) throw new IdempotencyItemAlreadyExistsError('stored', stored);
    this.records.set(record.idempotencyKey, record);
  }

  async _updateRecord(record) {
    this.records.set(record.idempotencyKey, record);
  }

  async _getRecord(key) {
    return this.records.get(key);
  }

  async _deleteRecord(record) {
    this.records.delete(record.idempotencyKey);
  }
}

console.warn = () => {};
for (const required of [true, false]) {
  for (const [eventKeyJmesPath, event] of JSON.parse(readFileSync(process.argv[2]))) {
    let calls = 0;
    const config = new IdempotencyConfig({ eventKeyJmesPath, throwOnNoIdempotencyKey: required });
    config.registerLambdaContext({ getRemainingTimeInMillis: () => 3000 });
    const handler = makeIdempotent(async () => ({ call: ++calls }), { persistenceStore: new Memory(), config });
    const seen = [];
    for (let round = 0; round < 2; round++) {
      seen.push(await handler(event).then(({ call }) => call, (error) => error.cause?.name ?? error.name));
    }
    console.log(`typescript required=${required}`, JSON.stringify(event), seen.join(', '));
  }
}
JS
cat > "$dir/probe.py" <<'PY'
import json
import os
import sys
import warnings

from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyItemAlreadyExistsError

os.environ["AWS_LAMBDA_FUNCTION_NAME"] = "pay"
warnings.simplefilter("ignore")


class Memory(BasePersistenceLayer):
    def __init__(self):
        super().__init__()
        self.records = {}

    def _put_record(self, data_record):
        if data_record.idempotency_key in self.records:
            raise IdempotencyItemAlreadyExistsError(old_data_record=self.records[data_record.idempotency_key])
        self.records[data_record.idempotency_key] = data_record

    def _update_record(self, data_record):
        self.records[data_record.idempotency_key] = data_record

    def _get_record(self, idempotency_key):
        return self.records[idempotency_key]

    def _delete_record(self, data_record):
        del self.records[data_record.idempotency_key]


for required in [True, False]:
    for path, event in json.load(open(sys.argv[1])):
        calls = []
        config = IdempotencyConfig(event_key_jmespath=path, raise_on_no_idempotency_key=required)

        @idempotent_function(data_keyword_argument="event", persistence_store=Memory(), config=config)
        def pay(event):
            calls.append(event)
            return len(calls)

        seen = []
        for _ in range(2):
            try:
                seen.append(pay(event=event))
            except Exception as error:
                seen.append(type(error.__cause__ or error).__name__)
        text = json.dumps(event, separators=(",", ":"))
        print(f"python required={str(required).lower()}", text, ", ".join(map(str, seen)))
PY
cat > "$dir/expected" <<'OUT'
typescript required=true {"orderId":7} 1, 1
typescript required=true {"orderId":0} IdempotencyKeyError, IdempotencyKeyError
typescript required=true {"orderId":false} IdempotencyKeyError, IdempotencyKeyError
typescript required=true {"partition":0,"offset":0} IdempotencyKeyError, IdempotencyKeyError
typescript required=true {"orderId":null} IdempotencyKeyError, IdempotencyKeyError
typescript required=false {"orderId":7} 1, 1
typescript required=false {"orderId":0} 1, 1
typescript required=false {"orderId":false} 1, 1
typescript required=false {"partition":0,"offset":0} 1, 1
typescript required=false {"orderId":null} 1, 2
python required=true {"orderId":7} 1, 1
python required=true {"orderId":0} 1, 1
python required=true {"orderId":false} 1, 1
python required=true {"partition":0,"offset":0} 1, 1
python required=true {"orderId":null} IdempotencyKeyError, IdempotencyKeyError
python required=false {"orderId":7} 1, 1
python required=false {"orderId":0} 1, 1
python required=false {"orderId":false} 1, 1
python required=false {"partition":0,"offset":0} 1, 1
python required=false {"orderId":null} 1, 2
OUT
AWS_LAMBDA_FUNCTION_NAME=pay node "$dir/probe.mjs" "$dir/cases.json" > "$dir/seen"
"$dir/venv/bin/python" "$dir/probe.py" "$dir/cases.json" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two takes keys such as 0 differently now"; exit 1; }
echo "as recorded"
