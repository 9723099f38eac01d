#!/usr/bin/env bash
# One would guess that Apache's own Avro library for Python writes Decimal("1.5") under a decimal
# schema of scale 2 as the unscaled integer 150, as the specification asks.
# It writes 15: the digits of the value as they are, without bringing them to the schema's scale.
# Reading it back gives 0.15, with no error on either side. "1.50" is written right, and so is
# every value that happens to have exactly the schema's number of decimals. fastavro writes 150.
# Seen on 2026-11-28 with avro 1.12.2 and fastavro 1.13.1 on Python 3.11.
# For a consumer: an amount that is ten or a hundred times too small may be a fault of the
# producer. A decoder must take the scale from the schema alone and must not try to mend it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q avro==1.12.2 fastavro==1.13.1

cat > "$dir/probe.py" <<'PY'
import io
import json
from decimal import Decimal

import avro.io
import avro.schema
import fastavro

schema = {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}
apache = avro.schema.parse(json.dumps(schema))
for text in ["1.50", "1.5", "100"]:
    out = io.BytesIO()
    avro.io.DatumWriter(apache).write(Decimal(text), avro.io.BinaryEncoder(out))
    out.seek(0)
    back = avro.io.DatumReader(apache).read(avro.io.BinaryDecoder(out))
    other = io.BytesIO()
    fastavro.schemaless_writer(other, schema, Decimal(text))
    print(text, out.getvalue().hex(), back, "fastavro", other.getvalue().hex())
PY
cat > "$dir/expected" <<'OUT'
1.50 040096 1.50 fastavro 040096
1.5 020f 0.15 fastavro 040096
100 0264 1.00 fastavro 042710
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: avro for Python treats decimals differently now"; exit 1; }
echo "as recorded"
