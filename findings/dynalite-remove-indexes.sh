#!/usr/bin/env bash
# One would guess that "REMOVE l[0], l[1]" takes the first two elements out of a list: the paths of
# an update expression mean the item as it was before the update, and DynamoDB Local does so.
# dynalite carries them out one after the other, so the second index already counts in the shortened
# list: of a, b, c, d it leaves b, d instead of c, d. In the order l[1], l[0] the result is right.
# Seen on 2026-11-28 with dynalite 4.0.0 on Node.js 20 (@aws-sdk/client-dynamodb 3.1162.0).
# For tests on dynalite: an update that removes several elements passes or fails by the order in
# which the expression lists them. Write the highest index first: that is right everywhere.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" dynalite@4.0.0 @aws-sdk/client-dynamodb@3.1162.0

cat > "$dir/probe.mjs" <<'JS'
import dynalite from 'dynalite';
import { DynamoDB, waitUntilTableExists } from '@aws-sdk/client-dynamodb';

const server = dynalite({ createTableMs: 0 });
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const client = new DynamoDB({
  region: 'eu-west-1',
  endpoint: `http://127.0.0.1:${server.address().port}`,
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
});
await client.createTable({
  TableName: 'orders',
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
});
await waitUntilTableExists({ client, minDelay: 1, maxDelay: 1, maxWaitTime: 20 }, { TableName: 'orders' });
for (const expression of ['REMOVE l[0], l[1]', 'REMOVE l[1], l[0]']) {
  const l = { L: ['a', 'b', 'c', 'd'].map((S) => ({ S })) };
  await client.putItem({ TableName: 'orders', Item: { id: { S: '1' }, l } });
  const { Attributes } = await client.updateItem({
    TableName: 'orders', Key: { id: { S: '1' } }, UpdateExpression: expression, ReturnValues: 'ALL_NEW',
  });
  console.log(expression, '->', Attributes.l.L.map((e) => e.S).join(' '));
}
server.close();
process.exit(0);
JS
cat > "$dir/expected" <<'OUT'
REMOVE l[0], l[1] -> b d
REMOVE l[1], l[0] -> c d
OUT
node "$dir/probe.mjs" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: dynalite removes list elements differently now"; exit 1; }
echo "as recorded"
