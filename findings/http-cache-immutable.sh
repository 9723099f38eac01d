#!/usr/bin/env bash
# One would guess that http-cache-semantics, which decides for got, npm and others how long an answer is fresh,
# gives "Cache-Control: immutable" without a max-age one day: its README has a default of
# immutableMinTimeToLive of 24 * 3600 * 1000, in milliseconds.
# It takes the number for seconds. The answer is fresh for 1000 days, and a limit of one's own, 60000 for a
# minute, gives 16 hours. With max-age beside immutable the lifetime is right.
# Seen on 2026-11-30 with http-cache-semantics 4.3.0 on Node.js 20.
# For a function that sends "immutable" alone, or a cache that is set up by this option: what should have been
# asked for again after a day stays for years, in each process that has it. Always send max-age with immutable,
# and test a lifetime just after its end, not only before.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" http-cache-semantics@4.3.0

cat > "$dir/probe.js" <<'JS'
const CachePolicy = require('http-cache-semantics');

const request = { url: '/', method: 'GET', headers: {} };
const day = 24 * 3600 * 1000;
for (const [field, options] of [
  ['public, max-age=86400, immutable', {}],
  ['public, immutable', {}],
  ['public, immutable', { immutableMinTimeToLive: 60_000 }],
]) {
  const policy = new CachePolicy(request, { status: 200, headers: { 'cache-control': field } }, options);
  const fresh = policy.timeToLive();
  policy.now = () => Date.now() + 365 * day;
  console.log(field, JSON.stringify(options), `${(fresh / day).toFixed(2)} days, after a year`,
    policy.satisfiesWithoutRevalidation(request) ? 'fresh' : 'stale');
}
JS
cat > "$dir/expected" <<'OUT'
public, max-age=86400, immutable {} 1.00 days, after a year stale
public, immutable {} 1000.00 days, after a year fresh
public, immutable {"immutableMinTimeToLive":60000} 0.69 days, after a year stale
OUT
node "$dir/probe.js" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: immutable answers have another lifetime now"; exit 1; }
echo "as recorded"
