"""Runs DynamoDB Local on a free port, prints the port, and ends it with the standard input.

It cannot choose a port by itself. So a free one is chosen here, and another if it was taken
meanwhile.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

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
                print(port, flush=True)
                return
            time.sleep(0.05)
    end()


threading.Thread(target=start, args=[sys.argv[1]], daemon=True).start()
sys.stdin.read()
with starting:
    end()
