"""A small estate as the pages see it: runs and samples in a real store, verdicts in a real registry."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi import FastAPI

from collector.model.access import Access, Link, Population, Presentation
from collector.model.layer import Layer
from collector.model.run import Outcome, Phase, Run, StepTiming
from collector.model.sample import Sample
from collector.model.verdict import (
    Evidence,
    Interval,
    LayerState,
    LayerVerdict,
    MethodUse,
    Reference,
    Rung,
    Share,
    Status,
    Verdict,
)
from collector.registries.database import DatabaseRegistry
from collector.registry import Scope
from collector.store import Batch
from collector.stores.memory import MemoryStore
from dashboards.settings import PagesSettings
from dashboards.web.site import mount

NOW = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
SLOW_SINCE = NOW - timedelta(minutes=18)
BANNER = "Synthetic data: the lab of `make demo`"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
WIRED = Population(link=Link.WIRED, presentation=Presentation.LOCAL)
WIFI = Population(link=Link.WIFI, presentation=Presentation.LOCAL)
CITRIX = Population(link=Link.WIRED, presentation=Presentation.CITRIX)
VPN = Population(link=Link.VPN, presentation=Presentation.LOCAL)
STEPS = {"login": 0.31, "search": 0.22, "open": 0.18, "save": 0.4, "print": 1.1}


def runs() -> Iterator[Run]:
    """Two hours, one run a minute; WiFi slow in every step for the last 18 minutes, VPN silent for 40."""
    dice = random.Random(7)
    for minute in range(120):
        slot = NOW - timedelta(minutes=120 - minute)
        for number, population in enumerate((WIRED, WIFI, CITRIX, VPN)):
            if population == VPN and minute > 80:
                continue
            slow = population == WIFI and slot >= SLOW_SINCE
            steps = tuple(step(name, usual, slow, dice) for name, usual in STEPS.items())
            run_id = f"{minute:016x}{number:016x}"
            yield make_run(run_id, slot, population, steps)


def step(name: str, usual: float, slow: bool, dice: random.Random) -> StepTiming:
    wait = usual * dice.uniform(0.85, 1.2)
    network = dice.uniform(0.01, 0.02) + (dice.uniform(1.2, 4.6) if slow and name != "print" else 0.0)
    if network > 4.2:
        return StepTiming(step=name, outcome=Outcome.TIMEOUT, seconds=5.0, censored=True, error="no answer within 5 s")
    phases = {
        Phase.CONNECT: network / 3,
        Phase.PROCESSING: wait + network / 3,
        Phase.SERVER_APP: wait * 0.6,
        Phase.SERVER_DB: wait * 0.3,
        Phase.TRANSFER: network / 3,
    }
    seconds = wait + network + 0.004
    return StepTiming(step=name, outcome=Outcome.OK, seconds=seconds, phases=phases, uncertainty_seconds=0.001)


def make_run(
    run_id: str, slot: datetime, population: Population, steps: tuple[StepTiming, ...], *, journey: str = "case-record"
) -> Run:
    outcome = Outcome.TIMEOUT if any(s.outcome is Outcome.TIMEOUT for s in steps) else Outcome.OK
    return Run(
        run_id=run_id,
        site="town",
        endpoint=f"desk-{population.link}",
        access=Access(
            link=population.link,
            presentation=population.presentation,
            link_source="label in whichlayer.yaml",
            presentation_source="no remote session",
            confidence=1.0,
        ),
        journey=journey,
        journey_hash="0123456789abcdef",
        slot=slot,
        started_at=slot + timedelta(seconds=1.5),
        seconds=sum(s.seconds or 0.0 for s in steps),
        outcome=outcome,
        steps=steps,
        facts={"release": "3.58"},
    )


def samples() -> Iterator[Sample]:
    dice = random.Random(8)
    for index in range(480):
        at = NOW - timedelta(minutes=120) + timedelta(seconds=15 * index)
        retransmits = dice.uniform(0, 0.4) + (dice.uniform(6, 14) if at >= SLOW_SINCE else 0.0)
        yield sample("desk-wifi", Layer.NETWORK_CORE, "system.network.retransmits", at, retransmits)
        yield sample("lun-7", Layer.STORAGE, "storage.write.latency", at, dice.uniform(0.001, 0.002))


def sample(component: str, layer: Layer, metric: str, at: datetime, value: float) -> Sample:
    return Sample(site="town", component=component, layer=layer, metric=metric, at=at, value=value)


def slow(**changes: object) -> Verdict:
    """Give the verdict this estate deserves: saving over WiFi is slow, the access network is blamed."""
    for_it = (
        Evidence(
            rule="contrast.same_slot",
            text="The same step over cable was as usual in the same minutes",
            supports=True,
            source={"phase": "connect"},
            unit="s",
            before=0.02,
            during=3.1,
            runs=18,
        ),
        Evidence(
            rule="samples.shift",
            text="TCP segments sent again rose on desk-wifi",
            supports=True,
            source={"component": "desk-wifi", "metric": "system.network.retransmits"},
            unit="1/s",
            before=0.2,
            during=9.8,
        ),
    )
    against_storage = Evidence(
        rule="samples.flat",
        text="Writes to lun-7 took as long as before",
        supports=False,
        source={"component": "lun-7", "metric": "storage.write.latency"},
        unit="s",
        before=0.0015,
        during=0.0015,
    )
    layers = [
        LayerVerdict(
            layer=Layer.ACCESS_NETWORK,
            component=None,
            state=LayerState.BLAMED,
            share=0.78,
            low=0.70,
            high=0.85,
            evidence_for=for_it,
        ),
        LayerVerdict(
            layer=Layer.STORAGE,
            component="lun-7",
            state=LayerState.CLEARED,
            share=0.0,
            low=0.0,
            high=0.03,
            evidence_against=(against_storage,),
        ),
        LayerVerdict(layer=Layer.DATABASE, component=None, state=LayerState.INCONCLUSIVE, share=0.0, low=0.0, high=0.2),
    ]
    layers += [
        LayerVerdict(layer=other, component=None, state=LayerState.NOT_MEASURED, share=0.0, low=0.0, high=0.0)
        for other in Layer
        if other not in {part.layer for part in layers}
    ]
    fields: dict[str, object] = {
        "id": "v-wifi-save",
        "site": "town",
        "status": Status.SLOW,
        "against": Reference.EXPECTED,
        "rung": Rung.SAME_SLOT,
        "journey": "case-record",
        "step": "save",
        "population": WIFI,
        "start": SLOW_SINCE,
        "end": NOW,
        "open": True,
        "runs": 42,
        "measured": Interval(estimate=4.6, low=4.3, high=4.9),
        "expected": Interval(estimate=0.42, low=0.35, high=0.5),
        "excess_seconds": Interval(estimate=4.2, low=3.9, high=4.5),
        "layers": tuple(layers),
        "unexplained": Share(share=0.12, low=0.05, high=0.20),
        "data_quality": ("The clock of desk-wifi was 0.2 s ahead.",),
        "methods": (MethodUse(name="paired-contrast", version="1"), MethodUse(name="phases", version="2")),
        "counting_rules": "2026-11",
        "snapshot": 123,
        "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "reached_at": NOW,
    }
    return Verdict(**{**fields, **changes})  # type: ignore[arg-type]


def verdicts() -> list[Verdict]:
    """Give what is said now: WiFi slow or failing, the rest normal, VPN without enough evidence."""
    quiet = {"open": False, "excess_seconds": None, "layers": (), "unexplained": None, "censored": 0}
    said = [slow(), slow(id="v-wifi-open", step="open", censored=25, at_least=True, excess_at_least=True)]
    said.append(
        slow(
            id="v-wifi-login",
            step="login",
            status=Status.FAILING,
            excess_seconds=None,
            excess_rate=Interval(estimate=0.35, low=0.2, high=0.5),
        )
    )
    for number, population in enumerate((WIRED, CITRIX, VPN)):
        for name, usual in STEPS.items():
            status = Status.NOT_ENOUGH_EVIDENCE if population == VPN else Status.NORMAL
            band = Interval(estimate=usual, low=usual * 0.8, high=usual * 1.3)
            said.append(
                slow(
                    **quiet,
                    id=f"n-{number}-{name}",
                    step=name,
                    status=status,
                    population=population,
                    expected=band,
                    measured=band,
                )
            )
    return said


def closed() -> Verdict:
    return slow(
        id="v-closed",
        step="search",
        population=CITRIX,
        open=False,
        start=NOW - timedelta(hours=26),
        end=NOW - timedelta(hours=25),
        reached_at=NOW - timedelta(hours=25),
    )


@contextmanager
def site(
    folder: Path,
    *,
    extra: tuple[Run, ...] = (),
    said: tuple[Verdict, ...] = (),
    store: MemoryStore | None = None,
    registry: DatabaseRegistry | None = None,
) -> Iterator[FastAPI]:
    """Give an application with the pages on real stores, filled; ``said`` replaces the verdicts."""
    store = store or MemoryStore()
    registry = registry or DatabaseRegistry(f"sqlite:///{folder / 'registry.sqlite'}")
    try:
        store.append(Batch(batch_id="scene:1", sender="scene", runs=(*runs(), *extra), samples=tuple(samples())))
        store.flush()
        registry.put_standing(said or verdicts())
        registry.put_verdicts(said or [slow(runs=20), slow(version=2), *verdicts()[1:3], closed()])
        for endpoint, seen in (("desk-wifi", NOW), ("desk-wired", NOW - timedelta(hours=2)), ("desk-vpn", None)):
            given = registry.enrol(registry.invite(endpoint, scope=Scope.AGENT, now=NOW), now=NOW)
            assert given is not None
            if seen is not None:
                registry.seen(given.agent_id, now=seen, skew_seconds=0.2, version="0.1.0")
        app = FastAPI()
        settings = PagesSettings(timezone="Europe/London")
        mount(app, store=store, registry=registry, settings=settings, banner=BANNER, now=lambda: NOW)
        yield app
    finally:
        registry.close()
        store.close()
