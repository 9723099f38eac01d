"""Writes kinesis-aggregates.json: what aws_kinesis_agg 1.2.3 makes of user records.

    pip install aws_kinesis_agg==1.2.3 six && python kinesis-aggregates.py > kinesis-aggregates.json
"""

import base64
import json

from aws_kinesis_agg.aggregator import AggRecord

HASH = "170141183460469231731687303715884105727"
CASES = {
    "one record": [("a", None, b"{}")],
    "one partition key": [("a", None, b"1"), ("a", None, b"2"), ("a", None, b"3")],
    "several partition keys": [("a", None, b"1"), ("b", None, b"2"), ("a", None, b"3")],
    "explicit hash keys": [("a", HASH, b"1"), ("b", "0", b"2"), ("c", HASH, b"3")],
    "some explicit hash keys": [("a", HASH, b"1"), ("b", None, b"2"), ("a", "7", b"3")],
    "empty data": [("a", None, b""), ("a", None, b"2")],
    "bytes that are not text": [("a", None, bytes(range(256))), ("ä€😀", None, b"\xff")],
    "long data": [("a", None, b"x" * 300), ("b", HASH, b"y" * 20_000)],
    "more keys than one byte counts": [(f"key-{n}", None, str(n).encode()) for n in range(200)],
}


def case(name, records):
    aggregate = AggRecord()
    for key, explicit_hash_key, data in records:
        assert aggregate.add_user_record(key, data, explicit_hash_key)
    _, _, data = aggregate.get_contents()
    return {
        "name": name,
        "records": [
            {"partition_key": key, "explicit_hash_key": hash, "data": base64.b64encode(data).decode()}
            for key, hash, data in records
        ],
        "aggregate": base64.b64encode(data).decode(),
    }


cases = [case(name, records) for name, records in CASES.items()]
print(json.dumps({"source": "aws_kinesis_agg 1.2.3 (PyPI)", "cases": cases}, indent=1, ensure_ascii=False))
