#!/usr/bin/env bash
# One would guess that sign() of the Standard Webhooks library for Python, which takes the time as a
# datetime, signs the instant: 12:00 at +02:00 and 10:00 at UTC are one time and get one signature.
# It puts UTC in the place of the offset without converting, and so signs 12:00 UTC, two hours later.
# The header webhook-timestamp has to hold seconds since 1970, which datetime.timestamp() computes right,
# so the two disagree and the library's own verify() finds no matching signature. With UTC all is well.
# Seen on 2026-11-28 with standardwebhooks 1.1.0 on Python 3.11. Seen too: svix 2.9.1 (PyPI).
# For a sender: tests on a machine at UTC pass. Sign datetime.now(timezone.utc). A signer of one's own
# should take the seconds that it sends, not a second form of the time.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q standardwebhooks==1.1.0

cat > "$dir/probe.py" <<'PY'
from datetime import datetime, timedelta, timezone

from standardwebhooks import Webhook

webhook = Webhook("whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY")
now = datetime.now(timezone.utc)
for hours in [0, 2, -5]:
    local = now.astimezone(timezone(timedelta(hours=hours)))
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(local.timestamp())),
        "webhook-signature": webhook.sign("msg_1", local, '{"order": 1}'),
    }
    try:
        seen = webhook.verify('{"order": 1}', headers)
    except Exception as error:
        seen = f"{type(error).__name__}: {error}"
    shifted = webhook.sign("msg_1", now + timedelta(hours=hours), '{"order": 1}')
    print(f"{hours:+d}", local == now, seen, headers["webhook-signature"] == shifted)
PY
cat > "$dir/expected" <<'OUT'
+0 True {'order': 1} True
+2 True WebhookVerificationError: No matching signature found True
-5 True WebhookVerificationError: No matching signature found True
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: times with an offset are signed differently now"; exit 1; }
echo "as recorded"
