"""The agent inside ``whichlayer up``: enrolled by itself, heard, gone with its owner."""

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.registry import Scope
from collector.store import Slice
from tests.doors.owner import alive, children, configuration, owner
from whichlayer.data import opened
from whichlayer.settings import load

pytestmark = pytest.mark.integration
EVER = Slice(start=datetime(2000, 1, 1, tzinfo=UTC), end=datetime(2100, 1, 1, tzinfo=UTC))
LOCAL_AGENT = """
agent:
  endpoint: {}
  samplers:
    - {{sampler: host, component: here, every: 1 s, settings: {{role: endpoint}}}}
"""


def wait_for_samples(config: Path, *, more_than: int) -> int:
    deadline = time.monotonic() + 60
    rows = 0
    while rows <= more_than and time.monotonic() < deadline:
        time.sleep(0.5)
        with opened(load(config).collector) as (store, _registry):
            rows = store.scan("samples", EVER).num_rows
    return rows


def test_the_local_agent_is_enrolled_sends_and_ends_with_the_owner(tmp_path: Path) -> None:
    config = configuration(tmp_path, LOCAL_AGENT.format("here-1"))
    with owner(config) as running:
        running.ready()
        rows = wait_for_samples(config, more_than=0)
        assert rows, running.log.read_text()
        time.sleep(2.5)  # it has new rows, which would wait ten seconds
        below = children(running.process.pid)
        assert running.stop() == 0
        assert alive(below) == set()
    with closing(sqlite3.connect(tmp_path / "whichlayer-agent" / "outbox.sqlite")) as outbox:
        assert outbox.execute("SELECT count(*) FROM row").fetchone() == (0,), "handed over before the doors closed"


def test_an_endpoint_with_a_new_name_is_enrolled_again(tmp_path: Path) -> None:
    for name in ("here-1", "here-2", "here-2"):
        with owner(configuration(tmp_path, LOCAL_AGENT.format(name))) as running:
            running.ready()
            assert running.stop() == 0
    with opened(load(tmp_path / "whichlayer.yaml").collector) as (_store, registry):
        agents = registry.agents()
    assert [agent.endpoint for agent in agents if agent.scope is Scope.AGENT] == ["here-1", "here-2"]
