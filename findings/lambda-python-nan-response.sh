#!/usr/bin/env bash
# One would guess that AWS's own runtime client for Python refuses to answer an invocation with
# something that is no JSON: it has a MarshalError for values that it cannot write.
# A NaN or an infinity in the result goes out as the bare words NaN and Infinity, labelled
# application/json, and the same happens to an extra field of a JSON log line. Dates, sets and
# UUIDs are refused.
# Seen on 2026-11-28 with awslambdaric 4.2.2 on Python 3.11.
# For a caller: the payload of a successful invocation is not always JSON, so its parser must
# report where it came from. A Rust function answers null there (serde_json).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q awslambdaric==4.2.2

cat > "$dir/probe.py" <<'PY'
import datetime
import logging
from decimal import Decimal

from awslambdaric.lambda_runtime_log_utils import JsonFormatter
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

for value in [{"mean": float("nan")}, [float("-inf")], Decimal("NaN"), datetime.date(2026, 1, 2)]:
    try:
        print(LambdaMarshaller().marshal_response(value))
    except Exception as error:
        print(type(error).__name__, error.args[0])

line = logging.LogRecord("app", logging.INFO, "app.py", 1, "ratio", (), None)
line.aws_request_id, line.tenant_id, line.ratio = "r", None, float("nan")
print(JsonFormatter().format(line).strip().split(", ")[-1])
PY
cat > "$dir/expected" <<'OUT'
('{"mean": NaN}', 'application/json')
('[-Infinity]', 'application/json')
('NaN', 'application/json')
FaultException Runtime.MarshalError
"ratio": NaN}
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: awslambdaric writes such values differently now"; exit 1; }
echo "as recorded"
