#!/usr/bin/env bash
# One would guess that makeIdempotent of Powertools for TypeScript, which hashes the argument of a function for
# its key, tells two orders apart whose lines are in a Map or a Set: it does so for arrays, dates and buffers,
# and it refuses what it cannot write, such as a BigInt.
# A Map and a Set are hashed as the empty object, whatever they hold. The second order is answered with the
# result of the first, and its charge never runs. Payload validation compares the same hash and sees nothing.
# Seen on 2026-11-29 with @aws-lambda-powertools/idempotency 2.35.0 on Node.js 20.
# For functions that are called by code and not with an event, where such values are usual: turn them into arrays
# for the key, or take the key from the order's id. What makes keys must refuse values that it cannot see.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @aws-lambda-powertools/idempotency@2.35.0 \
  @aws-lambda-powertools/commons@2.35.0 @aws-lambda-powertools/jmespath@2.35.0

cat > "$dir/probe.mjs" <<'JS'
import { IdempotencyConfig, IdempotencyItemAlreadyExistsError, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { BasePersistenceLayer } from '@aws-lambda-powertools/idempotency/persistence';

class InMemory extends BasePersistenceLayer {
  records = new Map();
  async _putRecord(record) {
    const { idempotencyKey: key } = record;
    if (this.records.has(key)) throw new IdempotencyItemAlreadyExistsError('known', this.records.get(key));
    this.records.set(key, record);
  }
  async _getRecord(key) { return this.records.get(key); }
  async _updateRecord(record) { this.records.set(record.idempotencyKey, record); }
  async _deleteRecord(record) { this.records.delete(record.idempotencyKey); }
}

const pairs = {
  array: [['tea'], ['tea', 'cake']],
  date: [new Date('2026-01-01'), new Date('2026-02-01')],
  buffer: [Buffer.from('tea'), Buffer.from('cake')],
  map: [new Map([['tea', 1]]), new Map([['cake', 9]])],
  set: [new Set(['tea']), new Set(['tea', 'cake'])],
};
console.warn = () => {};
for (const [name, orders] of Object.entries(pairs)) {
  let charges = 0;
  const config = new IdempotencyConfig({ payloadValidationJmesPath: 'lines' });
  const pay = makeIdempotent(async () => `receipt ${++charges}`, { persistenceStore: new InMemory(), config });
  const receipts = [];
  for (const lines of orders) receipts.push(await pay({ customer: 7, lines }));
  console.log(name, receipts.join(', '));
}
JS
cat > "$dir/expected" <<'OUT'
array receipt 1, receipt 2
date receipt 1, receipt 2
buffer receipt 1, receipt 2
map receipt 1, receipt 1
set receipt 1, receipt 1
OUT
AWS_LAMBDA_FUNCTION_NAME=pay node "$dir/probe.mjs" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the toolkit makes other keys of maps and sets now"; exit 1; }
echo "as recorded"
