#!/usr/bin/env bash
# One would guess that a rate limiter which refuses a request, because it asks for more than is left, leaves the
# budget as it was: nothing has been done, and a smaller request may still fit.
# In rate-limiter-flexible the refused request is counted. With 10 an hour and 4 used, asking for 20 is refused,
# and from then on even 1 is, to the end of the hour. In the package limits it depends on the strategy: the fixed
# window counts what it refuses, the two that slide do not. limiter for Node.js, a token bucket, does not.
# Seen on 2026-11-30 with rate-limiter-flexible 11.4.0 and limiter 4.1.0 on Node.js 20, limits 5.8.0 on Python 3.11.
# For limits in units of work (messages of a batch, tokens, bytes): one request that is too large stops all others
# of that customer, although the service did nothing for it. Refuse before asking the limiter what can never fit.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" rate-limiter-flexible@11.4.0 limiter@4.1.0
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q limits==5.8.0

cat > "$dir/probe.mjs" <<'JS'
import flexible from 'rate-limiter-flexible';
import { RateLimiter } from 'limiter';

const ask = [4, 20, 1];
const points = new flexible.RateLimiterMemory({ points: 10, duration: 3600 });
const answers = [];
for (const n of ask) answers.push(await points.consume('customer', n).then(() => true, () => false));
console.log('rate-limiter-flexible', answers.join(' '));

const bucket = new RateLimiter({ tokensPerInterval: 10, interval: 'hour' });
console.log('limiter', ask.map((n) => bucket.tryRemoveTokens(n)).join(' '));
JS
cat > "$dir/probe.py" <<'PY'
from limits import RateLimitItemPerYear
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

for strategy in [FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter]:
    limiter = strategy(MemoryStorage())
    answers = [limiter.hit(RateLimitItemPerYear(10), "customer", cost=n) for n in [4, 20, 1]]
    print("limits", strategy.__name__, *answers)
PY
cat > "$dir/expected" <<'OUT'
rate-limiter-flexible true false false
limiter true false true
limits FixedWindowRateLimiter True False False
limits MovingWindowRateLimiter True False True
limits SlidingWindowCounterRateLimiter True False True
OUT
node "$dir/probe.mjs" > "$dir/seen"
"$dir/venv/bin/python" "$dir/probe.py" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the limiters counts refused requests differently now"; exit 1; }
echo "as recorded"
