#!/usr/bin/env bash
# One would guess that sqs-consumer deletes a message once its handler has resolved, and keeps it when the handler
# throws: so does the event source mapping of Lambda, whatever a function returns.
# It deletes only what the handler returns, the message itself. A handler that returns nothing, true or a result of its
# own has its message left in the queue, with no event for it; for nothing a notice says that this will be an error,
# for a result there is no word. In a batch of two, the one that was returned is deleted.
# Seen on 2026-11-30 with sqs-consumer 14.2.8 on Node.js 20. The client below answers in the place of SQS.
# For a handler that was written for Lambda: it works, and does so again after each visibility timeout, until the
# message is in the dead-letter queue with nothing wrong. Return the message, or set alwaysAcknowledge.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" sqs-consumer@14.2.8 @aws-sdk/client-sqs@3.1175.0

cat > "$dir/probe.mjs" <<'JS'
import { Consumer } from 'sqs-consumer';

async function run(name, options) {
  const messages = ['1', '2'].map((id) => ({ MessageId: id, ReceiptHandle: id, Body: 'order' }));
  const batches = [messages];
  const deleted = [];
  const events = [];
  let finished;
  const drained = new Promise((resolve) => {
    finished = resolve;
  });
  const sqs = {
    async send({ constructor, input }) {
      if (constructor.name === 'ReceiveMessageCommand') {
        const batch = batches.shift();
        if (!batch) finished();
        return batch ? { Messages: batch } : {};
      }
      deleted.push(...(input.Entries ?? [input]).map((entry) => entry.ReceiptHandle));
      return {};
    },
  };
  const consumer = Consumer.create({ queueUrl: 'https://queue.example.com/q', region: 'eu-west-1', sqs, ...options });
  for (const event of ['error', 'processing_error', 'message_processed']) {
    consumer.on(event, () => events.push(event));
  }
  consumer.start();
  await drained;
  consumer.stop();
  console.log(`${name}: deleted [${deleted}] events [${events}]`);
}

await run('nothing', { handleMessage: async () => {} });
await run('true', { handleMessage: async () => true });
await run('a result', { handleMessage: async () => ({ charged: 5 }) });
await run('the message', { handleMessage: async (message) => message });
await run('nothing, alwaysAcknowledge', { handleMessage: async () => {}, alwaysAcknowledge: true });
await run('throws', { handleMessage: async () => { throw new Error('no'); } });
await run('batch, nothing', { batchSize: 10, handleMessageBatch: async () => {} });
await run('batch, one of two', { batchSize: 10, handleMessageBatch: async ([first]) => [first] });
process.exit();
JS
cat > "$dir/expected" <<'OUT'
nothing: deleted [] events []
true: deleted [] events []
a result: deleted [] events []
the message: deleted [1,2] events [message_processed,message_processed]
nothing, alwaysAcknowledge: deleted [1,2] events [message_processed,message_processed]
throws: deleted [] events [processing_error,processing_error]
batch, nothing: deleted [] events []
batch, one of two: deleted [1] events [message_processed]
OUT
node "$dir/probe.mjs" > "$dir/seen" 2> "$dir/notices"
diff "$dir/expected" "$dir/seen" || { echo "changed: sqs-consumer deletes other messages now"; exit 1; }
echo "as recorded"
