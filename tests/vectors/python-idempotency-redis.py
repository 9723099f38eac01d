"""Writes python-idempotency-redis.json: what Powertools for AWS Lambda (Python) 3.37.0 does on a server of Redis.

    pip install aws-lambda-powertools==3.37.0 redis==8.1.0 boto3==1.44.8 jmespath
    redis-server --port 7379 --save "" &
    python python-idempotency-redis.py redis://127.0.0.1:7379 > python-idempotency-redis.json

The time of the toolkit is always NOW, and an invocation always has 30 s left. The client is that of the package redis,
which notes the commands. Everything else is as it was published.
"""

import datetime
import json
import os
import sys
import warnings
from importlib.metadata import version
from types import SimpleNamespace

os.environ["AWS_LAMBDA_FUNCTION_NAME"] = "orders-fn"

import redis
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.idempotency import base as handling
from aws_lambda_powertools.utilities.idempotency.persistence import base, datarecord
from aws_lambda_powertools.utilities.idempotency.persistence import redis as layer
from aws_lambda_powertools.utilities.idempotency.persistence.cache import CachePersistenceLayer

assert version("aws-lambda-powertools") == "3.37.0"
warnings.simplefilter("ignore")

NOW = 1_800_000_000
PREFIX = "orders-fn.app.lambda_handler"
KEY = PREFIX + "#cbcbdb948de16bfe7e49a81f91500ab1"
EVENT = {"order_id": "o-1", "amount": 100}
RESULT = {"ok": True, "order_id": "o-1"}
SAME, OTHER = "f899139df5e1059396431415e770c6dd", "b706835de79a2b4e80506f582af3676a"
OWNER = "00112233445566778899aabbccddeeff"


class Now(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(NOW, tz)


for module in [handling, base, datarecord, layer]:
    assert module.dt is datetime
    module.dt = SimpleNamespace(datetime=Now, timedelta=datetime.timedelta)


class Context:
    function_name = "orders-fn"

    def get_remaining_time_in_millis(self):
        return 30_000


class Noting(redis.Redis):
    """A client that notes the commands."""

    commands = None

    def execute_command(self, *parts, **options):
        if self.commands is not None:
            self.commands.append([str(part) for part in parts])
        return super().execute_command(*parts, **options)


def stored(status, expiration=3000, lease=None, data=None, validation=None):
    record = {"status": status}
    if expiration is not None:
        record["expiration"] = NOW + expiration
    if lease is not None:
        record["in_progress_expiration"] = NOW * 1000 + lease * 1000
    if validation is not None:
        record["validation"] = validation
    if data is not None:
        record["data"] = json.dumps(data)
    return json.dumps(record)


def ours(status, end):
    """A record as the toolkit for Rust writes it."""
    times = f'"expiration":{NOW + 3600}'
    if status == "INPROGRESS":
        times += f',"in_progress_expiration":{NOW * 1000 + 30_000}'
    return f'{{"owner":"{OWNER}","status":"{status}",{times}{end}}}'


VALIDATED = {"payload_validation_jmespath": "amount"}
DATA = ',"data":"{\\"ok\\": true, \\"order_id\\": \\"o-1\\"}"'
FAILS = ValueError("no such card")
CASES = {
    "first call succeeds": {},
    "handler fails": {"result": FAILS},
    "handler returns nothing": {"result": None},
    "unicode response": {"result": {"name": "Zoë ✓", "n": 1.0}},
    "payload validation": {"config": VALIDATED},
    "expiry of 60 seconds": {"config": {"expires_after_seconds": 60}},
    "sha256 hash": {"config": {"hash_function": "sha256"}},
    "custom key prefix": {"key_prefix": "tenant-a"},
    "no key, not raising": {"event": {"amount": 1}, "result": {"ok": True}},
    "no key, raising": {"event": {"amount": 1}, "config": {"raise_on_no_idempotency_key": True}},
    "replay of a completed record": {"stored": stored("COMPLETED", data=RESULT)},
    "replay of nothing": {"stored": stored("COMPLETED", data=None)},
    "replay of a number": {"stored": stored("COMPLETED", data=7.5)},
    "replay of an expired record": {"stored": stored("COMPLETED", expiration=-1, data="old")},
    "already in progress": {"stored": stored("INPROGRESS", lease=20)},
    "in progress without a lease": {"stored": stored("INPROGRESS")},
    "in progress, and the lease is over": {"stored": stored("INPROGRESS", lease=-1)},
    "in progress and expired": {"stored": stored("INPROGRESS", expiration=-1, lease=-1)},
    "in progress, expired before its lease": {"stored": stored("INPROGRESS", expiration=-1, lease=20)},
    "replay with a different payload": {
        "config": VALIDATED,
        "stored": stored("COMPLETED", data=RESULT, validation=OTHER),
    },
    "replay with the same payload": {
        "config": VALIDATED,
        "stored": stored("COMPLETED", data=RESULT, validation=SAME),
    },
    "replay of a record without its payload": {"config": VALIDATED, "stored": stored("COMPLETED", data=RESULT)},
    "in progress with a different payload": {
        "config": VALIDATED,
        "stored": stored("INPROGRESS", lease=20, validation=OTHER),
    },
    "a value that is no record": {"stored": "True"},
    "ours, completed": {"stored": ours("COMPLETED", DATA)},
    "ours, completed, with the same payload": {
        "config": VALIDATED,
        "stored": ours("COMPLETED", f',"validation":"{SAME}"' + DATA),
    },
    "ours, completed, with a different payload": {
        "config": VALIDATED,
        "stored": ours("COMPLETED", f',"validation":"{OTHER}"' + DATA),
    },
    "ours, in progress": {"stored": ours("INPROGRESS", "")},
}


def play(name, case, client):
    client.flushall()
    event, result = case.get("event", EVENT), case.get("result", RESULT)
    config, before = case.get("config", {}), case.get("stored")
    if before is not None:
        client.set(KEY, before, ex=3000)
    runs = []

    def lambda_handler(event, context):
        runs.append(event)
        if result is FAILS:
            raise FAILS
        return result

    lambda_handler.__module__, lambda_handler.__qualname__ = "app", "lambda_handler"
    settings = IdempotencyConfig(event_key_jmespath="order_id", **config)
    options = {"key_prefix": case["key_prefix"]} if "key_prefix" in case else {}
    handler = idempotent(
        lambda_handler, persistence_store=CachePersistenceLayer(client=client), config=settings, **options
    )
    client.commands = []
    returned = raised = None
    try:
        returned = handler(event, Context())
    except Exception as error:
        raised = type(error).__name__
    commands, client.commands = client.commands, None
    return {
        "name": name,
        "event": event,
        "config": config,
        "key_prefix": case.get("key_prefix"),
        "stored": before,
        "runs": len(runs),
        "returned": returned,
        "raised": raised,
        "commands": commands,
        "left": {
            key.decode(): {"value": client.get(key).decode(), "ttl": client.ttl(key)}
            for key in sorted(client.keys())
        },
    }


client = Noting.from_url(sys.argv[1])
recorded = [play(name, case, client) for name, case in CASES.items()]
head = {"source": "Powertools for AWS Lambda (Python) 3.37.0", "now": NOW}
lines = ",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in recorded)
print(f'{json.dumps(head, indent=1)[:-2]},\n "cases": [\n{lines}\n ]\n}}')
