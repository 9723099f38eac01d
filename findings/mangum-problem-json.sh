#!/usr/bin/env bash
# One would guess that Mangum, which runs FastAPI and other ASGI applications on Lambda, returns an
# error answer of application/problem+json (RFC 9457) as text, like one of application/json.
# It has a list of types that are text. JSON, XML and application/vnd.api+json are on it; the suffix
# +json as such is not, so the problem goes out in base64 with isBase64Encoded set to true, and so do
# GraphQL's response type and a form. Seen too: apig-wsgi 2.20.0 and serverless-http 4.0.0 return text.
# Seen on 2026-11-28 with mangum 0.22.0 on Python 3.11.
# Behind a REST API without binary media types, or in a test that reads the body, the error is base64
# (the first by the documentation). Add the types to text_mime_types. A mapping of one's own should take
# +json and +xml for text.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q mangum==0.22.0

cat > "$dir/probe.py" <<'PY'
import asyncio

from mangum import Mangum

event = {
    "version": "2.0", "rawPath": "/", "rawQueryString": "", "headers": {"host": "shop"}, "isBase64Encoded": False,
    "requestContext": {"http": {"method": "GET", "path": "/", "sourceIp": "192.0.2.1"}, "stage": "$default"},
}


def answer(media_type):
    async def app(scope, receive, send):
        headers = [(b"content-type", media_type.encode())]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"status":400}'})

    reply = Mangum(app, lifespan="off")(event, None)
    print(media_type, reply["isBase64Encoded"], reply["body"])


asyncio.set_event_loop(asyncio.new_event_loop())
for media_type in [
    "application/json", "application/vnd.api+json", "application/problem+json",
    "application/graphql-response+json", "application/x-www-form-urlencoded",
]:
    answer(media_type)
PY
cat > "$dir/expected" <<'OUT'
application/json False {"status":400}
application/vnd.api+json False {"status":400}
application/problem+json True eyJzdGF0dXMiOjQwMH0=
application/graphql-response+json True eyJzdGF0dXMiOjQwMH0=
application/x-www-form-urlencoded True eyJzdGF0dXMiOjQwMH0=
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: mangum takes other types for text now"; exit 1; }
echo "as recorded"
