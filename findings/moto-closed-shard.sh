#!/usr/bin/env bash
# One would guess that after SplitShard in moto new records go to the two new shards, and that a reader
# of the old one comes to its end: NextShardIterator is then absent, and the reader turns to the children.
# The new shards are listed and the old one is shown as closed, with its last sequence number. But every
# record is still put in the old one, whose last number grows with it; the new ones stay empty, and
# reading the old one never ends. Seen too: MergeShards and UpdateShardCount are alike.
# Seen on 2026-11-28 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For tests on moto: a consumer that stops at the last number of a closed shard, as it may, never sees what
# follows, and one that waits for the end never reads a child. Test resharding with another emulator.
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
    client.create_stream(StreamName="s", ShardCount=1)

    def put(data, hash_key):
        client.put_record(StreamName="s", Data=data, PartitionKey="p", ExplicitHashKey=str(hash_key))

    put(b"before", 1)
    client.split_shard(StreamName="s", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127))
    parent = client.list_shards(StreamName="s")["Shards"][0]
    print("closed at", parent["SequenceNumberRange"]["EndingSequenceNumber"])
    put(b"low", 1)
    put(b"high", 2**127 + 1)
    for shard in client.list_shards(StreamName="s")["Shards"]:
        iterator = client.get_shard_iterator(
            StreamName="s", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        read = client.get_records(ShardIterator=iterator)
        records = [f"{record['SequenceNumber']}:{record['Data'].decode()}" for record in read["Records"]]
        ended = read.get("NextShardIterator") is None
        print(shard["ShardId"][-1], "closed at", shard["SequenceNumberRange"].get("EndingSequenceNumber"),
              records, "ended" if ended else "goes on")
PY
cat > "$dir/expected" <<'OUT'
closed at 1
0 closed at 3 ['1:before', '2:low', '3:high'] goes on
1 closed at None [] goes on
2 closed at None [] goes on
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto puts records elsewhere after a split now"; exit 1; }
echo "as recorded"
