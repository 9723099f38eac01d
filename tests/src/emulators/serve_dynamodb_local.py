"""Runs DynamoDB Local on a free port, prints the port, and ends it with the standard input.

It cannot choose a port by itself. So a free one is chosen here, and another if it was taken
meanwhile.
"""

import os
import socket
import subprocess
import sys
import threading
import time

starting = threading.Lock()
started = []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start(folder):
    for _ in range(5):
        port = free_port()
        with starting:
            java = subprocess.Popen(
                ["java", "-Djava.library.path=DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar",
                 "-inMemory", "-sharedDb", "-port", str(port)],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=sys.stderr)
            started.append(java)
        while java.poll() is None:
            if listens(port):
                print(port, flush=True)
                return
            time.sleep(0.05)
    os._exit(1)


threading.Thread(target=start, args=[sys.argv[1]], daemon=True).start()
sys.stdin.read()
with starting:
    for java in started:
        java.kill()
    os._exit(0)
