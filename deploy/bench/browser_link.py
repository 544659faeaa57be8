"""Does the browser driver put what a link adds where it belongs? Walks over a real link, without and with a delay.

``python -m deploy.bench.browser_link [--runs 20] [--tls] [--ahead] [--json]``. Required with +25 ms each way: the
connection, the TLS handshake and the answer to a request take 50 ms more each, within 3 ms (medians). Exit code 1 if
they do not. With ``--ahead`` the browser connects ahead of need, as it does by itself: to see what that hides.
"""

import argparse
import base64
import hashlib
import json
import socket
import ssl
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from collector.model.access import Access, Link, Presentation
from collector.model.run import MEASURED, Phase
from deploy.lab import namespace
from deploy.lab.link import TUN
from deploy.lab.namespace import LabError
from deploy.lab.program import Program, Programs, module
from deploy.lab.world import cannot_open
from probes.drivers.browser.plugin import PLUGIN
from probes.journey.file import parse
from probes.walk import Place, walk

DELAY_MILLISECONDS, ALLOWED_MILLISECONDS = 25.0, 3.0
_PORT = 8080
_SERVER, _NEAR, _FAR = "10.78.0.1", "10.78.1.1/30", "10.78.1.2/30"
_PLACE = Place(site="bench", endpoint="bench", access=Access(link=Link.WIRED, presentation=Presentation.LOCAL))
_JOURNEY = """
name: wait
variables: {base_url: ""}
steps:
  - step: first
    browser: [{open: /}]
  - step: again
    browser: [{open: /again}]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a delay each way added to the medians, in milliseconds; ``whole`` is the time of both steps."""

    runs: int
    delay_ms: float
    connect_added_ms: float
    tls_added_ms: float | None
    processing_added_ms: float
    again_processing_added_ms: float
    whole_added_ms: float

    @property
    def right(self) -> bool:
        """Say whether each lies within what is required of one way there and one back."""
        added = (self.connect_added_ms, self.tls_added_ms, self.processing_added_ms, self.again_processing_added_ms)
        return all(abs(one - 2 * self.delay_ms) <= ALLOWED_MILLISECONDS for one in added if one is not None)


def measure(*, delay_milliseconds: float, runs: int, tls: bool = False, ahead: bool = False) -> Row:
    """Walk ``runs`` times without and with the delay. Raises LabError where namespaces or TUN cannot be had."""
    problem = cannot_open(TUN)
    if problem is not None:
        raise LabError(problem)
    with _link(tls=tls, ahead=ahead) as (walker, link):
        before = _walked(walker, runs)
        link.tell({"delay": delay_milliseconds})
        after = _walked(walker, runs)

    def added(step: str, key: str) -> float:
        return (_median(after, step, key) - _median(before, step, key)) * 1e3

    return Row(
        runs=runs,
        delay_ms=delay_milliseconds,
        connect_added_ms=added("first", Phase.CONNECT),
        tls_added_ms=added("first", Phase.TLS) if tls else None,
        processing_added_ms=added("first", Phase.PROCESSING),
        again_processing_added_ms=added("again", Phase.PROCESSING),
        whole_added_ms=added("first", "seconds") + added("again", "seconds"),
    )


def _median(runs: Sequence[Mapping[str, Mapping[str, float]]], step: str, key: str) -> float:
    return statistics.median(run[step].get(key, 0.0) for run in runs)


class _Page(BaseHTTPRequestHandler):
    """A small page; every connection in a thread of its own, as browsers open several."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer at once."""
        body = b"<!doctype html><link rel=icon href=data:,><h1>Here</h1>"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


class _Pages(ThreadingHTTPServer):
    """Serves it at a socket that is there already; with ``tls`` each handshake is made in its connection's thread."""

    daemon_threads = True
    tls: ssl.SSLContext | None = None

    def finish_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Answer one connection; a browser may leave one it does not need."""
        with suppress(OSError):
            if self.tls is None:
                super().finish_request(request, client_address)
                return
            with self.tls.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)


@contextmanager
def _link(*, tls: bool, ahead: bool) -> Iterator[tuple[Program, Program]]:
    """Give what walks from one end of a link to a server at its other end, and the link."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="whichlayer-bench-")))
        programs = Programs(folder)
        server = stack.enter_context(closing(namespace.first("server", folder / "server.log", _SERVER)))
        client = stack.enter_context(closing(namespace.beside(server, "client", folder / "client.log")))
        stack.callback(programs.stop_all)
        ends = [str(server.holder.pid), _NEAR, str(client.holder.pid), _FAR]
        link = programs.start("link", server.run(module("link"), *ends), told=True)
        link.wait_ready()
        pages = _Pages((_SERVER, _PORT), _Page, bind_and_activate=False)
        pages.socket.close()
        pages.socket = stack.enter_context(server.listen(_PORT, _SERVER))
        settings: dict[str, object] = {"proxy": "none", "ahead": ahead}
        if tls:
            pages.tls, key = _certified(folder)
            settings["accepted_keys"] = [key]
        threading.Thread(target=pages.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        stack.callback(pages.shutdown)
        command = client.run([sys.executable, "-m", "deploy.bench.browser_link"], "--walk")
        command += [f"{'https' if tls else 'http'}://{_SERVER}:{_PORT}", "--settings", json.dumps(settings)]
        walker = programs.start("walker", command, told=True)
        walker.wait_ready()
        yield walker, link


def _certified(folder: Path) -> tuple[ssl.SSLContext, str]:
    """Give a server's side of TLS that no authority knows, and its key as the setting ``accepted_keys`` has it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now, file = datetime.now(UTC), folder / "server.pem"
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
    certificate = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    file.touch(mode=0o600)
    file.write_bytes(certificate + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return context, base64.b64encode(hashlib.sha256(public).digest()).decode()


def _walked(walker: Program, runs: int) -> list[Mapping[str, Mapping[str, float]]]:
    walker.tell({"runs": runs})
    assert walker.process.stdout is not None
    lines = [walker.process.stdout.readline() for _ in range(runs)]
    if not all(lines):
        raise LabError(f"the walk did not succeed: {walker.last_words()}")
    return [json.loads(line) for line in lines]


def _walk(url: str, settings: Mapping[str, object]) -> None:
    """Walk, in this namespace, as often as told; print seconds and phases of each run's steps."""
    journey = parse(_JOURNEY.replace('base_url: ""', f"base_url: {url}"), Path("browser_link.yaml"))
    driver = PLUGIN.configured(settings)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        for _ in range(json.loads(line)["runs"]):
            run = walk(journey, driver, _PLACE, slot=datetime.now(UTC), secrets={}, variables={})
            if run.outcome not in MEASURED:
                raise LabError(f"{run.steps[-1].error_kind}: {run.steps[-1].error}")
            found = {step.step: {**step.phases, "seconds": step.seconds} for step in run.steps}
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="browser_link", description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--tls", action="store_true", help="over TLS, its handshake apart")
    parser.add_argument("--ahead", action="store_true", help="let the browser connect ahead of need")
    parser.add_argument("--walk", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--settings", type=json.loads, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.walk:
        _walk(chosen.walk, chosen.settings)
        return
    row = measure(delay_milliseconds=DELAY_MILLISECONDS, runs=chosen.runs, tls=chosen.tls, ahead=chosen.ahead)
    if chosen.json:
        sys.stdout.write(json.dumps(asdict(row)) + "\n")
    else:
        for name, value in asdict(row).items():
            if value is None:
                continue
            sys.stdout.write(f"{name:>26} {value:8.1f}\n")
    sys.exit(0 if row.right else 1)


if __name__ == "__main__":
    main()
