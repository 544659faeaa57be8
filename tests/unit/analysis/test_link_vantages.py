"""The same external link looked at from two places: contrast says whose side the time is on (synthetic)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
import pytest

from analysis.conclude import conclude
from analysis.settings import AnalysisSettings
from collector.model.access import Access, Population
from collector.model.layer import Layer
from collector.model.run import Outcome, Phase, Run, StepTiming
from collector.model.verdict import Reference, Status, Verdict
from collector.rows import run_tables, sample_table
from tests.worlds.generator import START, WIFI, WIRED, hash_of, window_of

QUIET = {Phase.CONNECT: 0.02, Phase.TLS: 0.03, Phase.PROCESSING: 0.06}
SECONDS, FAULT_AT, EVERY = 720, 600, 5


def look(
    at: float,
    population: Population,
    added: Mapping[Phase, float],
    noise: np.random.Generator,
    failed: StepTiming | None,
) -> Run:
    phases = {p: (s + added.get(p, 0.0)) * noise.lognormal(0, 0.1) for p, s in QUIET.items()}
    seconds = sum(phases.values())
    phases[Phase.SERVER_EXTERNAL] = max(0.0, phases[Phase.PROCESSING] - phases[Phase.CONNECT])
    place, slot = f"pc-{population}", START + timedelta(seconds=at)
    step = StepTiming(step="reach", outcome=Outcome.OK, seconds=seconds, phases=phases, http_status=200)
    return Run(
        run_id=f"{hash_of(place):016x}{int(at):016x}",
        site="site-1",
        endpoint=place,
        access=Access(link=population.link, presentation=population.presentation),
        journey="national-link",
        journey_hash="0123456789abcdef",
        slot=slot,
        started_at=slot,
        seconds=seconds,
        outcome=Outcome.OK,
        steps=(failed or step,),
        driver="link",
    )


def verdicts(
    added: Mapping[Phase, float], hit: Sequence[Population], failed: StepTiming | None = None
) -> list[Verdict]:
    noise = np.random.default_rng(1)
    runs = [
        look(at, place, added if (bad := place in hit and at >= FAULT_AT) else {}, noise, failed if bad else None)
        for at in range(0, SECONDS, EVERY)
        for place in (WIRED, WIFI)
    ]
    facts = window_of(run_tables(runs)["steps"], sample_table([]), SECONDS)
    found = conclude(facts, Reference.EXPECTED, AnalysisSettings(seasonal=False), now=facts.end)
    return [verdict for verdict in found if verdict.status in {Status.SLOW, Status.FAILING}]


@pytest.mark.parametrize(
    ("added", "hit", "layer"),
    [
        ({Phase.PROCESSING: 0.5}, (WIRED, WIFI), Layer.EXTERNAL_LINK),
        ({Phase.CONNECT: 0.3, Phase.PROCESSING: 0.3, Phase.TLS: 0.3}, (WIRED, WIFI), Layer.NETWORK_CORE),
        ({Phase.CONNECT: 0.3, Phase.PROCESSING: 0.3, Phase.TLS: 0.3}, (WIFI,), Layer.ACCESS_NETWORK),
    ],
    ids=["the far end is slow", "the way out is slow", "one vantage is slow"],
)
def test_two_vantages_tell_the_far_end_from_the_way(
    added: Mapping[Phase, float], hit: Sequence[Population], layer: Layer
) -> None:
    found = verdicts(added, hit)
    assert {verdict.population for verdict in found} == set(hit)
    assert [[one.layer for one in verdict.blamed] for verdict in found] == [[layer]] * len(hit)


def test_a_wrong_answer_is_the_far_ends_and_no_answer_its_own_or_the_cores() -> None:
    wrong = StepTiming(step="reach", outcome=Outcome.FAILED, error_kind="status", http_status=503)
    found = verdicts({}, (WIRED, WIFI), wrong)
    assert {verdict.population for verdict in found} == {WIRED, WIFI}
    for verdict in found:
        assert [one.layer for one in verdict.blamed] == [Layer.EXTERNAL_LINK]
    refused = StepTiming(step="reach", outcome=Outcome.FAILED, error_kind="refused")
    found = verdicts({}, (WIRED, WIFI), refused)
    assert {verdict.population for verdict in found} == {WIRED, WIFI}
    for verdict in found:
        assert not verdict.blamed
        assert any({Layer.NETWORK_CORE, Layer.EXTERNAL_LINK} == set(group) for group in verdict.inseparable)
    alone = verdicts({}, (WIFI,), refused)
    assert {verdict.population for verdict in alone} == {WIFI}
    assert [[one.layer for one in verdict.blamed] for verdict in alone] == [[Layer.ACCESS_NETWORK]]
