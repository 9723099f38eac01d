#!/usr/bin/env bash
# One would guess that payload validation in Powertools for Python refuses a repeat whose payload differs,
# and that an identical repeat gets the stored result, in Redis as in DynamoDB.
# With the persistence layer for Redis the identical repeat is refused as well: the hash of the payload is in
# the record while the work runs, and completing it writes a new record without one. The stored hash is then
# empty, which no payload has.
# Seen on 2026-11-28 with aws-lambda-powertools 3.37.0, redis 8.1.0 and fakeredis 2.40.0 on Python 3.11.
# For a retry after a timeout: the caller whose order was taken gets an error that says it has changed it,
# until the record expires. A store keeps what it needs for comparison when it completes a record.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-lambda-powertools==3.37.0 redis==8.1.0 fakeredis==2.40.0 \
  boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import json
import os
import warnings
from types import SimpleNamespace

os.environ["AWS_LAMBDA_FUNCTION_NAME"] = "pay"
warnings.simplefilter("ignore")
import fakeredis
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.idempotency.persistence.cache import CachePersistenceLayer

context = SimpleNamespace(get_remaining_time_in_millis=lambda: 1000)
for options in [{}, {"payload_validation_jmespath": "amount"}]:
    redis = fakeredis.FakeRedis(decode_responses=True, server=fakeredis.FakeServer())

    def fields(when):
        print(" ", when, *sorted(json.loads(redis.get(redis.keys()[0]))))

    @idempotent(config=IdempotencyConfig(event_key_jmespath="id", **options),
                persistence_store=CachePersistenceLayer(client=redis))
    def handler(event, context):
        fields("while it runs:")
        return f"paid {event['amount']}"

    print("validation" if options else "no validation")
    for attempt in ["first", "repeat"]:
        try:
            outcome = handler({"id": "order-1", "amount": 5}, context)
        except Exception as error:
            outcome = type(error).__name__
        print(" ", attempt, outcome)
    fields("completed:")
PY
cat > "$dir/expected" <<'OUT'
no validation
  while it runs: expiration in_progress_expiration status
  first paid 5
  repeat paid 5
  completed: data expiration status
validation
  while it runs: expiration in_progress_expiration status validation
  first paid 5
  repeat IdempotencyValidationError
  completed: data expiration status
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: Powertools validates repeats in Redis differently now"; exit 1; }
echo "as recorded"
