"""The lab's directory service: says what people belong to, by HTTP, as slowly as the lab tells it.

A real site has Active Directory or OpenLDAP there. Settings come as JSON lines on standard input and nowhere else.
``python -m deploy.lab.directory HOST PORT``
"""

import json
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    seconds = 0.0  # how long it thinks about each question


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """Say who somebody is."""
        time.sleep(self.server.seconds)
        body = json.dumps({"name": self.path.rpartition("/")[2], "teams": ["case workers"]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: names do not belong into a log."""


def _obey(server: _Server) -> None:
    for line in sys.stdin:
        server.seconds = float(json.loads(line)["seconds"])
    signal.raise_signal(signal.SIGTERM)  # the lab is gone


def main() -> None:
    """Serve until SIGTERM or until standard input closes."""
    with _Server((sys.argv[1], int(sys.argv[2])), _Handler) as server:
        threading.Thread(target=_obey, args=(server,), daemon=True).start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
