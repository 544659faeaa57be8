"""What the outbox keeps reaches the real collector once, in order and with its own times, whatever was in the way."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from collector.model.layer import Layer
from collector.model.sample import Sample
from probes.agent import delivery, wire
from probes.agent.delivery import Delivery, Sender, Standing
from probes.agent.outbox import Kind, Outbox
from probes.doors import DoorError, Doors
from tests.agents.rig import LiveCollector, live_collector, wait_until

pytestmark = pytest.mark.integration
PAST = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def sample(number: int) -> str:
    return wire.sample_json(
        Sample(
            site="test", component="app-1", layer=Layer.APP_SERVER, metric="system.paging.in",
            at=PAST + timedelta(seconds=number), value=float(number),
        )
    )  # fmt: skip


def describe(loss: Any) -> str:
    return wire.loss_json(loss, site="test", endpoint="desk-1")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    box = Outbox(tmp_path / "state", limit_bytes=1 << 20)
    yield box
    box.close()


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[LiveCollector]:
    with live_collector(tmp_path / "collector") as live:
        yield live


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PERIOD_SECONDS", 0.1)
    monkeypatch.setattr(delivery, "FIRST_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(delivery, "LONGEST_WAIT_SECONDS", 0.1)


@contextmanager
def sending(outbox: Outbox, sender: Callable[[], Sender]) -> Iterator[Delivery]:
    thread = Delivery(outbox, sender, describe_loss=describe)
    thread.start()
    try:
        yield thread
    finally:
        thread.stop(wait_seconds=5.0)


@pytest.fixture
def enrolled(collector: LiveCollector) -> Iterator[Sender]:
    first = Doors(collector.url)
    agent_id, token = first.enrol(collector.invite("desk-1"))
    first.close()
    doors = Doors(collector.url, token=lambda: token)
    yield Sender(agent_id=agent_id, doors=doors)
    doors.close()


def test_what_was_measured_while_the_collector_was_away_arrives_with_its_own_times(
    outbox: Outbox, collector: LiveCollector, enrolled: Sender
) -> None:
    collector.stop()
    with sending(outbox, lambda: enrolled) as thread:
        for number in range(5):
            outbox.put(Kind.SAMPLES, [sample(number)])
        wait_until(lambda: thread.standing is Standing.WAITING)
        collector.start()
        wait_until(lambda: outbox.waiting() == 0)
        assert thread.standing is Standing.FINE
    rows = collector.rows("samples")
    assert [(row["value"], row["at"].replace(tzinfo=UTC)) for row in rows] == [
        (float(number), PAST + timedelta(seconds=number)) for number in range(5)
    ]
    assert enrolled.doors.skew is not None
    assert abs(enrolled.doors.skew.seconds) < 1.0


def test_a_batch_whose_answer_was_lost_is_stored_once(
    outbox: Outbox, collector: LiveCollector, enrolled: Sender
) -> None:
    outbox.put(Kind.SAMPLES, [sample(1)])
    batch = outbox.seal(enrolled.agent_id)
    assert batch is not None
    enrolled.doors.send(batch.kind, wire.body(batch, now=PAST))  # and the agent died here
    with sending(outbox, lambda: enrolled):
        wait_until(lambda: outbox.waiting() == 0)
    assert len(collector.rows("samples")) == 1


def test_a_refused_batch_does_not_stop_the_others(
    tmp_path: Path, outbox: Outbox, collector: LiveCollector, enrolled: Sender
) -> None:
    wrong = json.loads(sample(1)) | {"layer": "nowhere"}
    outbox.put(Kind.SAMPLES, [json.dumps(wrong)])
    assert outbox.seal(enrolled.agent_id) is not None
    outbox.put(Kind.SAMPLES, [sample(2)])
    with sending(outbox, lambda: enrolled):
        wait_until(lambda: outbox.waiting() == 0)
    assert [row["value"] for row in collector.rows("samples")] == [2.0]
    (aside,) = (tmp_path / "state" / "refused").iterdir()
    assert "422" in json.loads(aside.read_text())["reason"]


def test_a_token_that_is_not_accepted_stops_sending_until_enrolled_again(
    outbox: Outbox, collector: LiveCollector, enrolled: Sender
) -> None:
    current = [enrolled]
    with sending(outbox, lambda: current[0]) as thread:
        collector.registry.revoke(enrolled.agent_id, now=datetime.now(UTC))
        outbox.put(Kind.SAMPLES, [sample(1)])
        wait_until(lambda: thread.standing is Standing.UNAUTHORISED)
        assert outbox.waiting() == 1
        anew = Doors(collector.url)
        agent_id, token = anew.enrol(collector.invite("desk-1"))
        doors = Doors(collector.url, token=lambda: token)
        current[0] = Sender(agent_id=agent_id, doors=doors)
        wait_until(lambda: outbox.waiting() == 0)
    assert thread.standing is Standing.FINE
    assert len(collector.rows("samples")) == 1
    anew.close()
    doors.close()


def test_dropped_rows_are_reported_as_a_fact(tmp_path: Path, collector: LiveCollector, enrolled: Sender) -> None:
    small = Outbox(tmp_path / "small", limit_bytes=1 << 16)
    small.put(Kind.SAMPLES, [sample(number) for number in range(1000)])
    with sending(small, lambda: enrolled):
        wait_until(lambda: small.waiting() == 0)
    small.close()
    rows = collector.rows("samples")
    kept = [row["value"] for row in rows if row["metric"] == "system.paging.in"]
    (lost,) = [row for row in rows if row["metric"] == "agent.outbox.dropped"]
    assert lost["value"] + len(kept) == 1000
    assert kept == [float(number) for number in range(1000 - len(kept), 1000)]
    assert json.loads(lost["labels"])["kind"] == "samples"


@contextmanager
def answering(answers: list[tuple[int, dict[str, str]]]) -> Iterator[tuple[str, list[float]]]:
    """Serve the given answers, one per request, then 204; note when each request came."""
    came: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            came.append(time.monotonic())
            status, headers = answers.pop(0) if answers else (204, {})
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", came
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_full_collector_says_when_to_come_back_and_is_believed(outbox: Outbox) -> None:
    with answering([(503, {"Retry-After": "1"})]) as (url, came):
        doors = Doors(url, token=lambda: "token")
        outbox.put(Kind.SAMPLES, [sample(1)])
        with sending(outbox, lambda: Sender(agent_id="agent-1", doors=doors)):
            wait_until(lambda: outbox.waiting() == 0)
        doors.close()
    assert len(came) == 2
    assert came[1] - came[0] >= 1.0


@pytest.mark.parametrize("status", [200, 302, 404, 405, 502])
def test_only_the_collector_can_say_that_a_batch_is_stored_or_never_will_be(outbox: Outbox, status: int) -> None:
    with answering([(status, {"Content-Type": "text/html"})] * 2) as (url, came):  # a portal, a proxy, a wrong address
        doors = Doors(url, token=lambda: "token")
        outbox.put(Kind.SAMPLES, [sample(1)])
        with sending(outbox, lambda: Sender(agent_id="agent-1", doors=doors)):
            wait_until(lambda: outbox.waiting() == 0)
        doors.close()
    assert len(came) == 3, "kept and sent again until there was a 204"


def test_a_clock_that_differs_is_measured_from_the_middle_of_the_request() -> None:
    theirs = f"{time.time() - 120.0:.6f}"
    with answering([(204, {"X-Whichlayer-Time": theirs})]) as (url, _):
        doors = Doors(url)
        doors.send("samples", b"{}")
        doors.close()
    assert doors.skew is not None
    assert doors.skew.seconds == pytest.approx(120.0, abs=1.0)
    assert doors.skew.uncertainty_seconds > 0


def test_an_address_that_is_no_collector_is_named() -> None:
    with answering([(200, {})]) as (url, _):
        doors = Doors(url)
        with pytest.raises(DoorError, match="does not answer with JSON: check the address"):
            doors.enrol("code")
        doors.close()
