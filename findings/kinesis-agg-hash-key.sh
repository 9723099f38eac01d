#!/usr/bin/env bash
# One would guess that aws-kinesis-agg gives back the user records of an aggregated Kinesis record as they
# were put in: one that had no explicit hash key has none, as the format (KPL) has that field optional.
# It gets the explicit hash key of another record of the aggregate, the first one there is. The index into
# the table of keys, which is absent, is read as 0. The partition keys and the data are right.
# Seen on 2026-11-28 with aws-kinesis-agg 1.2.3 and protobuf 7.36.2 on Python 3.11.
# For code that forwards records to another stream: with the key it has read, the record goes to the shard
# of a stranger, and the order by partition key is lost. A decoder asks whether the index is present.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-kinesis-agg==1.2.3 protobuf==7.36.2 six==1.17.0

cat > "$dir/probe.py" <<'PY'
import base64

from aws_kinesis_agg import aggregator, deaggregator

for records in [[("a", "1", None), ("b", "2", None)], [("a", "1", "42"), ("b", "2", None), ("c", "3", "7")]]:
    aggregate = aggregator.RecordAggregator()
    for partition_key, data, hash_key in records:
        aggregate.add_user_record(partition_key, data, hash_key)
    partition_key, _, data = aggregate.clear_and_get().get_contents()
    event = [{"eventID": "shardId-0:1", "kinesis": {
        "partitionKey": partition_key, "sequenceNumber": "1", "data": base64.b64encode(data).decode(),
        "approximateArrivalTimestamp": 1795816800.0, "kinesisSchemaVersion": "1.0"}}]
    print("put", *[(key, hash_key) for key, _, hash_key in records])
    read = [record["kinesis"] for record in deaggregator.deaggregate_records(event)]
    print("got", *[(record["partitionKey"], record["explicitHashKey"]) for record in read])
PY
cat > "$dir/expected" <<'OUT'
put ('a', None) ('b', None)
got ('a', None) ('b', None)
put ('a', '42') ('b', None) ('c', '7')
got ('a', '42') ('b', '42') ('c', '7')
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: aws-kinesis-agg reads explicit hash keys differently now"; exit 1; }
echo "as recorded"
