#!/usr/bin/env bash
# One would guess that [?('paid' == @.status)] in jsonpath-ng selects the paid orders, as [?(@.status == 'paid')] does,
# or is a syntax error: RFC 9535 allows a literal on either side of a comparison.
# It selects the orders that have no status. A literal on the left is read as the name of a member, 'paid', which none
# of them has, and what is absent equals what is absent. So 'paid' != @.status holds for the paid ones too, and
# 5 < @.lines for none. A literal on the right is a literal. python-jsonpath reads both.
# Seen on 2026-11-30 with jsonpath-ng 1.16.0 (jsonpath_ng.ext) and python-jsonpath 2.2.2 on Python 3.11.
# For filters that come from elsewhere or are written so by habit: there is no error, and with == the result is not
# even empty. Write the member first.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q jsonpath-ng==1.16.0 python-jsonpath==2.2.2

cat > "$dir/probe.py" <<'PY'
import jsonpath
from jsonpath_ng.ext import parse

orders = [{"id": 1, "status": "paid", "lines": 9}, {"id": 2, "status": "open", "lines": 1}, {"id": 3}]
for condition in [
    "@.status == 'paid'", "'paid' == @.status",
    "@.status != 'paid'", "'paid' != @.status",
    "@.lines > 5", "5 < @.lines",
]:
    path = f"$[?({condition})].id"
    print(condition, "->", [found.value for found in parse(path).find(orders)], jsonpath.findall(path, orders))
PY
cat > "$dir/expected" <<'OUT'
@.status == 'paid' -> [1] [1]
'paid' == @.status -> [3] [1]
@.status != 'paid' -> [2, 3] [2, 3]
'paid' != @.status -> [1, 2] [2, 3]
@.lines > 5 -> [1] [1]
5 < @.lines -> [] [1]
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two reads literals on the left differently now"; exit 1; }
echo "as recorded"
