"""Two agents and the real collector never lock an account of an application that locks at three."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collector.model.run import Outcome, Run
from probes.account import Accounts, Refusal
from probes.agent.agent import Walker
from probes.agent.plan import Plan, make
from probes.context.standing import Lookout
from probes.doors import Doors
from tests.agents.rig import Casebook, LiveCollector, casebook, live_collector, now_slot, write_plan
from whichlayer.settings import agent_of, places

pytestmark = pytest.mark.integration


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[LiveCollector]:
    with live_collector(tmp_path / "collector") as live:
        yield live


@pytest.fixture
def app() -> Iterator[Casebook]:
    with casebook() as live:
        yield live


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WL_USER", "probe-user")
    monkeypatch.setenv("WL_PASSWORD", "wrong-5521")


class OneAgent:
    """One enrolled agent that walks when it is told, under the rules of the running agent."""

    def __init__(self, folder: Path, app: Casebook, collector: LiveCollector | None, endpoint: str) -> None:
        config = write_plan(folder, app.url, endpoint=endpoint)
        _, settings = agent_of(config)
        self.plan: Plan = make("test", settings, folder, places(config).mistake)
        self.doors: Doors | None = None
        if collector is not None:
            enrolling = Doors(collector.url)
            _, token = enrolling.enrol(collector.invite(endpoint))
            enrolling.close()
            self.doors = Doors(collector.url, token=lambda: token)
        self.accounts = Accounts(settings.state / "accounts", self.doors)
        self.walker = Walker(self.plan, self.accounts, Lookout())

    def close(self) -> None:
        if self.doors is not None:
            self.doors.close()

    def walk(self, patience: float = 0.0) -> Run:
        return self.walker.walk(self.plan.walks[0], now_slot(), patience=patience)


Make = Callable[..., OneAgent]


@pytest.fixture
def make_agent(tmp_path: Path) -> Iterator[Make]:
    made: list[OneAgent] = []

    def one(app: Casebook, collector: LiveCollector | None, endpoint: str = "desk-1") -> OneAgent:
        made.append(OneAgent(tmp_path / endpoint, app, collector, endpoint))
        return made[-1]

    yield one
    for agent in made:
        agent.close()


def test_two_agents_pause_the_account_before_the_application_locks_it(
    make_agent: Make, app: Casebook, collector: LiveCollector
) -> None:
    first = make_agent(app, collector)
    second = make_agent(app, collector, "desk-2")
    assert first.walk().steps[0].error_kind == "authentication"
    assert second.walk().steps[0].error_kind == "authentication"
    for agent in (first, second, first):
        refused = agent.walk()
        assert refused.outcome is Outcome.NOT_READY
        assert refused.steps[0].error_kind == Refusal.PAUSED
    assert len(app.requests) == 2
    assert not app.locked("probe-user")

    app.password = "wrong-5521"  # a person put the account in order, and says so
    collector.registry.resume("probe-1")
    assert first.walk().outcome is Outcome.OK
    assert second.walk().outcome is Outcome.OK


def test_a_success_between_failures_does_not_pause(
    make_agent: Make, app: Casebook, collector: LiveCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = make_agent(app, collector)
    outcomes = []
    for password in ("wrong-5521", app.password, "wrong-5521", app.password):
        monkeypatch.setenv("WL_PASSWORD", password)
        outcomes.append(agent.walk().outcome)
    assert outcomes == [Outcome.FAILED, Outcome.OK, Outcome.FAILED, Outcome.OK]


def test_without_the_collector_one_failure_is_enough_and_is_told_later(
    make_agent: Make, app: Casebook, collector: LiveCollector
) -> None:
    first = make_agent(app, collector)
    second = make_agent(app, collector, "desk-2")
    collector.stop()
    assert first.walk().steps[0].error_kind == "authentication"
    restarted = Walker(first.plan, Accounts(first.plan.settings.state / "accounts", first.doors), Lookout())
    for walker in (first.walker, restarted):
        refused = walker.walk(first.plan.walks[0], now_slot(), patience=0.0)
        assert refused.steps[0].error_kind == Refusal.UNHEARD
    collector.start()
    assert first.walk().steps[0].error_kind == "authentication"  # the collector has heard of one, and allows one more
    assert second.walk().steps[0].error_kind == Refusal.PAUSED
    assert len(app.requests) == 2
    assert not app.locked("probe-user")


def test_without_the_collector_a_good_account_goes_on(
    make_agent: Make, app: Casebook, collector: LiveCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WL_PASSWORD", app.password)
    agent = make_agent(app, collector)
    assert agent.walk().outcome is Outcome.OK
    collector.stop()
    assert [agent.walk().outcome for _ in range(2)] == [Outcome.OK, Outcome.OK]
    collector.start()
    assert agent.walk().outcome is Outcome.OK


def test_a_release_that_was_not_heard_does_not_keep_the_account_busy(
    make_agent: Make, app: Casebook, collector: LiveCollector
) -> None:
    agent = make_agent(app, collector)
    with agent.accounts.use("probe-1", seconds=600.0, patience=0.0) as use:
        assert use.refusal is None
        collector.stop()
    collector.start()
    with agent.accounts.use("probe-1", seconds=600.0, patience=0.0) as use:
        assert use.refusal is None


def test_an_agent_without_a_collector_pauses_after_two_until_a_person_resumes(make_agent: Make, app: Casebook) -> None:
    agent = make_agent(app, None)
    kinds = [agent.walk().steps[0].error_kind for _ in range(4)]
    assert kinds == ["authentication", "authentication", Refusal.PAUSED, Refusal.PAUSED]
    assert len(app.requests) == 2
    agent.accounts.forget("probe-1")
    assert agent.walk().steps[0].error_kind == "authentication"


def test_one_account_is_never_in_two_runs_at_once(
    make_agent: Make, collector: LiveCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    with casebook(delay=0.3) as app:
        monkeypatch.setenv("WL_PASSWORD", app.password)
        agents = [make_agent(app, collector, name) for name in ("desk-1", "desk-2")]
        runs: list[Run] = []
        walks = [
            threading.Thread(target=lambda one=one: runs.append(one.walk(patience=8.0))) for one in (*agents, *agents)
        ]
        for walk in walks:
            walk.start()
        for walk in walks:
            walk.join(30)
        outcomes = [run.outcome for run in runs]
        assert len(outcomes) == 4
        assert app.most_inside == 1
        assert len(app.requests) == outcomes.count(Outcome.OK) >= 2
        assert {run.steps[0].error_kind for run in runs if run.outcome is Outcome.NOT_READY} <= {Refusal.BUSY}


def test_a_collector_that_was_never_there_allows_one_failure(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    doors = Doors(f"http://127.0.0.1:{port}", token=lambda: "t")
    accounts = Accounts(tmp_path, doors)
    with accounts.use("probe-1", seconds=60.0, patience=0.0) as use:
        assert use.refusal is None
        use.authenticated = False
    with accounts.use("probe-1", seconds=60.0, patience=0.0) as use:
        assert use.refusal is Refusal.UNHEARD
    doors.close()
