"""A step that prints is answered by a printer: neither slow nor failing is it laid on our servers (synthetic)."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from analysis.conclude import conclude
from analysis.settings import AnalysisSettings
from collector.model.access import Access
from collector.model.layer import Layer
from collector.model.run import Outcome, Phase, Run, StepTiming
from collector.model.verdict import Reference, Status, Verdict
from collector.rows import run_tables, sample_table
from tests.worlds.generator import START, WIRED, window_of

SECONDS, FAULT_AT, EVERY = 500, 400, 5
QUIET = {Phase.CONNECT: 0.01, Phase.PROCESSING: 0.02, Phase.TRANSFER: 0.03, Phase.SPOOL: 0.3}
SERVERS = {Layer.VIRTUALISATION, Layer.APP_SERVER, Layer.APPLICATION, Layer.DATABASE, Layer.STORAGE}


def printed(**added: float) -> StepTiming:
    phases = {phase: seconds + added.get(str(phase), 0.0) for phase, seconds in QUIET.items()}
    return StepTiming(step="paper", outcome=Outcome.OK, seconds=sum(phases.values()), phases=phases)


def hung() -> StepTiming:
    phases = {**QUIET, Phase.SPOOL: 9.9}
    return StepTiming(
        step="paper", outcome=Outcome.TIMEOUT, seconds=10.0, censored=True, phases=phases, error_kind="unfinished"
    )


def refused() -> StepTiming:
    return StepTiming(step="paper", outcome=Outcome.FAILED, error_kind="connect", error="refused")


def verdict(bad: Callable[[], StepTiming]) -> Verdict:
    noise = np.random.default_rng(1)
    runs = []
    for at in range(0, SECONDS, EVERY):
        slot, step = START + timedelta(seconds=at), bad() if at >= FAULT_AT else printed(spool=noise.uniform(0, 0.05))
        runs.append(
            Run(
                run_id=f"{at:032x}", site="site-1", endpoint="desk-1", journey="test-page", journey_hash="0" * 16,
                access=Access(link=WIRED.link, presentation=WIRED.presentation), slot=slot, started_at=slot,
                seconds=step.seconds, outcome=step.outcome, steps=(step,), driver="print",
            )
        )  # fmt: skip
    facts = window_of(run_tables(runs)["steps"], sample_table([]), SECONDS)
    said = conclude(facts, Reference.EXPECTED, AnalysisSettings(seasonal=False), now=facts.end)
    (found,) = (one for one in said if one.status in {Status.SLOW, Status.FAILING})
    return found


@pytest.mark.parametrize(
    ("bad", "blamed"),
    [
        (lambda: printed(spool=2.0), [Layer.PRINTING]),
        (hung, [Layer.PRINTING]),
        (lambda: printed(processing=2.0), []),
        (lambda: printed(transfer=2.0), []),
        (refused, []),
    ],
    ids=[
        "slow on paper",
        "it took the job and did not end it",
        "slow to say how it is",
        "slow to take it",
        "not there",
    ],
)
def test_what_a_printer_does_is_printings_and_never_our_servers(
    bad: Callable[[], StepTiming], blamed: list[Layer]
) -> None:
    found = verdict(bad)
    assert [one.layer for one in found.blamed] == blamed
    if not blamed:  # with one access the way to it is not told from the printer
        assert any(Layer.PRINTING in group and not SERVERS & set(group) for group in found.inseparable)
    assert not SERVERS & {layer for group in found.inseparable for layer in group}
