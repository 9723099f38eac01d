#!/usr/bin/env bash
# One would guess that a Redis client whose connection breaks after it has sent INCR raises: it cannot know whether the
# counter was raised, and doing it again is for the caller to decide.
# redis-py connects anew and sends INCR again, without being asked to (it repeats a command that failed). The server
# below has done the first one, so the counter is 2 after one call, which returns 2 as if nothing had happened.
# ioredis does the same. redis for Node.js rejects the call.
# Seen on 2026-11-29 with redis 8.1.0 on Python 3.11, ioredis 5.11.1 and redis 6.3.1 on Node.js 20.
# For counters of money, quotas and LPUSH into a queue: one call may count twice in a failover. Pass
# retry=Retry(NoBackoff(), 0) (tried here), or write what can be repeated: SET with a token, ZADD with an id.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q redis==8.1.0
npm install --silent --no-audit --no-fund --prefix "$dir" ioredis@5.11.1 redis@6.3.1

cat > "$dir/server.mjs" <<'JS'
// Counts INCR and cuts the connection instead of answering the first one of each key; all else is answered OK.
import net from 'node:net';

const counters = {};
net.createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (data) => {
    for (const [, command, key] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)(?:\r\n\$\d+\r\n(\w+))?/g)) {
      if (/^get$/i.test(command)) socket.write(`:${counters[key]}\r\n`);
      else if (!/^incr(by)?$/i.test(command)) socket.write('+OK\r\n');
      else if ((counters[key] = (counters[key] ?? 0) + 1) > 1) socket.write(`:${counters[key]}\r\n`);
      else return socket.destroy();
    }
  });
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
JS
cat > "$dir/probe.py" <<'PY'
import sys

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

for key, options in [("py", {}), ("once", {"retry": Retry(NoBackoff(), 0)})]:
    client = redis.Redis(port=int(sys.argv[1]), protocol=2, **options)
    try:
        answer = client.incr(key)
    except redis.ConnectionError as error:
        answer = type(error).__name__
    print("redis-py", key, answer, "counter", client.get(key))
PY
cat > "$dir/probe.mjs" <<'JS'
import Redis from 'ioredis';
import { createClient } from 'redis';

const port = Number(process.argv[2]);
const io = new Redis({ port, enableReadyCheck: false });
const node = createClient({ RESP: 2, socket: { port } });
for (const client of [io, node]) client.on('error', () => {});
await node.connect();
for (const [name, client] of [['ioredis', io], ['redis', node]]) {
  const answer = await client.incr(name).catch((error) => error.constructor.name);
  console.log(name, answer, 'counter', await client.get(name));
}
process.exit();
JS
cat > "$dir/expected" <<'OUT'
redis-py py 2 counter 2
redis-py once ConnectionError counter 1
ioredis 2 counter 2
redis SocketClosedUnexpectedlyError counter 1
OUT
coproc node "$dir/server.mjs"
server=$COPROC_PID
trap 'kill "$server"; rm -rf "$dir"' EXIT
read -r port <&"${COPROC[0]}"
timeout 60 "$dir/venv/bin/python" "$dir/probe.py" "$port" > "$dir/seen"
timeout 60 node "$dir/probe.mjs" "$port" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of them treats a command without an answer differently now"; exit 1; }
echo "as recorded"
