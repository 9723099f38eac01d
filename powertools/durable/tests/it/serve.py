"""Serves the API of durable functions, by AWS's testing library, with a clock that jumps over waits.

Writes its port to the standard output, and ends when the standard input does.
"""

import os
import socket
import sys
import threading

from aws_durable_execution_sdk_python_testing import cli
from aws_durable_execution_sdk_python_testing.executor import Executor


def end_with_input():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
with socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
print(port, flush=True)
# Its clock does not jump over the pause before a failed invocation is repeated.
Executor.RETRY_BACKOFF_SECONDS = 0
sys.argv = [
    "dex-local-runner", "start-server", "--host", "127.0.0.1", "--port", str(port), "--skip-time",
    "--store-type", "memory", "--log-level", "ERROR",
]
sys.exit(cli.main())
