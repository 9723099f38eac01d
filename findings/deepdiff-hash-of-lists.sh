#!/usr/bin/env bash
# One would guess that DeepHash of the package deepdiff, which hashes objects by their content, gives
# two lists different hashes if they hold other elements or the same ones in another order.
# Lists are hashed as sets: [1, 2] and [2, 1] have one hash, and so have ["tea"] and ["tea", "tea"],
# at any depth. It is strict elsewhere: 1 and 1.0, a list and a tuple differ. Two options have to be
# switched off to have both count, ignore_iterable_order and ignore_repetition.
# Seen on 2026-11-28 with deepdiff 9.1.0 on Python 3.11.
# For idempotency keys and fingerprints of payloads: an order of one tea and an order of two get the
# same key, and the second is answered with the result of the first. Hash canonical JSON, or set both.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q deepdiff==9.1.0

cat > "$dir/probe.py" <<'PY'
from deepdiff import DeepHash


def same(one, other, **options):
    return DeepHash(one, **options)[one] == DeepHash(other, **options)[other]


for one, other in [
    ([1, 2], [2, 1]),
    ({"items": ["tea"]}, {"items": ["tea", "tea"]}),
    ([1], [1.0]),
    ([1], (1,)),
]:
    strict = same(one, other, ignore_iterable_order=False, ignore_repetition=False)
    print(one, other, same(one, other), strict)
PY
cat > "$dir/expected" <<'OUT'
[1, 2] [2, 1] True False
{'items': ['tea']} {'items': ['tea', 'tea']} True False
[1] [1.0] False False
[1] (1,) False False
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: DeepHash treats lists differently now"; exit 1; }
echo "as recorded"
