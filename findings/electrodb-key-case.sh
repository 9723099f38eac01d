#!/usr/bin/env bash
# One would guess that ElectroDB, a library for single-table designs in DynamoDB, stores two orders whose
# ids are AbC and aBc as two items: keys of DynamoDB are case-sensitive, and so are the attributes.
# It writes the values that make up a key in lower case. The second put has the key of the first and
# replaces it, a get for the one returns the other, and the attribute shows the id as it was given. Only
# casing: "none" on the index keeps the case; it has to be set before the first item is written.
# Seen on 2026-11-28 with electrodb 3.9.3 on Node.js 20.
# For ids in base64, base62 or of a short link, where case counts: a second customer may overwrite the
# first. What takes such an id into a key of its own must not change it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" electrodb@3.9.3

cat > "$dir/probe.js" <<'JS'
const { Entity } = require('electrodb');

const orders = (options) => new Entity({
  model: { entity: 'order', version: '1', service: 'shop' },
  attributes: { id: { type: 'string' } },
  indexes: { byId: { pk: { field: 'pk', composite: ['id'], ...options }, sk: { field: 'sk', composite: [] } } },
}, { table: 'orders' });
for (const options of [{}, { casing: 'none' }]) {
  for (const id of ['AbC', 'aBc']) {
    const put = orders(options).put({ id }).params().Item;
    const get = orders(options).get({ id }).params().Key;
    console.log(JSON.stringify(options), `id ${put.id} put ${put.pk} get ${get.pk}`);
  }
}
JS
cat > "$dir/expected" <<'OUT'
{} id AbC put $shop#id_abc get $shop#id_abc
{} id aBc put $shop#id_abc get $shop#id_abc
{"casing":"none"} id AbC put $shop#id_AbC get $shop#id_AbC
{"casing":"none"} id aBc put $shop#id_aBc get $shop#id_aBc
OUT
node "$dir/probe.js" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: ElectroDB makes other keys now"; exit 1; }
echo "as recorded"
