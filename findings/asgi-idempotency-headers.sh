#!/usr/bin/env bash
# One would guess that a middleware for the Idempotency-Key header answers the repeat with the stored
# response: status, headers and body.
# asgi-idempotency-header stores the status and the parsed JSON. A 201 is repeated as a 201 without its
# Location and ETag, and with a body that is written anew: 1.50 comes back as 1.5.
# Seen on 2026-11-28 with asgi-idempotency-header 0.2.0, starlette 1.10.0, fastapi 0.165.0,
# redis 8.1.0 and httpx 0.28.1 on Python 3.11.
# For an implementation of one's own: what is stored is the bytes and the headers of the answer. The
# client that retries is the one that never saw the Location.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q asgi-idempotency-header==0.2.0 starlette==1.10.0 fastapi==0.165.0 \
  redis==8.1.0 httpx==0.28.1

cat > "$dir/probe.py" <<'PY'
import asyncio

import httpx
from idempotency_header_middleware import IdempotencyHeaderMiddleware
from idempotency_header_middleware.backends import MemoryBackend
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route


async def create(request):
    headers = {"Location": "/orders/1", "ETag": '"v1"'}
    return Response('{"total": 1.50}', 201, headers, media_type="application/json")


async def main():
    app = Starlette(routes=[Route("/orders", create, methods=["POST"])])
    app.add_middleware(IdempotencyHeaderMiddleware, backend=MemoryBackend())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as client:
        for _ in range(2):
            reply = await client.post("/orders", headers={"Idempotency-Key": "k"})
            print(reply.status_code, reply.text, sorted(reply.headers))


asyncio.run(main())
PY
cat > "$dir/expected" <<'OUT'
201 {"total": 1.50} ['content-length', 'content-type', 'etag', 'location']
201 {"total":1.5} ['content-length', 'content-type', 'idempotent-replayed']
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: asgi-idempotency-header repeats answers differently now"; exit 1; }
echo "as recorded"
