"""Alerts over one afternoon of runs: what opens and ends them, who is told of it, and how often."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analysis.alerting.job import Alerting
from analysis.alerting.observe import observe
from analysis.alerting.rule import BudgetRule, Burn, Limit, Rule, RunsRule, SilenceRule, VerdictRule
from analysis.alerting.settings import AlertSettings, Channel, Maintenance, Weekly
from analysis.alerting.turns import Turn
from analysis.window import Window
from collector.model.alert import AlertState, ChangeKind, Message, Notice, Subject
from collector.model.change import Change
from collector.model.layer import Layer
from collector.model.run import Outcome, Run, StepTiming
from collector.model.verdict import Reference, Status, Verdict
from collector.registries.database import DatabaseRegistry
from collector.rows import run_tables, sample_table
from dashboards import alert_words
from tests.browser.scene import WIFI, make_run, slow
from tests.worlds.generator import window_of

BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)
OK, SLOW, FAILED, CUT = 0.4, 3.0, "failed", "cut"
Walk = float | str | None


def walked(number: int, what: Walk, endpoint: str = "desk-1") -> Run:
    """One run of one step, ``number`` minutes after BEGIN: seconds, or how it failed (cut off after 2 s)."""
    if what == FAILED:
        step = StepTiming(step="save", outcome=Outcome.FAILED, target_seconds=1.0)
    elif what == CUT:
        step = StepTiming(step="save", outcome=Outcome.TIMEOUT, seconds=2.0, censored=True, target_seconds=1.0)
    else:
        step = StepTiming(step="save", outcome=Outcome.OK, seconds=float(str(what)), target_seconds=1.0)
    slot = BEGIN + number * MINUTE
    run = make_run(f"{number:016x}{abs(hash(endpoint)) % 16**12:016x}", slot, WIFI, (step,))
    return replace(run, endpoint=endpoint, outcome=step.outcome)


def seen_until(runs: Sequence[Run], now: datetime, changes: Sequence[Change] = ()) -> Window:
    known = [run for run in runs if run.slot < now]
    window = window_of(run_tables(known)["steps"], sample_table([]), 1.0)
    return replace(window, start=now - 15 * MINUTE, end=now, history_start=BEGIN - 6 * 60 * MINUTE, changes=changes)


class Day:
    """A registry, and the minutes of a day with an evaluation at each."""

    def __init__(self, registry: DatabaseRegistry, *rules: Rule, **settings: object) -> None:
        self.registry = registry
        given = {"rules": rules, "to": (Channel(kind="email"),)} | settings
        self.settings = AlertSettings(**given)  # type: ignore[arg-type]
        self.alerting = Alerting(settings=self.settings, write=written)
        self.runs: list[Run] = []
        self.states: list[str] = []
        self.changes: list[Change] = []
        self.verdicts: list[Verdict] = []

    def live(self, walks: Sequence[Walk], endpoint: str = "desk-1") -> list[str]:
        """Walk once a minute (None: no run), evaluate after each; give the states of these minutes."""
        first = len(self.states)
        for what in walks:
            number = len(self.states)
            if what is not None:
                self.runs.append(walked(number, what, endpoint))
            self.evaluate(BEGIN + (number + 0.5) * MINUTE)
        return self.states[first:]

    def walk(self, walks: Sequence[Walk]) -> str:
        """Walk once a minute, evaluate after the last; give its state."""
        for what in walks[:-1]:
            if what is not None:
                self.runs.append(walked(len(self.states), what))
            self.states.append("")
        return self.live(walks[-1:])[-1]

    def evaluate(self, now: datetime) -> None:
        window = seen_until(self.runs, now, self.changes)
        seen = observe(window, self.verdicts, self.settings, now=now)
        self.alerting.conclude(self.registry, seen, self.verdicts, self.changes, now)
        self.states.append(" ".join(str(alert.state) for alert in self.registry.alerts()))

    @property
    def told(self) -> list[str]:
        return [f"{one.message.kind}:{one.message.state}" for one in reversed(self.registry.notices())]


def written(kind: ChangeKind, state: AlertState, turns: Sequence[Turn], at: datetime) -> Message:
    changed = [(turn.alert, turn.before, turn.verdict) for turn in turns]
    return alert_words.message(kind, state, changed, at, address="https://pages.test")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[DatabaseRegistry]:
    opened = DatabaseRegistry(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    yield opened
    opened.close()


TIERS = Rule(name="save", runs=RunsRule(warning=Limit(times_target=1.5), critical=Limit(seconds=5.0), bad=3, of=5))


def test_tiers_open_end_and_are_told_once(registry: DatabaseRegistry) -> None:
    day = Day(registry, TIERS)
    assert day.live([OK, OK, OK]) == ["not_enough_evidence"] * 2 + ["ok"]
    assert day.live([SLOW, OK, SLOW, SLOW]) == ["ok", "ok", "ok", "warning"]
    assert day.live([9.0, 9.0, 9.0])[-1] == "critical"
    assert day.live([SLOW] * 4) == ["critical"] * 3 + ["warning"]
    assert day.live([OK] * 4) == ["warning"] * 3 + ["ok"]
    assert day.told == ["opened:warning", "worse:critical", "better:warning", "recovered:ok"]
    assert len({one.notice_id for one in registry.notices()}) == 4
    assert len({one.message.thread for one in registry.notices()}) == 1, "mails of one life are one thread"


def test_a_restart_tells_nothing_again(registry: DatabaseRegistry) -> None:
    day = Day(registry, TIERS)
    day.live([OK, SLOW, SLOW, SLOW])
    day.alerting = Alerting(settings=day.settings, write=written)
    day.live([SLOW, SLOW])
    assert day.told == ["opened:warning"]


def test_what_was_cut_off_took_at_least_so_long(registry: DatabaseRegistry) -> None:
    runs = RunsRule(warning=Limit(seconds=1.5), critical=Limit(seconds=5.0), failures="apart")
    day = Day(registry, Rule(name="save", runs=runs))
    assert day.live([OK, OK, OK, CUT, CUT, CUT])[-1] == "warning"  # 2 s at least is above 1.5 s; above 5 s nobody knows
    (alert,) = registry.alerts()
    assert (alert.ground.bad, alert.ground.runs, alert.ground.needed) == (3, 5, 3)
    day.settings = AlertSettings(rules=(TIERS,))
    day.live([FAILED] * 3)
    (alert,) = registry.alerts()
    assert alert.state is AlertState.CRITICAL  # unless told otherwise, a run that failed is bad for every tier


def test_silence_is_its_own_state(registry: DatabaseRegistry) -> None:
    day = Day(registry, TIERS, Rule(name="silence", silence=SilenceRule()))
    assert day.live([SLOW] * 3)[-1] == "warning ok"
    assert day.walk([None] * 14) == "warning ok"
    assert day.walk([None] * 3) == "stale stale"
    assert set(day.told[1:]) == {"stale:stale"}
    assert day.live([OK] * 2) == ["warning ok", "warning ok"]  # two good runs are not enough to end it
    assert day.walk([OK] * 4) == "ok ok"
    assert day.told[-1] == "recovered:ok"
    day.evaluate(BEGIN + timedelta(days=8))
    assert registry.alerts() == []  # not heard for a week: watched no more
    assert day.told[-1] == "recovered:ok"


def test_k_of_n_places(registry: DatabaseRegistry) -> None:
    runs = RunsRule(critical=Limit(failed=True), bad=1, of=1, places=2, of_places=3)
    day = Day(registry, Rule(name="down", runs=runs))
    for endpoint in ("desk-1", "desk-2"):
        day.live([FAILED], endpoint)
    assert day.states[-1] == "not_enough_evidence"  # two places are heard, and it is to be two of at least three
    assert day.live([OK], "desk-3")[-1] == "critical"
    assert day.live([OK], "desk-2")[-1] == "ok"
    assert "2 of 3 places" in registry.notices()[-1].message.text


@pytest.mark.parametrize(("choice", "states", "told"), [
    ("count", "critical", ["opened:critical"]),
    ("show", "maintenance", ["opened:critical"]),
    ("ignore", "maintenance", []),
])  # fmt: skip
def test_maintenance_counts_as_chosen(registry: DatabaseRegistry, choice: str, states: str, told: list[str]) -> None:
    weekly = Weekly(days=("mon",), start="08:58", end="09:05", zone="Europe/London")  # type: ignore[arg-type]
    day = Day(registry, DOWN, maintenance=Maintenance(choice=choice, weekly=(weekly,)))  # type: ignore[arg-type]
    assert day.live([FAILED] * 5)[-1] == states
    assert registry.alerts()[0].counting.endswith(f"maintenance: {choice}")
    day.live([OK])
    assert day.told == told
    day.changes = [maintenance(BEGIN + 6 * MINUTE)]
    assert day.live([FAILED] * 3)[-1] == states


DOWN = Rule(name="down", runs=RunsRule(critical=Limit(failed=True), bad=3, of=3))


def maintenance(start: datetime) -> Change:
    return Change(
        change_id="m1", site="town", what="patches", layer=Layer.APP_SERVER, start=start, maintenance=True,
        declared_by="p", declared_at=start,
    )  # fmt: skip


@pytest.mark.parametrize("unit", ["runs", "minutes"])
def test_a_budget_burns_fast_and_slow(registry: DatabaseRegistry, unit: str) -> None:
    burns = (
        Burn(rate=10, long=600, short=120, tier="critical"),
        Burn(rate=2, long=3600, short=600, tier="warning"),
    )
    budget = BudgetRule(goal=0.95, burns=burns, least=5, unit=unit)  # type: ignore[arg-type]
    day = Day(registry, Rule(name="promise", budget=budget))
    assert day.walk([OK] * 20) == "ok"
    assert day.walk([SLOW] * 4) == "warning"  # 4 of 24 bad at a goal of 5 %: 3.3 times too fast, 8 over ten minutes
    assert day.live([SLOW])[-1] == "critical"
    assert day.walk([OK, OK, OK]) == "warning"  # the short window has ended it
    assert "95 % of" in registry.notices()[-1].message.text
    assert day.walk([OK] * 20) == "ok"


def test_what_a_budget_counted_outlives_the_runs_that_are_read(registry: DatabaseRegistry) -> None:
    budget = BudgetRule(goal=0.9, burns=(Burn(rate=2, long=7200, short=60, tier="warning"),), least=5)
    day = Day(registry, Rule(name="promise", budget=budget))
    day.walk([SLOW] * 30 + [OK] * 30)
    (alert,) = registry.alerts()
    assert (alert.ground.bad, alert.ground.runs) == (30, 60)
    now = BEGIN + 60.5 * MINUTE
    shorter = replace(seen_until([run for run in day.runs if run.slot >= BEGIN + 40 * MINUTE], now))
    seen = observe(replace(shorter, history_start=BEGIN + 40 * MINUTE), [], day.settings, now=now)
    Alerting(settings=day.settings, write=written).conclude(registry, seen, [], [], now)
    (alert,) = registry.alerts()
    assert (alert.ground.bad, alert.ground.runs) == (30, 60)


def test_a_verdict_is_told_with_layer_owner_and_page(registry: DatabaseRegistry) -> None:
    day = Day(registry, Rule(name="verdicts", verdict=VerdictRule(layers=(Layer.ACCESS_NETWORK,), least_share=0.5)))
    day.verdicts = [replace(of_day(), status=Status.NORMAL, open=False, layers=(), excess_seconds=None)]
    assert day.live([OK] * 2)[-1] == "ok"
    layers = (replace(of_day().layers[0], component="ap-7", supplier="Netco"),)
    day.verdicts = [of_day(layers=layers), of_day(id="other", against=Reference.TARGET, status=Status.FAILING)]
    assert day.live([SLOW])[-1] == "warning"
    (notice,) = registry.notices()
    told = notice.message.told[0]
    assert told.url == "https://pages.test/why/v-wifi-save"
    assert "Netco answers for the access network (WiFi), ap-7." in notice.message.text.replace("\n", " ")
    assert (told.blamed[0].supplier, told.blamed[0].share) == ("Netco", 0.78)
    day.verdicts = [of_day(layers=(replace(layers[0], share=0.4, low=0.3),))]
    assert day.live([SLOW])[-1] == "ok"
    assert day.told == ["opened:warning", "recovered:ok"]


def of_day(**changed: object) -> Verdict:
    return slow(start=BEGIN, end=BEGIN + 2 * MINUTE, reached_at=BEGIN + 2 * MINUTE, **changed)


def test_each_channel_hears_its_own_and_one_message_tells_what_changed_together(registry: DatabaseRegistry) -> None:
    channels = (
        Channel(kind="email"),
        Channel(kind="webhook", least="critical"),
        Channel(kind="webhook", name="none", rules=("other",)),
    )
    by_place = Rule(name="save", runs=RunsRule(**{**TIERS.runs.__dict__, "by": "place", "bad": 1, "of": 1}))
    day = Day(registry, by_place, to=channels)
    day.runs = [walked(0, SLOW, endpoint) for endpoint in ("desk-1", "desk-2")]
    day.evaluate(BEGIN + MINUTE)
    heard = [(one.channel, str(one.message.kind), len(one.message.told)) for one in registry.notices()]
    assert heard == [("email", "opened", 2)]
    day.runs = [walked(1, 9.0, endpoint) for endpoint in ("desk-1", "desk-2")]
    day.evaluate(BEGIN + 2 * MINUTE)
    day.runs = [walked(2, SLOW, endpoint) for endpoint in ("desk-1", "desk-2")]
    day.evaluate(BEGIN + 3 * MINUTE)
    of_webhook: list[Notice] = [one for one in registry.notices() if one.channel == "webhook"]
    assert [str(one.message.kind) for one in reversed(of_webhook)] == ["opened", "recovered"]


def test_a_rule_that_is_gone_is_said_to_be(registry: DatabaseRegistry) -> None:
    Day(registry, DOWN).live([FAILED] * 3)
    day = Day(registry, TIERS)
    day.evaluate(BEGIN + 4 * MINUTE)
    assert day.told == ["opened:critical", "ended:ok"]
    assert not any(alert.rule == "down" for alert in registry.alerts())


def test_who_looks_after_it_stays_until_it_recovers(registry: DatabaseRegistry) -> None:
    day = Day(registry, DOWN)
    day.live([FAILED] * 3)
    key = registry.alerts()[0].key
    registry.acknowledge(key, by="kim", now=BEGIN)
    day.live([FAILED])
    assert registry.alerts()[0].acknowledged_by == "kim"
    day.live([OK] * 3)
    assert registry.alerts()[0].acknowledged_by is None
    with pytest.raises(LookupError):
        registry.acknowledge(key, by="kim", now=BEGIN)


def test_subjects_are_named_apart() -> None:
    base = Subject(site="s", environment="live", journey="j", population=WIFI)
    assert len({str(base), str(replace(base, step="x")), str(replace(base, endpoint="x"))}) == 3
