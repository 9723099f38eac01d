#!/usr/bin/env bash
# One would guess that express-idempotency, a middleware for the Idempotency-Key header, remembers
# an answer of 204 without a body like any other and gives it to the repeat.
# It completes a key only when Express's res.send is called. An answer that is finished with
# res.end(), as one without a body often is, leaves the key in progress for good: the repeat is
# refused as one whose first request still runs. 200 with a body is replayed.
# Seen on 2026-11-28 with express-idempotency 1.0.6 and express 5.3.0 on Node.js 20.
# For an implementation of one's own: the record is completed when the handler is done, however it
# wrote its answer, and a 204 with an empty body is a result that is stored and replayed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" express-idempotency@1.0.6 express@5.3.0

cat > "$dir/probe.js" <<'JS'
const express = require('express');
const { idempotency, getSharedIdempotencyService } = require('express-idempotency');

const app = express();
app.use(express.json());
app.use(idempotency());
const once = (answer) => (request, response) => {
  if (!getSharedIdempotencyService().isHit(request)) answer(response);
};
app.post('/body', once((response) => response.json({ done: true })));
app.post('/empty', once((response) => response.status(204).end()));
app.use((error, request, response, next) => response.status(500).send(error.message));

const server = app.listen(0, '127.0.0.1', async () => {
  for (const path of ['/body', '/empty']) {
    for (const round of ['first', 'repeat']) {
      const reply = await fetch(`http://127.0.0.1:${server.address().port}${path}`, {
        method: 'POST', headers: { 'Idempotency-Key': path },
      });
      console.log(path, round, reply.status, JSON.stringify(await reply.text()));
    }
  }
  process.exit(0);
});
JS
cat > "$dir/expected" <<'OUT'
/body first 200 "{\"done\":true}"
/body repeat 200 "{\"done\":true}"
/empty first 204 ""
/empty repeat 500 "A previous request is still in progress for this key."
OUT
NODE_ENV=production node "$dir/probe.js" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: express-idempotency treats answers without a body differently now"; exit 1; }
echo "as recorded"
