"""Runs at the edges of the scene: a remote session by keystroke, a printer, an external link; sessions held open."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from collector.model.access import Population
from collector.model.run import Outcome, Phase, Run, StepTiming
from collector.model.session import EndCause, Kept, SessionEvent
from tests.browser.scene import CITRIX, NOW, WIRED, make_run
from tests.worlds.lives import life

OUT_OF_PAPER = StepTiming(step="paper", outcome=Outcome.FAILED, seconds=2.1, error_kind="media_empty", error="no paper")
FILTERED = StepTiming(
    step="reach", outcome=Outcome.TIMEOUT, seconds=5.0, censored=True, error_kind="filtered", error="nothing answers"
)


def good(step: str, phase: Phase, part: float, *, warning: str | None = None) -> StepTiming:
    phases = {Phase.CONNECT: 0.02, phase: part}
    if phase is Phase.SERVER_EXTERNAL:
        phases[Phase.PROCESSING] = part + 0.01
    return StepTiming(step=step, outcome=Outcome.OK, seconds=part + 0.05, phases=phases, error_kind=warning)


def walked(
    driver: str,
    journey: str,
    minute: int,
    step: StepTiming,
    population: Population = WIRED,
    facts: Mapping[str, str] | None = None,
) -> Run:
    run_id = f"{minute:08x}{len(journey):08x}" + "e" * 16
    made = make_run(run_id, NOW - timedelta(minutes=minute), population, (step,), journey=journey)
    return Run(
        **{name: getattr(made, name) for name in made.__dataclass_fields__} | {"driver": driver, "facts": facts or {}}
    )


def edge_runs() -> Iterator[Run]:
    """Twenty minutes of each: of the printer's runs two found no paper, of the link's one was filtered."""
    for minute in range(1, 21):
        yield walked("remote", "desktop", minute, good("type", Phase.DISPLAY, 0.04 + minute / 1000), CITRIX)
        paper = OUT_OF_PAPER if minute in {3, 4} else good("paper", Phase.SPOOL, 3.0 + minute / 10)
        yield walked("print", "test-page", minute, paper, facts={"printer": "Example Printer"})
        if minute == 9:
            yield walked("link", "national-link", minute, FILTERED)
            continue
        reach = good("reach", Phase.SERVER_EXTERNAL, 0.2, warning="certificate_expiring" if minute < 8 else None)
        left = {"reach.certificate_left": "21.4 d", "reach.tls": "TLSv1.3"}
        yield walked("link", "national-link", minute, reach, facts=left)


def lives() -> Iterator[SessionEvent]:
    yield from life("a", NOW - timedelta(hours=40), 10, EndCause.USER)
    yield from life(
        "b", NOW - timedelta(hours=20), 10, EndCause.HOST, work=(Kept.KEPT, Kept.LOST), detail="connection refused"
    )
