"""Runs DynamoDB Local on a free port, prints the port, and ends it with the standard input.

It cannot choose a port by itself. So a free one is chosen here, and another if it was taken
meanwhile.

Its parser of expressions is not ready for several requests at once before the first one is parsed: 1.25.1
answers some of them with a ValidationException. So one is parsed before the port is printed.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

starting = threading.Lock()
started = []
# It unpacks a library, and leaves it behind when it is killed.
temporary = tempfile.mkdtemp()

# It lives for minutes: the second compiler and the other collectors cost more than they gain.
OPTIONS = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
           "-Djava.library.path=DynamoDBLocal_lib", f"-Djava.io.tmpdir={temporary}"]


def end():
    for java in started:
        java.kill()
        java.wait()
    shutil.rmtree(temporary, ignore_errors=True)
    os._exit(0)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def send(port, operation, body):
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "Authorization": "AWS4-HMAC-SHA256 Credential=a/20300101/us-east-1/dynamodb/aws4_request, "
                         "SignedHeaders=host, Signature=0",
    }
    url = f"http://127.0.0.1:{port}/"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    urllib.request.urlopen(request, timeout=30).read()


def parse_an_expression(port):
    table = {"TableName": "first"}
    send(port, "CreateTable", table | {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    })
    key = {"id": {"S": "key"}}
    send(port, "PutItem", table | {
        "Item": key,
        "ConditionExpression": "attribute_not_exists(id) OR #a < :a",
        "ExpressionAttributeNames": {"#a": "a"},
        "ExpressionAttributeValues": {":a": {"N": "1"}},
    })
    send(port, "UpdateItem", table | {
        "Key": key,
        "UpdateExpression": "SET #a = :a REMOVE b",
        "ConditionExpression": "attribute_exists(id)",
        "ExpressionAttributeNames": {"#a": "a"},
        "ExpressionAttributeValues": {":a": {"N": "1"}},
    })
    send(port, "DeleteTable", table)


def start(folder):
    for _ in range(5):
        port = free_port()
        with starting:
            java = subprocess.Popen(
                ["java", *OPTIONS, "-jar", "DynamoDBLocal.jar",
                 "-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=sys.stderr)
            started.append(java)
        while java.poll() is None:
            if listens(port):
                parse_an_expression(port)
                print(port, flush=True)
                return
            time.sleep(0.05)
    end()


threading.Thread(target=start, args=[sys.argv[1]], daemon=True).start()
sys.stdin.read()
with starting:
    end()
