#!/usr/bin/env bash
# One would guess that the package uuid7 makes UUIDs of version 7: RFC 9562 has the first 48 bits of
# these count milliseconds since 1970, so that they sort by time and tell it.
# They say version 7 and follow an early draft, with whole seconds in the first 36 bits and the fraction
# after them. Read by the RFC, an id of June 2026 is one of 2201. All ids of version 7 that follow the
# RFC, as those of the package uuid6 do, sort before it, also those that are made later.
# Seen on 2026-11-28 with uuid7 0.1.0 and uuid6 2025.0.1 on Python 3.11.
# For ids as sort keys or as the base of an expiry: where producers use both packages, the items of one
# come after all those of the other, and an age that is computed from such an id is negative. Keep the
# time in an attribute of its own, and check the range of a time that comes from an id.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q uuid7==0.1.0 uuid6==2025.0.1

cat > "$dir/probe.py" <<'PY'
from datetime import datetime, timedelta, timezone

import uuid6
import uuid_extensions

later = datetime(2026, 6, 1, tzinfo=timezone.utc)
draft = uuid_extensions.uuid7(int(later.timestamp()) * 10**9)
rfc = uuid6.uuid7()
year = (datetime(1970, 1, 1) + timedelta(milliseconds=draft.int >> 80)).year
print("made for", later.year, "version", draft.version, "time by RFC 9562:", year)
print("seconds in the first 36 bits:", draft.int >> 92 == later.timestamp())
age = datetime.now(timezone.utc) - datetime.fromtimestamp((rfc.int >> 80) / 1000, timezone.utc)
print("uuid6.uuid7: version", rfc.version, "made now:", abs(age) < timedelta(minutes=1))
print("sorts before the id of that June:", str(rfc) < str(draft))
PY
cat > "$dir/expected" <<'OUT'
made for 2026 version 7 time by RFC 9562: 2201
seconds in the first 36 bits: True
uuid6.uuid7: version 7 made now: True
sorts before the id of that June: True
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: uuid7 has another layout now"; exit 1; }
echo "as recorded"
