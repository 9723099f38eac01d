#!/usr/bin/env bash
# One would guess that OneTable, a library for single-table designs in DynamoDB, keeps a key that it makes from
# two fields right: a sort key of ${status}#${date} follows when update() sets the status, or update() refuses
# because it was not given the date.
# It leaves the sort key out of the update, without a word, because it cannot make it. The partition key of the
# same index, made of the status alone, is written. The order is now in the partition of paid orders under
# "new#2027-01-29". With the date given as well, both are right.
# Seen on 2026-11-30 with dynamodb-onetable 2.7.7, dynalite 4.0.0 and @aws-sdk/client-dynamodb 3.1162.0 on
# Node.js 20.
# For a list by index: a query for paid orders of January does not find it, and one for the whole partition has
# it under the old name. Whatever makes keys of several fields has to have all of them, or must raise.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" \
  dynamodb-onetable@2.7.7 dynalite@4.0.0 @aws-sdk/client-dynamodb@3.1162.0

cat > "$dir/probe.mjs" <<'JS'
import dynalite from 'dynalite';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Dynamo } from 'dynamodb-onetable/Dynamo';
import { Table } from 'dynamodb-onetable';

const server = dynalite({ createTableMs: 0 });
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const endpoint = `http://127.0.0.1:${server.address().port}`;
const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
const client = new Dynamo({ client: new DynamoDBClient({ region: 'eu-west-1', endpoint, credentials }) });
const table = new Table({
  name: 'orders', client, partial: false,
  schema: {
    format: 'onetable:1.1.0', version: '0.0.1',
    indexes: { primary: { hash: 'pk', sort: 'sk' }, byStatus: { hash: 'gpk', sort: 'gsk', project: 'all' } },
    models: {
      Order: {
        pk: { type: String, value: 'order#${id}' },
        sk: { type: String, value: 'order' },
        gpk: { type: String, value: 'status#${status}' },
        gsk: { type: String, value: '${status}#${date}' },
        id: { type: String, required: true },
        status: { type: String },
        date: { type: String },
      },
    },
  },
});
await table.createTable();
const Order = table.getModel('Order');
const show = async (what) => {
  const { gpk, gsk, status, date } = await Order.get({ id: '1' }, { hidden: true });
  const found = await Order.find({ status: 'paid', gsk: { begins: 'paid#2027-01' } }, { index: 'byStatus' });
  console.log(`${what}: ${status} ${date}, key ${gpk} ${gsk}, paid in January: ${found.length}`);
};
await Order.create({ id: '1', status: 'new', date: '2027-01-29' });
await show('created');
await Order.update({ id: '1', status: 'paid' });
await show('status set');
await Order.update({ id: '1', status: 'paid', date: '2027-01-29' });
await show('both set');
server.close();
process.exit(0);
JS
cat > "$dir/expected" <<'OUT'
created: new 2027-01-29, key status#new new#2027-01-29, paid in January: 0
status set: paid 2027-01-29, key status#paid new#2027-01-29, paid in January: 0
both set: paid 2027-01-29, key status#paid paid#2027-01-29, paid in January: 1
OUT
node "$dir/probe.mjs" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: OneTable writes such a key differently now"; exit 1; }
echo "as recorded"
