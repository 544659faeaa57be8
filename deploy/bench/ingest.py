"""How many facts a second the collector acknowledges as durable, from 1, 10 and 100 agents.

Starts a real ``whichlayer up`` on a data folder of its own and sends from threads of this process,
so the clients share the machine: the numbers are what both sides together reach.

usage: python -m deploy.bench.ingest [--seconds 4] [--agents 1,10,100] [--rows 200] [--json]
"""

import argparse
import http.client
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from collector.registry import Scope
from whichlayer.data import opened
from whichlayer.owner import OWNER
from whichlayer.settings import Settings, load

_START_SECONDS = 60.0
Body = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One row of the table. Rows are step timings for runs and data points for OTLP."""

    door: str
    agents: int
    rows_per_second: float
    batches_per_second: float
    median_ms: float
    p99_ms: float


@dataclass(slots=True)
class Agent:
    """One sender with a connection of its own."""

    number: int
    token: str
    seconds: list[float] = field(default_factory=list)

    def send(self, url: str, path: str, kind: str, body: Body, until: float) -> None:
        """Send one batch after the other until the time is up; every one must be acknowledged."""
        address = urlsplit(url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        sequence = time.time_ns()
        while (began := time.perf_counter()) < until:
            sequence += 1
            connection.request("POST", path, body(self.number, sequence), headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status not in {200, 204}:
                raise RuntimeError(f"{path} answered {answer.status}: {text[:300]!r}")
            self.seconds.append(time.perf_counter() - began)
        connection.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each line is measured")
    parser.add_argument("--agents", default="1,10,100", help="how many agents send at once")
    parser.add_argument("--rows", type=int, default=200, help="rows in one batch")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args()
    counts = [int(count) for count in asked.agents.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        results = _measure(Path(folder), counts, asked.seconds, asked.rows)
    if asked.json:
        print(json.dumps([asdict(result) for result in results]))  # noqa: T201
        return
    print(f"{'door':12} {'agents':>6} {'rows/s':>9} {'batches/s':>9} {'median ms':>9} {'p99 ms':>8}")  # noqa: T201
    for row in results:
        print(  # noqa: T201
            f"{row.door:12} {row.agents:>6} {row.rows_per_second:>9.0f} {row.batches_per_second:>9.0f} "
            f"{row.median_ms:>9.1f} {row.p99_ms:>8.1f}"
        )


def _measure(folder: Path, counts: Sequence[int], seconds: float, rows: int) -> list[Result]:
    config = folder / "whichlayer.yaml"
    config.write_text("site: bench\ncollector: {data: data, port: 0}\nanalysis: {interval_seconds: 3600}\n")
    settings = load(config)
    with (folder / "log").open("wb") as log:
        owner = subprocess.Popen(
            [sys.executable, "-m", "whichlayer", "up", "--config", str(config)], stdout=log, stderr=log
        )
    try:
        url = url_of(settings.collector.data / OWNER)
        given = tokens(settings, max(counts))
        doors = {
            "runs JSON": ("/v1/runs", "application/json", runs(rows)),
            "OTLP metrics": ("/v1/metrics", "application/x-protobuf", _points(rows)),
        }
        results = []
        for name, (path, kind, body) in doors.items():
            _send(url, path, kind, body, given[:1], 1.0)  # the decoder process starts at its first work
            for count in counts:
                took = _send(url, path, kind, body, given[:count], seconds)
                results.append(_result(name, count, rows, took, seconds))
        return results
    finally:
        owner.send_signal(signal.SIGTERM)
        owner.wait(60)


def _send(url: str, path: str, kind: str, body: Body, tokens: Sequence[str], seconds: float) -> list[float]:
    agents = [Agent(number, token) for number, token in enumerate(tokens)]
    until = time.perf_counter() + seconds
    threads = [threading.Thread(target=agent.send, args=(url, path, kind, body, until)) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(second for agent in agents for second in agent.seconds)


def _result(door: str, agents: int, rows: int, took: list[float], seconds: float) -> Result:
    return Result(
        door=door,
        agents=agents,
        rows_per_second=round(len(took) * rows / seconds),
        batches_per_second=round(len(took) / seconds, 1),
        median_ms=round(took[len(took) // 2] * 1000, 2),
        p99_ms=round(took[int(len(took) * 0.99)] * 1000, 2),
    )


def url_of(file: Path) -> str:
    """Wait for the collector that writes ``file``; give its address."""
    deadline = time.monotonic() + _START_SECONDS
    while not file.exists():
        if time.monotonic() > deadline:
            raise RuntimeError("whichlayer up did not start")
        time.sleep(0.05)
    return str(json.loads(file.read_text())["url"])


def tokens(settings: Settings, count: int) -> list[str]:
    """Enrol ``count`` senders of one endpoint; give their tokens."""
    now = datetime.now(UTC)
    made = []
    with opened(settings.collector) as (_store, registry):
        for _ in range(count):
            given = registry.enrol(registry.invite("bench", scope=Scope.AGENT, now=now), now=now)
            assert given is not None
            made.append(given.token)
    return made


def runs(rows: int) -> Body:
    """Make batches of runs of five steps, ``rows`` steps in all."""
    now = datetime.now(UTC).isoformat()
    steps: list[dict[str, object]] = [
        {"step": name, "outcome": "ok", "seconds": 0.42, "phases": {"processing": 0.3, "transfer": 0.1}, "requests": 2}
        for name in ("login", "search", "open", "save", "print")
    ]
    shared: dict[str, object] = {
        "site": "bench",
        "endpoint": "bench",
        "access": {"link": "wifi", "presentation": "local"},
    }
    shared |= {"journey": "case-record", "journey_hash": "0123456789abcdef", "slot": now, "started_at": now}
    shared |= {"seconds": 2.1, "outcome": "ok"}
    one = {**shared, "steps": steps}
    listed = ",".join(json.dumps({"run_id": f"{number:032x}", **one}) for number in range(rows // len(steps)))
    return lambda _agent, sequence: f'{{"sequence": {sequence}, "runs": [{listed}]}}'.encode()


def _points(rows: int) -> Body:
    """Make OTLP requests of ``rows`` gauge points; an empty resource makes each body its own."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.add(key="host.name").value.string_value = "app-1"
    scope = resource.scope_metrics.add()
    for number in range(rows):
        metric = scope.metrics.add(name="system.cpu.utilization")
        point = metric.gauge.data_points.add(time_unix_nano=time.time_ns() + number, as_double=0.4)
        point.attributes.add(key="cpu").value.string_value = str(number)
    fixed = request.SerializeToString()

    def body(agent: int, sequence: int) -> bytes:
        mark = ExportMetricsServiceRequest()
        mark.resource_metrics.add().schema_url = f"{agent}/{sequence}"
        return bytes(fixed + mark.SerializeToString())

    return body


if __name__ == "__main__":
    main()
