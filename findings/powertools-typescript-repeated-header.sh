#!/usr/bin/env bash
# One would guess that the router of Powertools for TypeScript gives a handler every value of a header that a client
# sent more than once: the event of a REST API lists them in multiValueHeaders, in order.
# It starts from the last value, which the event has in headers as well, and adds another one only if its text is
# nowhere in what is there already. Of X-Tag: 1 and X-Tag: 12 only 12 is left, and of en, de and en-GB the en is
# gone. Values that are no part of another are all there, the last one first.
# Seen on 2026-11-30 with @aws-lambda-powertools/event-handler 2.35.0 on Node.js 20. Hono 4.13.19 gives every value.
# For headers that are lists, such as tags or languages: a short value is lost beside a long one, without a word, and
# only behind a REST API or a load balancer. A client that sends one header with commas is safe.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @aws-lambda-powertools/event-handler@2.35.0 hono@4.13.19

cat > "$dir/probe.mjs" <<'JS'
import { Router } from '@aws-lambda-powertools/event-handler/http';
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';

const app = new Router();
app.get('/tags', async ({ req }) => ({ seen: req.headers.get('x-tag') }));
const hono = handle(new Hono().get('/tags', (context) => context.json({ seen: context.req.header('x-tag') })));

for (const values of [['tea', 'milk'], ['1', '12'], ['12', '1'], ['en', 'de', 'en-GB']]) {
  const event = {
    resource: '/tags', path: '/tags', httpMethod: 'GET', isBase64Encoded: false, body: null,
    headers: { Host: 'orders.example', 'X-Tag': values.at(-1) },
    multiValueHeaders: { Host: ['orders.example'], 'X-Tag': values },
    queryStringParameters: null, multiValueQueryStringParameters: null, pathParameters: null, stageVariables: null,
    requestContext: { httpMethod: 'GET', path: '/tags', stage: 's', domainName: 'orders.example' },
  };
  const answers = [await app.resolve(structuredClone(event), {}), await hono(structuredClone(event), {})];
  console.log(JSON.stringify(values), ...answers.map(({ body }) => body));
}
JS
cat > "$dir/expected" <<'OUT'
["tea","milk"] {"seen":"milk, tea"} {"seen":"tea, milk"}
["1","12"] {"seen":"12"} {"seen":"1, 12"}
["12","1"] {"seen":"1, 12"} {"seen":"12, 1"}
["en","de","en-GB"] {"seen":"en-GB, de"} {"seen":"en, de, en-GB"}
OUT
node "$dir/probe.mjs" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two reads repeated headers differently now"; exit 1; }
echo "as recorded"
