#!/usr/bin/env bash
# One would guess that @middy/event-normalizer, which lists CloudWatch Logs among its sources, gives
# the handler the log events of a subscription. Their data is always gzipped JSON in base64.
# It decodes the base64 as UTF-8 text and tries to parse that as JSON. Gzip is neither, so the handler
# gets a string, without an error, and it is spoilt: bytes that are no UTF-8 have become U+FFFD, and
# the string cannot be unpacked any more. The same happens to Kinesis data that is gzipped or protobuf.
# Seen on 2026-11-28 with @middy/event-normalizer 6.4.5 and @middy/core 6.4.5 on Node.js 20.
# For a function with these sources: leave the middleware out, base64 is decoded to bytes first. Code
# that normalises events must keep the bytes wherever they are not text.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @middy/event-normalizer@6.4.5 @middy/core@6.4.5

cat > "$dir/probe.mjs" <<'JS'
import { gunzipSync, gzipSync } from 'node:zlib';
import middy from '@middy/core';
import normalizer from '@middy/event-normalizer';

const normalized = (event) => middy(async (event) => event).use(normalizer())(event, {});
const base64 = (bytes) => Buffer.from(bytes).toString('base64');
const logs = { messageType: 'DATA_MESSAGE', logEvents: [{ id: '1', timestamp: 1, message: 'paid' }] };

const { awslogs } = await normalized({ awslogs: { data: gzipSync(JSON.stringify(logs)).toString('base64') } });
console.log('logs', typeof awslogs.data, awslogs.data.logEvents);
for (const encoding of ['utf8', 'latin1', 'base64']) {
  try {
    console.log(encoding, gunzipSync(Buffer.from(awslogs.data, encoding)).toString());
  } catch (error) {
    console.log(encoding, error.constructor.name);
  }
}
for (const bytes of [[0x7b, 0x7d], [0x08, 0x96, 0x01]]) {
  const { Records } = await normalized({ Records: [{ eventSource: 'aws:kinesis', kinesis: { data: base64(bytes) } }] });
  const { data } = Records[0].kinesis;
  console.log('kinesis', typeof data, typeof data === 'string' ? Buffer.from(data).toString('hex') : data);
}
JS
cat > "$dir/expected" <<'OUT'
logs string undefined
utf8 Error
latin1 Error
base64 Error
kinesis object {}
kinesis string 08efbfbd01
OUT
node "$dir/probe.mjs" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the normalizer decodes binary data differently now"; exit 1; }
echo "as recorded"
