#!/usr/bin/env bash
# One would guess that marshall() of the AWS SDK for JavaScript, told to take class instances as well
# (convertClassInstanceToMap), writes a Date as a string or refuses it, as it does without the option.
# The option makes a map of an object's own enumerable properties. A Date has none, so it is stored as an
# empty map, and the time is gone without an error. The same happens to an Error and to a class whose
# state is private (#total). Instances with public fields are written as they should be.
# Seen on 2026-11-28 with @aws-sdk/util-dynamodb 3.996.9 on Node.js 20.
# For tables that are read by others: an expiry or a createdAt of {"M": {}} is a timestamp that was lost by
# its producer. Convert dates before marshalling; a reader should report the type and not take zero.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @aws-sdk/util-dynamodb@3.996.9 \
  @aws-sdk/client-dynamodb@3.1162.0

cat > "$dir/probe.js" <<'JS'
const { marshall } = require('@aws-sdk/util-dynamodb');

class Open { total = 5; }
class Closed { #total = 5; get total() { return this.#total; } }
const values = { date: new Date('2026-01-01T00:00:00Z'), error: new Error('late'), open: new Open(), closed: new Closed() };
for (const [name, value] of Object.entries(values)) {
  const attempt = (options) => {
    try {
      return JSON.stringify(marshall({ value }, options).value);
    } catch (error) {
      return error.message.split(/[:.]/)[0];
    }
  };
  console.log(`${name} plain: ${attempt({})}, with the option: ${attempt({ convertClassInstanceToMap: true })}`);
}
JS
cat > "$dir/expected" <<'OUT'
date plain: Unsupported type passed, with the option: {"M":{}}
error plain: Unsupported type passed, with the option: {"M":{}}
open plain: Unsupported type passed, with the option: {"M":{"total":{"N":"5"}}}
closed plain: Unsupported type passed, with the option: {"M":{}}
OUT
node "$dir/probe.js" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: marshall treats class instances differently now"; exit 1; }
echo "as recorded"
