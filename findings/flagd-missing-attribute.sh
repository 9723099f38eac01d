#!/usr/bin/env bash
# One would guess that a flag rule "age < 18" does not match when the evaluation context has no age.
# flagd-core, the evaluator of OpenFeature's flagd in JavaScript, answers TARGETING_MATCH with the
# variant of the rule: in its comparisons a missing attribute counts as 0, for "<" and ">=" and even
# for "==", where JavaScript itself would say that null is not 0.
# Seen on 2026-11-28 with @openfeature/flagd-core 4.0.1 on Node.js 20.
# For rules that are carried over: a condition on a key that the context lacks never matches in
# Powertools' feature flags. One that comes from flagd must be given its own check for presence.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @openfeature/flagd-core@4.0.1 @openfeature/core@1.12.0

cat > "$dir/probe.mjs" <<'JS'
import { FlagdCore } from '@openfeature/flagd-core';

const quiet = { error() {}, warn() {}, info() {}, debug() {} };
const evaluate = (condition, context) => {
  const core = new FlagdCore(undefined, quiet);
  const flag = {
    state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off',
    targeting: { if: [condition, 'on', 'off'] },
  };
  core.setConfigurations(JSON.stringify({ flags: { flag } }));
  const { value, reason } = core.resolveBooleanEvaluation('flag', false, context, quiet);
  return `${value} ${reason}`;
};
const age = { var: 'age' };
console.log('20 < 18', evaluate({ '<': [age, 18] }, { age: 20 }));
console.log('missing < 18', evaluate({ '<': [age, 18] }, {}));
console.log('missing >= 0', evaluate({ '>=': [age, 0] }, {}));
console.log('missing == 0', evaluate({ '==': [age, 0] }, {}));
JS
cat > "$dir/expected" <<'OUT'
20 < 18 false TARGETING_MATCH
missing < 18 true TARGETING_MATCH
missing >= 0 true TARGETING_MATCH
missing == 0 true TARGETING_MATCH
OUT
node "$dir/probe.mjs" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: flagd-core evaluates missing attributes differently now"; exit 1; }
echo "as recorded"
