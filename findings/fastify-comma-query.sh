#!/usr/bin/env bash
# One would guess that @fastify/aws-lambda, by Fastify's own team, gives a handler behind an HTTP API (payload
# 2.0) the query that the client sent: the event has it whole, in rawQueryString.
# It splits the values of queryStringParameters at every comma, since API Gateway joins repeated names
# that way. So /items?ids=1,2 is an array of two, as ids=1&ids=2 is, and a name such as "Miller, Ann"
# comes in two pieces. Hono's adapter and serverless-http read rawQueryString and keep the value.
# Seen on 2026-11-28 with @fastify/aws-lambda 6.4.1, fastify 5.12.8 and hono 4.13.19 on Node.js 20.
# For handlers: the same code under fastify.listen gets the string. Mapping code must use rawQueryString;
# queryStringParameters of that payload cannot be told apart again.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @fastify/aws-lambda@6.4.1 fastify@5.12.8 hono@4.13.19

cat > "$dir/probe.mjs" <<'JS'
import awsLambda from '@fastify/aws-lambda';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';

const fastify = Fastify();
fastify.get('/items', async (request) => request.query);
const wrapped = awsLambda(fastify);
const hono = handle(new Hono().get('/items', (context) => context.json(context.req.queries())));
const http = { method: 'GET', path: '/items', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' };
for (const [rawQueryString, ids] of [['ids=1,2', '1,2'], ['ids=1&ids=2', '1,2'], ['ids=Miller%2C%20Ann', 'Miller, Ann']]) {
  const event = {
    version: '2.0', routeKey: '$default', rawPath: '/items', rawQueryString, queryStringParameters: { ids },
    headers: { host: 'example.com' }, requestContext: { http, stage: '$default', domainName: 'example.com' },
    isBase64Encoded: false,
  };
  const listening = (await fastify.inject(`/items?${rawQueryString}`)).body;
  const [inLambda, inHono] = [await wrapped(structuredClone(event), {}), await hono(structuredClone(event), {})];
  console.log(`${rawQueryString} fastify: ${listening} on lambda: ${inLambda.body} hono: ${inHono.body}`);
}
JS
cat > "$dir/expected" <<'OUT'
ids=1,2 fastify: {"ids":"1,2"} on lambda: {"ids":["1","2"]} hono: {"ids":["1,2"]}
ids=1&ids=2 fastify: {"ids":["1","2"]} on lambda: {"ids":["1","2"]} hono: {"ids":["1","2"]}
ids=Miller%2C%20Ann fastify: {"ids":"Miller, Ann"} on lambda: {"ids":["Miller"," Ann"]} hono: {"ids":["Miller, Ann"]}
OUT
node "$dir/probe.mjs" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the adapters reads such queries differently now"; exit 1; }
echo "as recorded"
