#!/usr/bin/env bash
# One would guess that lambda-api, a web framework for functions, gives a handler the same req.query
# whichever service has sent the request: it takes API Gateway and load balancers (ALB) alike.
# A load balancer passes the query as the client encoded it, API Gateway decoded; lambda-api decodes
# neither. Behind a load balancer "tea%26milk" and "a%2Bb" reach the handler like that. serverless-http
# decodes the query of a load balancer.
# Seen on 2026-11-28 with lambda-api 1.5.1, serverless-http 4.0.0 and express 5.3.0 on Node.js 20.
# For a function that moves between the two: ids and search terms with a special character are silently
# other ones, and an idempotency key that is made of them too. Whoever maps such events decodes by source.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" lambda-api@1.5.1 serverless-http@4.0.0 express@5.3.0

cat > "$dir/probe.js" <<'JS'
const express = require('express');
const serverless = require('serverless-http');

const api = require('lambda-api')();
api.get('/search', (request) => request.query);
const app = express();
app.get('/search', (request, response) => response.json(request.query));
const wrapped = (serverless.default ?? serverless)(app);
const context = { getRemainingTimeInMillis: () => 1000 };
const event = (requestContext, queryStringParameters) => ({
  httpMethod: 'GET', path: '/search', resource: '/search', headers: { host: 'example.com' }, requestContext,
  queryStringParameters, body: null, isBase64Encoded: false,
});
const sources = {
  gateway: event({ stage: 'prod', identity: {} }, { q: 'tea&milk', r: 'a+b' }),
  balancer: event({ elb: { targetGroupArn: 'arn' } }, { q: 'tea%26milk', r: 'a%2Bb' }),
};
(async () => {
  for (const [name, source] of Object.entries(sources)) {
    console.log(name, 'lambda-api', (await api.run(structuredClone(source), context)).body);
    console.log(name, 'serverless-http', (await wrapped(structuredClone(source), {})).body);
  }
})();
JS
cat > "$dir/expected" <<'OUT'
gateway lambda-api {"q":"tea&milk","r":"a+b"}
gateway serverless-http {"q":"tea&milk","r":"a+b"}
balancer lambda-api {"q":"tea%26milk","r":"a%2Bb"}
balancer serverless-http {"q":"tea&milk","r":"a+b"}
OUT
node "$dir/probe.js" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two decodes such queries differently now"; exit 1; }
echo "as recorded"
