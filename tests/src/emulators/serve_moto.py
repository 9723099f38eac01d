"""Serves moto's DynamoDB on a free port, prints the port, and ends with its standard input."""

import io
import logging
import os
import sys
import threading

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

moto = DomainDispatcherApplication(create_backend_app)
one_at_a_time = threading.Lock()


def application(environ, start_response):
    # moto checks a condition and writes without a lock: two requests at once can both succeed.
    # The body is read first, so that a slow client does not hold up the others.
    length = int(environ.get("CONTENT_LENGTH") or 0)
    environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
    with one_at_a_time:
        return list(moto(environ, start_response))


class Handler(WSGIRequestHandler):
    # Head and body of a reply are sent apart; the second would wait for the first one's receipt.
    disable_nagle_algorithm = True


logging.getLogger("werkzeug").setLevel(logging.WARNING)
server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.port, flush=True)
sys.stdin.read()
os._exit(0)
