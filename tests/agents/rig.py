"""Real servers on loopback for tests of the agent: the collector, and an application that locks accounts."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvicorn

from collector.app import create
from collector.registries.database import DatabaseRegistry
from collector.registry import Scope
from collector.settings import CollectorSettings
from collector.store import Slice
from collector.stores.memory import MemoryStore

ALWAYS = Slice(start=datetime(2020, 1, 1, tzinfo=UTC), end=datetime(2100, 1, 1, tzinfo=UTC))
LOCK_AT = 3


class LiveCollector:
    """The real collector application, which can be taken away and brought back on the same address."""

    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        self.registry = DatabaseRegistry(f"sqlite:///{folder / 'registry.sqlite'}")
        self._settings = CollectorSettings(data=folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        app = create(store=self.store, registry=self.registry, settings=self._settings, site="test")
        config = uvicorn.Config(app, host="127.0.0.1", port=self.port, log_config=None, lifespan="on", ws="none")
        server = uvicorn.Server(config)
        self._server, self._thread = server, threading.Thread(target=server.run, daemon=True)
        self._thread.start()
        wait_until(lambda: server.started)

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(10)
            self._server = None

    def invite(self, endpoint: str) -> str:
        return self.registry.invite(endpoint, scope=Scope.AGENT, now=datetime.now(UTC))

    def rows(self, table: str) -> list[dict[str, Any]]:
        self.store.flush()
        return list(self.store.scan(table, ALWAYS).to_pylist())

    def close(self) -> None:
        self.stop()
        self.store.close()
        self.registry.close()


@contextmanager
def live_collector(folder: Path) -> Iterator[LiveCollector]:
    folder.mkdir(parents=True, exist_ok=True)
    collector = LiveCollector(folder)
    collector.start()
    try:
        yield collector
    finally:
        collector.close()


@dataclass
class Casebook:
    """An application that locks an account at three bad passwords, as real ones do."""

    password: str = "right-9317"
    delay: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[float, str]] = field(default_factory=list)
    inside: int = 0
    most_inside: int = 0
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sign_in(self, user: str, password: str) -> tuple[int, str]:
        with self._lock:
            self.requests.append((time.time(), user))
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        time.sleep(self.delay)
        with self._lock:
            self.inside -= 1
            if self.failures.get(user, 0) >= LOCK_AT:
                return 403, "account locked"
            if password != self.password:
                self.failures[user] = self.failures.get(user, 0) + 1
                return 401, "wrong user name or password"
            self.failures[user] = 0
            return 200, "welcome"

    def locked(self, user: str) -> bool:
        return self.failures.get(user, 0) >= LOCK_AT


@contextmanager
def casebook(**settings: Any) -> Iterator[Casebook]:
    app = Casebook(**settings)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
            self._answer(*app.sign_in(form["username"][0], form["password"][0]))

        def do_GET(self) -> None:
            self._answer(200, "cases")

        def _answer(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    app.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


JOURNEY = """\
name: cases
variables: {{base_url: "{url}"}}
secrets: {{username: , password: }}
steps:
  - step: login
    sign_in: true
    timeout: 10 s
    requests:
      - method: POST
        path: /login
        form: {{username: "{{username}}", password: "{{password}}"}}
        expect: {{status: 200}}
    authentication_failure: {{status: [401, 403]}}
  - step: search
    timeout: 10 s
    requests:
      - path: /cases
        expect: {{status: 200}}
"""


def write_plan(folder: Path, url: str, *, endpoint: str = "desk-1", account: str = "probe-1", more: str = "") -> Path:
    """Write a journey and a whichlayer.yaml that names it; secrets come from WL_USER and WL_PASSWORD."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cases.yaml").write_text(JOURNEY.format(url=url))
    config = folder / "whichlayer.yaml"
    config.write_text(
        f"site: test\nagent:\n  endpoint: {endpoint}\n  state: state\n"
        "  budget: {logons_per_hour: 100000}\n"
        f"  journeys:\n    - file: cases.yaml\n      every: 1 s\n      account: {account}\n"
        f"      secrets: {{username: env:WL_USER, password: env:WL_PASSWORD}}\n{more}"
    )
    return config


def wait_until(true: Any, *, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def now_slot() -> datetime:
    return datetime.now(UTC) - timedelta(microseconds=datetime.now(UTC).microsecond)
