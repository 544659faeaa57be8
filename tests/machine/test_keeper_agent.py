"""A session held open by the agent as it is started: its life reaches the collector, and its account is leased."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents.held import JOURNEY
from tests.agents.rig import LiveCollector, live_collector, wait_until
from tests.sites.casebook import PASSWORD, Casebook, serving
from whichlayer.agent import enrol_agent, running

pytestmark = pytest.mark.integration
PLAN = """\
site: test
agent:
  endpoint: desk-1
  state: state
  environment: training
  collector: {{url: "{collector}"}}
  budget: {{logons_per_hour: 3600, writes_per_hour: 7200}}
  sessions:
    - file: held.yaml
      account: probe-held
      active: look
      every: 1 s
      again: 1 s
      hours: 00:00-24:00
      days: [mon, tue, wed, thu, fri, sat, sun]
      secrets: {{username: env:WL_USER, password: env:WL_PASSWORD}}
      variables: {{base_url: "{site}"}}
      settings: {{proxy: none}}
      ended_by: {{admin: {{text: an administrator ended}}}}
      sentinel: {{safe_record: WHICHLAYER SAFE RECORD, open: open, save: save, leave: draft, every: 1 s}}
"""


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[LiveCollector]:
    with live_collector(tmp_path / "collector") as live:
        yield live


def test_the_life_of_a_session_reaches_the_collector(
    collector: LiveCollector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WL_USER", "probe")
    monkeypatch.setenv("WL_PASSWORD", PASSWORD)
    config, stop = tmp_path / "whichlayer.yaml", threading.Event()
    (tmp_path / "held.yaml").write_text(JOURNEY)
    with serving(Casebook()) as site:
        config.write_text(PLAN.format(collector=collector.url, site=site.url))
        enrol_agent(config, collector.invite("desk-1"))
        with running(config) as agent:
            thread = threading.Thread(target=agent.run, args=(stop,))
            thread.start()
            wait_until(lambda: any(row["kind"] == "alive" for row in collector.rows("sessions")))
            (account,) = collector.registry.accounts()
            assert (account.name, account.held_by is not None) == ("probe-held", True)
            site.end_sessions("an administrator ended this session")
            wait_until(lambda: any(row["kind"] == "read_back" for row in collector.rows("sessions")))
            stop.set()
            thread.join(15)
    rows = collector.rows("sessions")
    ends = [row["cause"] for row in rows if row["kind"] == "ended"]
    assert ends == ["admin", "user"]
    assert {(row["journey"], row["environment"], row["endpoint"]) for row in rows} == {("held", "training", "desk-1")}
    (told,) = (row for row in rows if row["kind"] == "read_back")
    assert told["saved_work"] == "kept"
    assert told["unsaved_work"] in {"kept", None}  # None: it had saved, and not yet left anything
    (account,) = collector.registry.accounts()
    assert account.held_by is None, "given back when the agent stopped"
    assert PASSWORD not in str(rows)
