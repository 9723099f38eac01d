#!/usr/bin/env bash
# One would guess that evaluating a JMESPath expression, in Powertools for TypeScript as everywhere, reads
# the event and leaves it alone: the language has no assignments, and sort returns a new list.
# sort() and reverse() work in place. After the expression the list in the event itself is in another
# order, for the handler and for whatever is evaluated next. sort_by() copies, and the library jmespath
# (npm), whose syntax and functions it has, copies in all three.
# Seen on 2026-11-28 with @aws-lambda-powertools/jmespath 2.35.0 and jmespath 0.16.0 on Node.js 20.
# For an idempotency key of [id, sort(steps)]: the handler gets the steps in another order than the caller
# sent (seen too, with the toolkit's idempotency 2.35.0). An evaluator must take the event as read-only.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @aws-lambda-powertools/jmespath@2.35.0 jmespath@0.16.0

cat > "$dir/probe.mjs" <<'JS'
import { search } from '@aws-lambda-powertools/jmespath';
import jmespath from 'jmespath';

for (const expression of ['sort(steps)', 'reverse(steps)', 'sort_by(steps, &@)']) {
  for (const [name, run] of [['powertools', search], ['jmespath', (text, data) => jmespath.search(data, text)]]) {
    const event = { steps: ['pay', 'check', 'send'] };
    const result = run(expression, event);
    console.log(`${name} ${expression} -> ${result.join(' ')}; event: ${event.steps.join(' ')}`);
  }
}
JS
cat > "$dir/expected" <<'OUT'
powertools sort(steps) -> check pay send; event: check pay send
jmespath sort(steps) -> check pay send; event: pay check send
powertools reverse(steps) -> send check pay; event: send check pay
jmespath reverse(steps) -> send check pay; event: pay check send
powertools sort_by(steps, &@) -> check pay send; event: pay check send
jmespath sort_by(steps, &@) -> check pay send; event: pay check send
OUT
node "$dir/probe.mjs" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two treats the event differently now"; exit 1; }
echo "as recorded"
