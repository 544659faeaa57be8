"""What a step's outcome says about the session it was done in, where the answer itself shows nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.model.run import Outcome, StepTiming
from collector.model.session import EndCause
from probes.driver import OpenDriver, WalkContext, Witness
from probes.drivers.http.plugin import PLUGIN
from probes.journey import file as journeys
from probes.sessions.life import Moment, Sign
from probes.sessions.settings import EndSign
from probes.sessions.signs import look_at
from tests.agents.held import JOURNEY

NOW = Moment(datetime(2026, 3, 2, 8, 0, tzinfo=UTC), 7.0)
REFUSED, LATE, DROPPED = Outcome.FAILED, Outcome.TIMEOUT, Outcome.DROPPED


@pytest.fixture(scope="module")
def opened() -> Iterator[OpenDriver]:
    journey = journeys.parse(JOURNEY, Path("held.yaml"))
    context = WalkContext(run_id="0" * 32, journey=journey, values={"base_url": "http://127.0.0.1:9"})
    driver = PLUGIN.configured({"proxy": "none"}).open(context)
    assert isinstance(driver, Witness)
    yield driver
    driver.close()


def step(outcome: Outcome, kind: str | None = None, error: str | None = None, **more: Any) -> StepTiming:
    late = outcome is Outcome.TIMEOUT
    seconds = 1.0 if late or outcome is Outcome.OK else None
    return StepTiming(
        step="look", outcome=outcome, seconds=seconds, censored=late, error_kind=kind, error=error, **more
    )  # fmt: skip


@pytest.mark.parametrize(
    ("timing", "sign", "cause"),
    [
        (step(Outcome.OK), Sign.ALIVE, None),
        (step(REFUSED, "connect", "connect: [Errno 111] Connection refused"), Sign.REFUSED, None),
        (step(REFUSED, "connect", "connect: [WinError 10061] the machine actively refused it"), Sign.REFUSED, None),
        (step(REFUSED, "connect", "connect: [Errno 113] No route to host"), Sign.SILENT, None),
        (step(REFUSED, "resolve", "resolve: no such name"), Sign.SILENT, None),
        (step(REFUSED, "reset", "reset: [Errno 104] Connection reset by peer"), Sign.REFUSED, None),
        (step(REFUSED, "tls", "tls: the certificate has expired"), Sign.UNCLEAR, None),
        (step(REFUSED, "status", "answered 503", http_status=503), Sign.ERROR, None),
        (step(REFUSED, "status", "answered 401", http_status=401), Sign.SIGN_IN, None),
        (step(REFUSED, "status", "answered 440", http_status=440), Sign.SAID, EndCause.IDLE),
        (step(REFUSED, "expect", "the answer does not contain 'Smith'"), Sign.ERROR, None),
        (step(LATE, "connect"), Sign.SILENT, None),
        (step(LATE, "processing", connection="new"), Sign.UNANSWERED, None),
        (step(LATE, "processing", connection="reused"), Sign.UNCLEAR, None),
        (step(LATE, "render"), Sign.ERROR, None),
        (
            step(REFUSED, "connect", "connect: the page could not be loaded (ERR_CONNECTION_REFUSED)"),
            Sign.REFUSED,
            None,
        ),
        (step(LATE, "frozen"), Sign.UNCLEAR, None),
        (step(REFUSED, "authentication", "the session refused the sign-in"), Sign.SIGN_IN, None),
        (step(DROPPED, "network", "exit code 131"), Sign.SAID, EndCause.NETWORK),
        (step(DROPPED, "exit_11", "exit code 11"), Sign.SAID, EndCause.ADMIN),
        (step(DROPPED, "exit_99", "exit code 99"), Sign.SAID, EndCause.UNKNOWN),
        (step(DROPPED), Sign.SAID, EndCause.UNKNOWN),
        (step(Outcome.NOT_READY, "setup"), Sign.PROBE, None),
        (step(Outcome.BROKEN, "internal"), Sign.PROBE, None),
    ],
)
def test_an_outcome_is_a_sign(opened: OpenDriver, timing: StepTiming, sign: Sign, cause: EndCause | None) -> None:
    ended_by = {EndCause.IDLE: EndSign(status=(440,)), EndCause.ADMIN: EndSign(kind=("exit_11",))}
    look = look_at(timing, opened, ended_by, NOW)
    assert (look.sign, look.cause) == (sign, cause)
