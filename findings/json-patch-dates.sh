#!/usr/bin/env bash
# One would guess that the difference of two objects, one of whose dates has changed, is a JSON Patch that
# replaces the date by the new one as text, and nothing if the dates are equal: that is how JSON writes a Date,
# and fast-json-patch writes it so where it replaces null by a Date.
# compare() of fast-json-patch looks for members of a Date and sees those of its text: 24 operations add "2" at
# /due/0, "0" at /due/1 and so on, also for equal dates. Applied to the document, they change nothing and raise
# nothing. createPatch() of rfc6902 finds no difference at all.
# Seen on 2026-11-30 with fast-json-patch 3.1.1 and rfc6902 5.4.0 on Node.js 20.
# For changes that are sent or kept as patches: the new date is lost, on both ways. Compare what JSON makes of the
# objects, JSON.parse(JSON.stringify(order)), and test that the patch gives the new document.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" fast-json-patch@3.1.1 rfc6902@5.4.0

cat > "$dir/probe.js" <<'JS'
const { applyPatch, compare } = require('fast-json-patch');
const { createPatch } = require('rfc6902');

const asJson = (value) => JSON.parse(JSON.stringify(value));
const before = { id: 1, due: new Date('2027-01-29T10:00:00Z') };
const after = { id: 1, due: new Date('2027-03-01T10:00:00Z') };
const patch = compare(before, after);
console.log('compare', patch.length, JSON.stringify(patch.slice(0, 2)));
console.log('applied', JSON.stringify(applyPatch(asJson(before), patch).newDocument));
console.log('equal dates', compare(before, { id: 1, due: new Date(before.due) }).length);
console.log('from null', JSON.stringify(compare({ id: 1, due: null }, after)));
console.log('rfc6902', JSON.stringify(createPatch(before, after)));
console.log('as JSON', JSON.stringify(compare(asJson(before), asJson(after))));
JS
cat > "$dir/expected" <<'OUT'
compare 24 [{"op":"add","path":"/due/0","value":"2"},{"op":"add","path":"/due/1","value":"0"}]
applied {"id":1,"due":"2027-01-29T10:00:00.000Z"}
equal dates 24
from null [{"op":"replace","path":"/due","value":"2027-03-01T10:00:00.000Z"}]
rfc6902 []
as JSON [{"op":"replace","path":"/due","value":"2027-03-01T10:00:00.000Z"}]
OUT
node "$dir/probe.js" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the packages compares dates differently now"; exit 1; }
echo "as recorded"
