"""A double of Citrix Monitor OData v4. It follows the documented shapes, errors and paging; it is not Citrix.

Rows are what a test puts in; ``$filter`` knows ``ge``, ``lt`` and ``eq`` joined by ``and``, ``$expand`` the row behind
``SessionId`` or ``SessionKey``. It gives every field, asked for or not, so that what is not wanted comes all the same.
Pages link to a host that only exists behind the balancer. NTLM is answered for real, by pyspnego's other half.
"""

import base64
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import spnego
from spnego.exceptions import SpnegoError

Row = dict[str, Any]
ON_PREMISES, CLOUD, TRADE = "/Citrix/Monitor/OData/v4/Data", "/monitorodata", "/cctrustoauth2/acme/tokens/clients"
CLIENT, SECRET = "reader", "canary-secret"
_CLAUSE = re.compile(r"(\w+) (ge|lt|eq) (\S+)")


@dataclass
class Fault:
    """What happens once instead of an answer: to the page of ``name`` that begins at ``skip``."""

    name: str
    status: int
    skip: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    wait: float = 0.0


@dataclass
class Monitor:
    """The sets, and what was asked."""

    sets: dict[str, list[Row]] = field(default_factory=dict)
    page: int = 100
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    offers: str = "NTLM"
    url: str = ""

    def put(self, name: str, key: str, row: Row) -> None:
        """Put a row in, or write it anew."""
        rows = [one for one in self.sets.get(name, []) if one[key] != row[key]]
        self.sets[name] = [*rows, row]

    def answer(self, name: str, query: Mapping[str, str]) -> bytes:
        skip = int(query.get("$skip", 0))
        rows = [row for row in self.sets.get(name, []) if _fits(row, query.get("$filter", ""))]
        if "$orderby" in query:
            rows.sort(key=lambda row: str(row[query["$orderby"]]))
        told: Row = {
            "@odata.context": f"http://balanced.internal/$metadata#{name}",
            "value": [self._expanded(row, query) for row in rows[skip : skip + self.page]],
        }
        if skip + self.page < len(rows):
            following = urlencode({**query, "$skip": skip + self.page})
            told["@odata.nextLink"] = f"http://balanced.internal{ON_PREMISES}/{name}?{following}"
        return json.dumps(told).encode()

    def _expanded(self, row: Row, query: Mapping[str, str]) -> Row:
        if "Session(" not in query.get("$expand", ""):
            return row
        key = row.get("SessionKey", row.get("SessionId"))
        found = (one for one in self.sets.get("Sessions", []) if one["SessionKey"] == key)
        return {**row, "Session": next(found, None)}

    def fault(self, name: str, skip: int) -> Fault | None:
        for one in self.faults:
            if (one.name, one.skip) == (name, skip):
                self.faults.remove(one)
                return one
        return None


def _fits(row: Row, wanted: str) -> bool:
    compare = {"ge": lambda a, b: a >= b, "lt": lambda a, b: a < b, "eq": lambda a, b: a == b}
    return all(compare[how](str(row[name]), value) for name, how, value in _CLAUSE.findall(wanted))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet per answer
    monitor: Monitor
    context: Any = None
    known = False

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        base, _, name = parts.path.rpartition("/")
        if not self._let_in(base):
            return
        self.monitor.asked.append(self.path)
        fault = self.monitor.fault(name, int(query.get("$skip", 0)))
        if fault is not None:
            time.sleep(fault.wait)
            self._send(fault.status, fault.body, fault.headers)
        elif base not in (ON_PREMISES, CLOUD):
            self._send(404, b"")
        else:
            self._send(200, self.monitor.answer(name, query))

    def do_POST(self) -> None:
        given = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if self.path != TRADE or (given["client_id"], given["client_secret"]) != ([CLIENT], [SECRET]):
            self._send(401, b'{"error": "invalid_client"}')
            return
        self.monitor.tokens.append(f"canary-token-{len(self.monitor.tokens)}")
        told = {"token_type": "bearer", "access_token": self.monitor.tokens[-1], "expires_in": "3600"}
        self._send(200, json.dumps(told).encode())

    def _let_in(self, base: str) -> bool:
        given = self.headers.get("Authorization", "")
        if base == CLOUD:
            good = bool(self.monitor.tokens) and given == f"CWSAuth bearer={self.monitor.tokens[-1]}"
            if not good or self.headers.get("Citrix-CustomerId") != "acme":
                self._send(401, b"")
            return good
        return self.known or self._shake(given)

    def _shake(self, given: str) -> bool:
        """Go one message further; True when it was the last and good. NTLM belongs to the connection."""
        scheme, _, message = given.partition(" ")
        if not message:
            self._send(401, b"sign in", {"WWW-Authenticate": self.monitor.offers})
            return False
        if self.context is None:
            self.context = spnego.server(protocol=scheme.lower())
        try:
            answer = self.context.step(base64.b64decode(message))
        except SpnegoError:
            self._send(401, b"", {"WWW-Authenticate": self.monitor.offers})
            return False
        self.known = self.context.complete
        if not self.known:
            self._send(401, b"", {"WWW-Authenticate": f"{scheme} {base64.b64encode(answer).decode()}"})
        return self.known

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Monitor]:
    """Serve on loopback."""
    monitor = Monitor()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"monitor": monitor}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monitor.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield monitor
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
