#!/usr/bin/env bash
# One would guess that OpenFeature's SDK for Python gives a flag whose value is 3 to a caller who asks for a
# float: flags are JSON, which has one kind of number, and 2.5 and 3 are values of the same flag.
# It compares Python's types. 3 is a TYPE_MISMATCH for get_float_value, and the caller gets its own default;
# get_integer_value takes True of a boolean flag, since bool is a kind of int. The SDK for JavaScript has
# one number and refuses the boolean.
# Seen on 2026-11-28 with openfeature-sdk 0.10.0 on Python 3.11, @openfeature/server-sdk 1.23.0 on Node.js 20.
# For a rate or a percentage in a flag: raising it from 2.5 to 3 sets it to the default of the code, with no
# exception. Write 3.0 where the provider keeps it, read the error code, or ask for the flag as an object.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q openfeature-sdk==0.10.0
npm install --silent --no-audit --no-fund --prefix "$dir" @openfeature/server-sdk@1.23.0 @openfeature/core@1.12.0

cat > "$dir/probe.py" <<'PY'
import json

from openfeature import api
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

values = json.loads('{"half": 2.5, "whole": 3, "switch": true}')
api.set_provider(InMemoryProvider({key: InMemoryFlag("v", {"v": value}) for key, value in values.items()}))
client = api.get_client()
for key, details in [
    ("half", client.get_float_details("half", 9.5)),
    ("whole", client.get_float_details("whole", 9.5)),
    ("switch", client.get_integer_details("switch", 7)),
]:
    print("python", key, json.dumps(details.value), details.error_code.value if details.error_code else "-")
PY
cat > "$dir/probe.js" <<'JS'
const { InMemoryProvider, OpenFeature } = require('@openfeature/server-sdk');

const values = { half: 2.5, whole: 3, switch: true };
const flags = Object.fromEntries(Object.entries(values)
  .map(([key, v]) => [key, { variants: { v }, defaultVariant: 'v', disabled: false }]));
OpenFeature.setLogger({ error() {}, warn() {}, info() {}, debug() {} });
OpenFeature.setProviderAndWait(new InMemoryProvider(flags)).then(async () => {
  for (const key of Object.keys(values)) {
    const { value, errorCode } = await OpenFeature.getClient().getNumberDetails(key, 9.5);
    console.log('javascript', key, value, errorCode ?? '-');
  }
});
JS
cat > "$dir/expected" <<'OUT'
python half 2.5 -
python whole 9.5 TYPE_MISMATCH
python switch true -
javascript half 2.5 -
javascript whole 3 -
javascript switch 9.5 TYPE_MISMATCH
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen" 2>/dev/null
node "$dir/probe.js" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two SDKs compares types differently now"; exit 1; }
echo "as recorded"
