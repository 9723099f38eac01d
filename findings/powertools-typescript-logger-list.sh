#!/usr/bin/env bash
# One would guess that appendKeys({ orders: ['d'] }) of the Logger of Powertools for TypeScript, called for the next
# message of a batch, replaces the list that an earlier call has set under that key, as it replaces a text or a number.
# It merges the lists place by place: of ['a', 'b', 'c'] and ['d'] the lines have ['d', 'b', 'c'], and an empty list
# changes nothing. Objects are merged too, inside lists as well, so that the fields of one order go on in the next.
# A list that is given to a single line replaces the other for that line. Powertools for Python replaces.
# Seen on 2026-11-30 with @aws-lambda-powertools/logger 2.36.0 on Node.js 20, aws-lambda-powertools 3.37.0 on
# Python 3.11.
# For keys that are set anew in a loop: a line then names orders that have nothing to do with it, and who looks for
# one finds the work of others. Call removeKeys before, or set the list as one text.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @aws-lambda-powertools/logger@2.36.0
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-lambda-powertools==3.37.0

cat > "$dir/probe.mjs" <<'JS'
import { Logger } from '@aws-lambda-powertools/logger';

const logger = new Logger({ serviceName: 'pay' });
for (const value of ['a', 'b', ['a', 'b', 'c'], ['d'], [], [{ id: 1, gift: true }], [{ id: 2 }]]) {
  logger.appendKeys({ orders: value });
  logger.info('line');
}
logger.info('line', { orders: ['only'] });
logger.removeKeys(['orders']);
logger.appendKeys({ orders: ['e'] });
logger.info('line');
JS
cat > "$dir/probe.py" <<'PY'
import sys

from aws_lambda_powertools import Logger

logger = Logger(service="pay", stream=sys.stdout)
for value in [["a", "b", "c"], ["d"], [], [{"id": 1, "gift": True}], [{"id": 2}]]:
    logger.append_keys(orders=value)
    logger.info("line")
PY
cat > "$dir/show.py" <<'PY'
import json
import sys

for line in sys.stdin:
    print(sys.argv[1], json.dumps(json.loads(line)["orders"]))
PY
cat > "$dir/expected" <<'OUT'
typescript "a"
typescript "b"
typescript ["a", "b", "c"]
typescript ["d", "b", "c"]
typescript ["d", "b", "c"]
typescript [{"id": 1, "gift": true}, "b", "c"]
typescript [{"id": 2, "gift": true}, "b", "c"]
typescript ["only"]
typescript ["e"]
python ["a", "b", "c"]
python ["d"]
python []
python [{"id": 1, "gift": true}]
python [{"id": 2}]
OUT
node "$dir/probe.mjs" | python3 "$dir/show.py" typescript > "$dir/seen"
"$dir/venv/bin/python" "$dir/probe.py" | python3 "$dir/show.py" python >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the loggers treats lists differently now"; exit 1; }
echo "as recorded"
