#!/usr/bin/env bash
# One would guess that the Logger of Powertools for Python writes a message that is a str as a JSON string: that
# is the type it was given, and Powertools for TypeScript does so.
# It tries to read each message as JSON and writes the result. The text "7e5" becomes 700000.0, a long amount
# loses its last digits, "7e400" becomes Infinity, with which the line is no JSON any more, and "null" leaves
# a line without a message. Texts that are no JSON, and "0071", stay as they are.
# Seen on 2026-11-30 with aws-lambda-powertools 3.37.0 on Python 3.11 and @aws-lambda-powertools/logger 2.36.0
# on Node.js 20.
# For logger.info(some_id): among ids of hexadecimal digits a few have the form of a number, and these are the
# lines that a query for the id does not find. Put values into fields. A logger writes a text as a text.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-lambda-powertools==3.37.0
npm install --silent --no-audit --no-fund --prefix "$dir" @aws-lambda-powertools/logger@2.36.0

cat > "$dir/probe.py" <<'PY'
import io
import re

from aws_lambda_powertools import Logger

lines = io.StringIO()
logger = Logger(service="pay", stream=lines)
for text in ["order 7", "0071", "7e5", "1234567890123456.75", "7e400", "null"]:
    logger.info(text)
for line in lines.getvalue().splitlines():
    found = re.search(r'"message":[^,]*', line)
    print("python", found.group() if found else "no message")
PY
cat > "$dir/probe.mjs" <<'JS'
import { Logger } from '@aws-lambda-powertools/logger';

const logger = new Logger({ serviceName: 'pay' });
for (const text of ['7e5', '7e400', 'null']) logger.info(text);
JS
cat > "$dir/expected" <<'OUT'
python "message":"order 7"
python "message":"0071"
python "message":700000.0
python "message":1234567890123456.8
python "message":Infinity
python no message
typescript "message":"7e5"
typescript "message":"7e400"
typescript "message":"null"
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
node "$dir/probe.mjs" | sed -E 's/.*("message":[^,]*).*/typescript \1/' >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the loggers writes messages differently now"; exit 1; }
echo "as recorded"
