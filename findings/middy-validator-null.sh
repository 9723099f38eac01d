#!/usr/bin/env bash
# One would guess that @middy/validator refuses an event whose amount is null or true where the schema asks
# for a number: that is what a schema is for, and "" in that place is refused.
# The event is changed until it fits, and the handler sees the changed one: null becomes 0, true becomes 1,
# [3] becomes 3; a null string becomes "", a null boolean false. It is the validator's own choice of Ajv's
# options, coerceTypes among them; Ajv by itself refuses all of these.
# Seen on 2026-11-28 with @middy/validator 6.4.5, @middy/core 6.4.5 and ajv 8.20.0 on Node.js 20.
# For amounts and flags: "not given" arrives as nothing owed, as a valid event. Pass ajvOptions with
# coerceTypes: false. A validator of one's own says yes or no and leaves the event as it is.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @middy/core@6.4.5 @middy/validator@6.4.5 ajv@8.20.0

cat > "$dir/probe.mjs" <<'JS'
import { Ajv } from 'ajv';
import middy from '@middy/core';
import validator from '@middy/validator';
import { transpileSchema } from '@middy/validator/transpile';

const eventSchema = {
  type: 'object',
  properties: { amount: { type: 'number' }, paid: { type: 'boolean' }, to: { type: 'string' } },
};
const handler = middy().use(validator({ eventSchema: transpileSchema(eventSchema) })).handler((event) => event);
const plain = new Ajv().compile(eventSchema);
for (const event of [
  { amount: null }, { amount: true }, { amount: [3] }, { amount: '' }, { paid: null }, { to: null }, { amount: 5 },
]) {
  const text = JSON.stringify(event);
  const valid = plain(event);
  const seen = await handler(event, {}).then(JSON.stringify, () => 'refused');
  console.log(`${text} ajv: ${valid ? 'valid' : 'refused'}, middy: ${seen}`);
}
JS
cat > "$dir/expected" <<'OUT'
{"amount":null} ajv: refused, middy: {"amount":0}
{"amount":true} ajv: refused, middy: {"amount":1}
{"amount":[3]} ajv: refused, middy: {"amount":3}
{"amount":""} ajv: refused, middy: refused
{"paid":null} ajv: refused, middy: {"paid":false}
{"to":null} ajv: refused, middy: {"to":""}
{"amount":5} ajv: valid, middy: {"amount":5}
OUT
node "$dir/probe.mjs" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: middy's validator treats these events differently now"; exit 1; }
echo "as recorded"
