"""Does the browser driver put what a link adds where it belongs? Walks over a real link, without and with a delay.

``python -m deploy.bench.browser_link [--runs 20] [--json]``. Required with +25 ms each way: the answer to a request
takes 50 ms more within 3 ms, and the connection no more than that (medians): a browser begins a connection ahead of
need, so that a page waits for less than all of it. Exit code 1 if they do not.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

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
    processing_added_ms: float
    again_processing_added_ms: float
    whole_added_ms: float

    @property
    def right(self) -> bool:
        """Say whether each lies within what is required of one way there and one back."""
        there_and_back = 2 * self.delay_ms
        answers = (self.processing_added_ms, self.again_processing_added_ms)
        exact = all(abs(one - there_and_back) <= ALLOWED_MILLISECONDS for one in answers)
        return exact and 0 < self.connect_added_ms <= there_and_back + ALLOWED_MILLISECONDS


def measure(*, delay_milliseconds: float, runs: int) -> Row:
    """Walk ``runs`` times without and with the delay. Raises LabError where namespaces or TUN cannot be had."""
    problem = cannot_open(TUN)
    if problem is not None:
        raise LabError(problem)
    with _link() as (walker, link):
        before = _walked(walker, runs)
        link.tell({"delay": delay_milliseconds})
        after = _walked(walker, runs)

    def added(step: str, key: str) -> float:
        return (_median(after, step, key) - _median(before, step, key)) * 1e3

    return Row(
        runs=runs,
        delay_ms=delay_milliseconds,
        connect_added_ms=added("first", Phase.CONNECT),
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


@contextmanager
def _link() -> Iterator[tuple[Program, Program]]:
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
        listener = stack.enter_context(server.listen(_PORT, _SERVER))
        pages = ThreadingHTTPServer((_SERVER, _PORT), _Page, bind_and_activate=False)
        pages.socket.close()
        pages.socket = listener
        pages.daemon_threads = True
        threading.Thread(target=pages.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        stack.callback(pages.shutdown)
        command = client.run([sys.executable, "-m", "deploy.bench.browser_link"], "--walk", f"http://{_SERVER}:{_PORT}")
        walker = programs.start("walker", command, told=True)
        walker.wait_ready()
        yield walker, link


def _walked(walker: Program, runs: int) -> list[Mapping[str, Mapping[str, float]]]:
    walker.tell({"runs": runs})
    assert walker.process.stdout is not None
    lines = [walker.process.stdout.readline() for _ in range(runs)]
    if not all(lines):
        raise LabError(f"the walk did not succeed: {walker.last_words()}")
    return [json.loads(line) for line in lines]


def _walk(url: str) -> None:
    """Walk, in this namespace, as often as told; print seconds and phases of each run's steps."""
    journey = parse(_JOURNEY.replace('base_url: ""', f"base_url: {url}"), Path("browser_link.yaml"))
    driver = PLUGIN.configured({"proxy": "none"})
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
    parser.add_argument("--walk", metavar="URL", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.walk:
        _walk(chosen.walk)
        return
    row = measure(delay_milliseconds=DELAY_MILLISECONDS, runs=chosen.runs)
    if chosen.json:
        sys.stdout.write(json.dumps(asdict(row)) + "\n")
    else:
        for name, value in asdict(row).items():
            sys.stdout.write(f"{name:>26} {value:8.1f}\n")
    sys.exit(0 if row.right else 1)


if __name__ == "__main__":
    main()
