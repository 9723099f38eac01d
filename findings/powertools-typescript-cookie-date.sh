#!/usr/bin/env bash
# One would guess that the router of Powertools for TypeScript passes the Set-Cookie header of a Response on as it is:
# the comma in Expires is part of the date, and Set-Cookie is the one header that is never joined by commas.
# It cuts the header at the comma. The function answers with two, "id=2; Expires=Wed" and "21 Oct 2026 07:28:00
# GMT", in multiValueHeaders of a REST API as in cookies of an HTTP API. A cookie with Max-Age, and the date
# in Last-Modified, are passed on as they are. apig-wsgi for Python keeps the cookie whole.
# Seen on 2026-11-30 with @aws-lambda-powertools/event-handler 2.35.0 on Node.js 20, apig-wsgi 2.20.0 on Python 3.11.
# For a login that is to last a month: the date is gone from the cookie, which then ends with the browser's session,
# and a second header goes out that is no cookie. Set Max-Age instead, which by RFC 6265 wins over the date.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @aws-lambda-powertools/event-handler@2.35.0
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q apig-wsgi==2.20.0

cat > "$dir/probe.mjs" <<'JS'
import { Router } from '@aws-lambda-powertools/event-handler/http';

const date = 'Wed, 21 Oct 2026 07:28:00 GMT';
const answers = {
  '/expires': { 'set-cookie': `id=2; Expires=${date}` },
  '/max-age': { 'set-cookie': 'id=2; Max-Age=60' },
  '/modified': { 'last-modified': date },
};
const app = new Router();
for (const [path, headers] of Object.entries(answers)) app.get(path, async () => new Response('', { headers }));

const rest = (path) => ({
  resource: path, path, httpMethod: 'GET', headers: {}, multiValueHeaders: {}, queryStringParameters: null,
  multiValueQueryStringParameters: null, pathParameters: null, stageVariables: null, body: null,
  isBase64Encoded: false, requestContext: { httpMethod: 'GET', path, stage: 's', domainName: 'orders.example' },
});
const http = (path) => ({
  version: '2.0', routeKey: '$default', rawPath: path, rawQueryString: '', headers: {}, isBase64Encoded: false,
  requestContext: { domainName: 'orders.example', http: { method: 'GET', path, protocol: 'HTTP/1.1' } },
});
for (const event of [...Object.keys(answers).map(rest), http('/expires')]) {
  const { headers, multiValueHeaders, cookies } = await app.resolve(event, {});
  const name = event.version ? 'http' : 'rest';
  delete headers['content-type'];
  console.log(name, event.path ?? event.rawPath, JSON.stringify({ headers, multiValueHeaders, cookies }));
}
JS
cat > "$dir/probe.py" <<'PY'
import json

from apig_wsgi import make_lambda_handler


def app(environ, start_response):
    start_response("200 OK", [("Set-Cookie", "id=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT")])
    return [b""]


event = {
    "version": "2.0", "rawPath": "/expires", "rawQueryString": "", "headers": {}, "isBase64Encoded": False,
    "requestContext": {"http": {"method": "GET", "path": "/expires", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}},
}
print("apig-wsgi", json.dumps(make_lambda_handler(app)(event, None)["cookies"]))
PY
cat > "$dir/expected" <<'OUT'
rest /expires {"headers":{},"multiValueHeaders":{"set-cookie":["id=2; Expires=Wed","21 Oct 2026 07:28:00 GMT"]}}
rest /max-age {"headers":{"set-cookie":"id=2; Max-Age=60"}}
rest /modified {"headers":{"last-modified":"Wed, 21 Oct 2026 07:28:00 GMT"}}
http /expires {"headers":{},"cookies":["id=2; Expires=Wed","21 Oct 2026 07:28:00 GMT"]}
apig-wsgi ["id=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"]
OUT
node "$dir/probe.mjs" > "$dir/seen" 2> "$dir/log" || { cat "$dir/log"; exit 1; }
"$dir/venv/bin/python" "$dir/probe.py" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two passes cookies on differently now"; exit 1; }
echo "as recorded"
