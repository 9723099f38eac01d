#!/usr/bin/env bash
# One would guess that the sequence numbers of a Kinesis stream in moto are long numbers that no two
# records of the stream share, as those of the emulator kinesalite are (56 digits).
# moto counts 1, 2, 3 in each shard, so the first records of two shards have the same number.
# Seen on 2026-11-28 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For tests on moto: whatever takes the sequence number alone for the identity of a record (a set of
# those done, an idempotency key, a report of failures that is kept over several shards) mixes the
# shards up there. Name a record by shard and sequence number; Lambda's eventID has both.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[kinesis]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import boto3
from moto import mock_aws

with mock_aws():
    client = boto3.client("kinesis", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    client.create_stream(StreamName="s", ShardCount=2)
    for hash_key in ["0", str(2**127), "1"]:
        put = client.put_record(StreamName="s", Data=b"x", PartitionKey="p", ExplicitHashKey=hash_key)
        print(put["ShardId"], put["SequenceNumber"])
PY
cat > "$dir/expected" <<'OUT'
shardId-000000000000 1
shardId-000000000001 1
shardId-000000000000 2
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto numbers Kinesis records differently now"; exit 1; }
echo "as recorded"
