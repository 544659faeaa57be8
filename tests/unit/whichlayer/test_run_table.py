from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from collector.model.access import Access, Link, Presentation
from collector.model.run import Outcome, Phase, Run, StepTiming
from whichlayer.run_table import BAR_WIDTH, table

MEASURED = StepTiming(
    step="login",
    outcome=Outcome.SLOW,
    seconds=2.0,
    uncertainty_seconds=0.012,
    target_seconds=1.5,
    phases={Phase.CONNECT: 0.5, Phase.PROCESSING: 1.0, Phase.TRANSFER: 0.25, Phase.SERVER_APP: 0.9},
)


def shown(*steps: StepTiming, facts: dict[str, str] | None = None) -> str:
    run = Run(
        run_id="0" * 32,
        site="council",
        endpoint="desk-1",
        access=Access(link=Link.WIFI, presentation=Presentation.VNC, link_source="nl80211 on wlan0"),
        journey="day",
        journey_hash="abc",
        slot=datetime(2026, 11, 23, tzinfo=UTC),
        started_at=datetime(2026, 11, 23, tzinfo=UTC),
        seconds=sum(step.seconds or 0 for step in steps) or None,
        outcome=steps[-1].outcome,
        steps=steps,
        facts=facts or {},
    )
    console = Console(width=120, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(table(run))
    return captured.get()


def test_a_step_shows_its_time_its_phases_and_its_bar() -> None:
    text = shown(MEASURED, facts={"release": "3.58 [bold]"})
    assert "day (abc) at desk-1, vnc over wifi: slow, 2.000 s, release 3.58 [bold]" in text
    assert "link: nl80211 on wlan0; presentation: not detected" in text
    assert "2.000 ± 0.012" in text
    assert "connect 500.0, processing 1000.0, transfer 250.0 (server: app 900.0)" in text
    assert "▒" * 10 + "█" * 20 + "▄" * 5 + "·" * 5 in text
    assert "login: over its target of 1.5 s" in text
    assert "▒ connect  █ processing  ▄ transfer  · not in any phase" in text


def test_a_timeout_is_at_least_and_an_error_is_told() -> None:
    text = shown(
        StepTiming(step="search", outcome=Outcome.TIMEOUT, seconds=30.0, censored=True, error="no end within 30 s")
    )
    assert "≥ 30.000" in text
    assert "search: no end within 30 s" in text


def test_a_step_that_was_not_done_has_no_time() -> None:
    text = shown(StepTiming(step="save", outcome=Outcome.NOT_READY, error="no safe record"))
    assert "nothing timed" in text
    assert "–" in text


@given(
    st.lists(st.dictionaries(st.sampled_from(list(Phase)[:8]), st.floats(0, 100), min_size=1), min_size=1, max_size=5)
)
def test_no_bar_is_longer_than_its_place(phases: list[dict[Phase, float]]) -> None:
    steps = [
        StepTiming(step=f"s{number}", outcome=Outcome.OK, seconds=sum(spent.values()), phases=spent)
        for number, spent in enumerate(phases)
    ]
    for line in shown(*steps).splitlines():
        assert sum(line.count(sign) for sign in "░▒▓█▄▀▌▐·") <= BAR_WIDTH + 1
