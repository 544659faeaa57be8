"""A station that was reached as ever strikes off what lies before it (synthetic)."""

from datetime import timedelta

import pytest

from analysis.conclude import conclude
from analysis.settings import AnalysisSettings
from collector.model.access import Access, Population
from collector.model.layer import Layer
from collector.model.run import Outcome, Phase, Run, StepTiming
from collector.model.sample import Sample
from collector.model.verdict import Reference, Status, Verdict
from collector.rows import run_tables, sample_table
from tests.worlds.generator import START, VNC, WIRED, window_of

SECONDS, FAULT_AT, EVERY = 500, 400, 5
LOOK = {Phase.CONNECT: 0.02, Phase.TLS: 0.03, Phase.PROCESSING: 0.06, Phase.SERVER_EXTERNAL: 0.04}
KEY = {Phase.DISPLAY: 0.03, Phase.PROCESSING: 0.01}


def well(phases: dict[Phase, float]) -> StepTiming:
    seconds = sum(taken for phase, taken in phases.items() if phase is not Phase.SERVER_EXTERNAL)
    return StepTiming(step="only", outcome=Outcome.OK, seconds=seconds, phases=phases)


DROPPED = StepTiming(step="only", outcome=Outcome.TIMEOUT, seconds=10.0, censored=True, error_kind="filtered")
LATE = well({**KEY, Phase.DISPLAY: 0.4})


def run(at: int, population: Population, step: StepTiming) -> Run:
    slot = START + timedelta(seconds=at)
    return Run(
        run_id=f"{at:032x}", site="site-1", endpoint="desk-1", journey="way", journey_hash="0" * 16,
        access=Access(link=population.link, presentation=population.presentation), slot=slot, started_at=slot,
        seconds=step.seconds, outcome=step.outcome, steps=(step,), driver="link",
    )  # fmt: skip


def asked(at: int, station: str, layer: Layer, *, later: float, failed: bool) -> list[Sample]:
    bad = at >= FAULT_AT
    values = {"network.path.connect": 0.003 + later * bad, "probe.failed": float(failed and bad)}
    return [
        Sample(
            site="site-1", component=station, layer=layer, metric=name, at=START + timedelta(seconds=at), value=value
        )
        for name, value in values.items()
    ]


def verdict(
    population: Population, quiet: StepTiming, bad: StepTiming, station: str | None, layer: Layer = Layer.NETWORK_CORE,
    *, later: float = 0.0, failed: bool = False,
) -> Verdict:  # fmt: skip
    times = range(0, SECONDS, EVERY)
    runs = [run(at, population, bad if at >= FAULT_AT else quiet) for at in times]
    looks = [one for at in times if station for one in asked(at, station, layer, later=later, failed=failed)]
    facts = window_of(run_tables(runs)["steps"], sample_table(looks), SECONDS)
    said = conclude(facts, Reference.EXPECTED, AnalysisSettings(seasonal=False), now=facts.end)
    (found,) = (one for one in said if one.status in {Status.SLOW, Status.FAILING})
    return found


@pytest.mark.parametrize(
    ("population", "quiet", "bad", "truth"),
    [(WIRED, well(LOOK), DROPPED, Layer.EXTERNAL_LINK), (VNC, well(KEY), LATE, Layer.REMOTE_SESSION)],
    ids=["what is sent outside is dropped", "the picture comes late"],
)
def test_beyond_a_station_that_was_reached_is_who_stands_there(
    population: Population, quiet: StepTiming, bad: StepTiming, truth: Layer
) -> None:
    found = verdict(population, quiet, bad, "desk-1.edge")
    assert [one.layer for one in found.blamed] == [truth]
    told = {one.layer: one.evidence_against for one in found.layers}
    assert "ladder.reached" in {evidence.rule for evidence in told[Layer.NETWORK_CORE]}


@pytest.mark.parametrize(
    ("station", "more"),
    [
        (None, {}),
        ("desk-1.edge", {"later": 0.2}),
        ("desk-1.edge", {"failed": True}),
        ("desk-1.switch", {"layer": Layer.ACCESS_NETWORK}),
        ("desk-2.edge", {}),
    ],
    ids=["nobody asked", "it took longer", "it did not answer", "only the nearest answered", "asked from elsewhere"],
)
def test_without_a_station_that_was_reached_nobody_is_named(station: str | None, more: dict[str, object]) -> None:
    found = verdict(WIRED, well(LOOK), DROPPED, station, **more)  # type: ignore[arg-type]
    assert not found.blamed
    assert any({Layer.NETWORK_CORE, Layer.EXTERNAL_LINK} <= set(group) for group in found.inseparable)
