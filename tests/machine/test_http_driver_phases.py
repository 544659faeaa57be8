"""Laws of the phases, whatever the server's pauses are."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.model.access import Access, Link, Presentation
from collector.model.run import Outcome, Phase
from probes.drivers.http.plugin import PLUGIN
from probes.journey.file import parse
from probes.walk import Place, walk
from tests.sites import raw

pytestmark = pytest.mark.integration

PLACE = Place(site="council", endpoint="desk-1", access=Access(link=Link.WIRED, presentation=Presentation.LOCAL))
PAUSES = st.tuples(st.integers(0, 15), st.integers(0, 15))  # milliseconds before the first byte, and before the rest


def pausing(connection: socket.socket) -> None:
    """Answer ``/first/rest`` with these pauses in milliseconds."""
    while request := raw.request_of(connection):
        first, rest = (int(part) / 1000 for part in request.split(b" ")[1].strip(b"/").split(b"/"))
        time.sleep(first)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
        time.sleep(rest)
        connection.sendall(b"k")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with raw.serving(pausing) as listening:
        yield listening


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pauses=st.lists(PAUSES, min_size=1, max_size=4))
def test_phases_add_up_to_the_step_within_its_uncertainty(port: int, pauses: list[tuple[int, int]]) -> None:
    requests = ", ".join(f"{{path: /{first}/{rest}}}" for first, rest in pauses)
    journey = parse(
        f"name: day\nvariables: {{base_url: 'http://127.0.0.1:{port}'}}\nsteps: [{{step: a, requests: [{requests}]}}]",
        Path("day.yaml"),
    )
    driver = PLUGIN.configured({"proxy": "none"})
    step = walk(journey, driver, PLACE, slot=datetime.now(UTC), secrets={}, variables={}).steps[0]
    assert step.outcome is Outcome.OK, step.error
    assert step.seconds is not None
    assert step.uncertainty_seconds is not None
    together = sum(step.phases.values())
    assert together <= step.seconds + 1e-9
    assert step.seconds <= together + step.uncertainty_seconds + 1e-9
    assert step.requests == len(pauses)
    # A server's pause can only be measured as longer than it was asked for, never as shorter.
    assert step.phases[Phase.PROCESSING] >= sum(first for first, _ in pauses) / 1000
    assert step.seconds >= sum(first + rest for first, rest in pauses) / 1000
