#!/usr/bin/env bash
# One would guess that @middy/http-content-negotiation, told that gzip and br are there, lets a client without
# Accept-Encoding have the plain answer: by RFC 9110 any coding will do for it, and no coding at all will do for each
# client that does not exclude it.
# It answers 406, before the handler runs, and so it does to "identity", which Python's urllib and wget send, and to a
# coding that is not on the list. A client without Accept or Accept-Language gets the first of those lists.
# Seen on 2026-11-30 with @middy/core and @middy/http-content-negotiation 6.4.5 and @middy/http-content-encoding 5.4.6 on
# Node.js 20. Seen too: negotiation 7.9.2.
# For compressed answers: browsers pass, and health checks, scripts and other services are turned away. Put "identity"
# at the end of availableEncodings.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @middy/core@6.4.5 \
    @middy/http-content-negotiation@6.4.5 @middy/http-content-encoding@5.4.6

cat > "$dir/probe.mjs" <<'JS'
import middy from '@middy/core';
import encode from '@middy/http-content-encoding';
import negotiate from '@middy/http-content-negotiation';

const ask = async (availableEncodings, headers) => {
  const handler = middy()
    .use(negotiate({ availableEncodings, availableMediaTypes: ['text/plain'], availableLanguages: ['en'] }))
    .use(encode())
    .handler(async () => ({ statusCode: 200, headers: {}, body: 'tea '.repeat(100) }));
  try {
    const { statusCode, headers: answered } = await handler({ headers }, {});
    return `${statusCode} ${answered['Content-Encoding'] ?? 'plain'}`;
  } catch (error) {
    return `${error.statusCode} ${error.message}`;
  }
};
for (const list of [['gzip', 'br'], ['gzip', 'br', 'identity']]) {
  for (const accepted of ['gzip, deflate, br', 'identity', 'zstd', undefined]) {
    const headers = accepted ? { 'Accept-Encoding': accepted } : {};
    console.log(`${list.join()}; ${accepted ?? 'no header'}:`, await ask(list, headers));
  }
}
JS
cat > "$dir/expected" <<'OUT'
gzip,br; gzip, deflate, br: 200 gzip
gzip,br; identity: 406 Unsupported Encoding. Acceptable values: gzip, br
gzip,br; zstd: 406 Unsupported Encoding. Acceptable values: gzip, br
gzip,br; no header: 406 Unsupported Encoding. Acceptable values: gzip, br
gzip,br,identity; gzip, deflate, br: 200 gzip
gzip,br,identity; identity: 200 plain
gzip,br,identity; zstd: 200 plain
gzip,br,identity; no header: 200 plain
OUT
node "$dir/probe.mjs" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: middy answers clients without compression differently now"; exit 1; }
echo "as recorded"
