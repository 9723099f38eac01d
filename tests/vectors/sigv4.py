"""Writes sigv4.json: requests that botocore 1.43.11 signed.

    pip install botocore==1.43.11 && python sigv4.py > sigv4.json
"""

import datetime
import json
import random
from unittest import mock
from urllib.parse import quote

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

draw = random.Random(20)
WORDS = ["a", "Z", "0", "-", "_", ".", "~", " ", "+", "é", "✓", "/", ":", "@", "*", "(", "=", "&", "%"]


def text(length, words=WORDS):
    return "".join(draw.choice(words) for _ in range(draw.randint(1, length)))


def case(number):
    region = draw.choice(["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"])
    service = draw.choice(["dynamodb", "xray", "execute-api"])
    host = f"{service}.{region}.amazonaws.com" + draw.choice(["", ":8000"])
    # A path without empty segments, `.` and `..`.
    segments = [f"x{text(6)}".replace("/", "") for _ in range(draw.randint(0, 3))]
    path = "/" + "/".join(quote(segment, safe="-_.~") for segment in segments)
    pairs = [(text(5), text(5)) for _ in range(draw.choice([0, 0, 1, 3]))]
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": f"DynamoDB_20120810.{draw.choice(['PutItem', 'GetItem'])}",
    }
    for _ in range(draw.randint(0, 2)):
        headers[f"x-amz-meta-{draw.choice('abc')}"] = text(8, ["a", "B", " ", "  ", ",", "="]).strip() or "-"
    body = text(40) if draw.random() < 0.9 else ""
    token = draw.choice([None, text(30, ["a", "B", "+", "/", "="])])
    credentials = Credentials(f"AKID{number}", text(20, ["a", "B", "+", "/", "7"]), token)
    now = datetime.datetime(2000, 1, 1) + datetime.timedelta(seconds=draw.randint(0, 3_000_000_000))
    method = draw.choice(["POST", "GET", "PUT", "DELETE"])

    url = f"https://{host}{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method=method, url=url, data=body.encode(), headers=headers)
    with mock.patch.object(auth, "get_current_datetime", lambda *_: now):
        auth.SigV4Auth(credentials, service, region).add_auth(request)
    return {
        "region": region,
        "service": service,
        "access_key_id": credentials.access_key,
        "secret_access_key": credentials.secret_key,
        "session_token": token,
        "seconds": int(now.replace(tzinfo=datetime.timezone.utc).timestamp()),
        "method": method,
        "path": path,
        "query": query,
        "headers": {"host": host, **headers},
        "body": body,
        "date": request.headers["X-Amz-Date"],
        "authorization": request.headers["Authorization"],
    }


lines = ",\n  ".join(json.dumps(case(number), ensure_ascii=False) for number in range(100))
print(f'{{\n "source": "botocore 1.43.11 (PyPI)",\n "cases": [\n  {lines}\n ]\n}}')
