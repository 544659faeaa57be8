"""The walk's own rules, with drivers that are as simple as a driver can be."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.model.access import Access, Link, Presentation
from collector.model.errors import WhichlayerError
from collector.model.run import Outcome, Run, StepTiming
from probes.driver import WalkContext
from probes.journey.file import Step, parse
from probes.walk import Place, walk

SLOT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PLACE = Place(
    site="council",
    endpoint="desk-1",
    access=Access(link=Link.WIFI, presentation=Presentation.LOCAL),
    environment="test",
)
JOURNEY = parse(
    """
name: day
variables: {base_url: http://127.0.0.1:1, ward: }
secrets: {password: }
steps:
  - {step: a, sign_in: true, requests: [{method: POST, path: "/{ward}", form: {p: "{password}"}}]}
  - {step: b, requests: [{path: /b}]}
  - {step: c, requests: [{path: /c}]}
""",
    Path("day.yaml"),
)
SECRETS = {"password": "canary-99"}
VARIABLES = {"ward": "north"}


class Scripted:
    """A driver that gives the outcomes it was told, or raises what it was told."""

    languages = frozenset({"requests"})

    def __init__(self, outcomes: Sequence[Outcome | Exception], opening: Exception | None = None) -> None:
        self.outcomes = list(outcomes)
        self.opening = opening
        self.closed = 0
        self.context: WalkContext | None = None

    def configured(self, settings: Mapping[str, Any]) -> "Scripted":
        assert not settings
        return self

    def open(self, context: WalkContext) -> "Scripted":
        if self.opening:
            raise self.opening
        self.context = context
        context.facts["release"] = "3.58 canary-99"
        return self

    def perform(self, step: Step) -> StepTiming:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        timed = outcome is not Outcome.NOT_READY
        return StepTiming(
            step=step.step,
            outcome=outcome,
            seconds=0.25 if timed else None,
            censored=outcome is Outcome.TIMEOUT,
        )

    def close(self) -> None:
        self.closed += 1


def walked(driver: Scripted, *, secrets: Mapping[str, str] = SECRETS, variables: Mapping[str, str] = VARIABLES) -> Run:
    return walk(JOURNEY, driver, PLACE, slot=SLOT, secrets=secrets, variables=variables, attempt=2)


def test_a_run_says_where_when_and_what() -> None:
    driver = Scripted([Outcome.OK] * 3)
    run = walked(driver)
    assert (run.site, run.endpoint, run.access, run.environment) == ("council", "desk-1", PLACE.access, "test")
    assert (run.journey, run.journey_hash, run.slot, run.attempt) == ("day", JOURNEY.hash, SLOT, 2)
    assert run.seconds == 0.75
    assert [step.step for step in run.steps] == ["a", "b", "c"]
    assert driver.context is not None
    assert driver.context.run_id == run.run_id
    assert driver.context.values == {"base_url": "http://127.0.0.1:1", "ward": "north"}
    assert driver.closed == 1


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_safe_record_makes_no_record_safe(text: str) -> None:
    step = '{step: save, action: write, safe_record: "{record}", requests: [{method: POST, path: /s}]}'
    text = f"name: day\nvariables: {{base_url: http://127.0.0.1:1, record: '{text}'}}\nsteps: [{step}]"
    journey = parse(text, Path("day.yaml"))
    driver = Scripted([Outcome.OK])
    run = walk(journey, driver, PLACE, slot=SLOT, secrets={}, variables={})
    assert run.outcome is Outcome.NOT_READY
    assert driver.outcomes == [Outcome.OK], "nothing was done"
    assert "safe_record is empty" in (run.steps[0].error or "")


def test_every_run_has_its_own_id() -> None:
    assert walked(Scripted([Outcome.OK] * 3)).run_id != walked(Scripted([Outcome.OK] * 3)).run_id


@pytest.mark.parametrize(
    ("outcomes", "worst", "steps"),
    [
        ([Outcome.OK, Outcome.SLOW, Outcome.OK], Outcome.SLOW, 3),
        ([Outcome.OK, Outcome.FAILED], Outcome.FAILED, 2),
        ([Outcome.SLOW, Outcome.TIMEOUT], Outcome.TIMEOUT, 2),
        ([Outcome.DROPPED], Outcome.DROPPED, 1),
        ([Outcome.OK, Outcome.NOT_READY], Outcome.NOT_READY, 2),
        ([Outcome.OK, RuntimeError("canary-99 in a bug")], Outcome.BROKEN, 2),
    ],
)
def test_the_walk_ends_where_a_step_does_not_succeed(
    outcomes: list[Outcome | Exception], worst: Outcome, steps: int
) -> None:
    driver = Scripted(outcomes)
    run = walked(driver)
    assert (run.outcome, len(run.steps), driver.closed) == (worst, steps, 1)
    assert "canary" not in repr(run)


def test_a_bug_of_the_driver_is_kept_with_its_kind() -> None:
    step = walked(Scripted([RuntimeError("boom")])).steps[0]
    assert (step.outcome, step.error_kind, step.seconds) == (Outcome.BROKEN, "internal", None)
    assert "RuntimeError: boom" in (step.error or "")


@pytest.mark.parametrize(
    ("opening", "outcome"),
    [(WhichlayerError("no certificate"), Outcome.NOT_READY), (RuntimeError("bug"), Outcome.BROKEN)],
)
def test_a_driver_that_does_not_open(opening: Exception, outcome: Outcome) -> None:
    run = walked(Scripted([], opening=opening))
    assert (run.outcome, run.seconds, len(run.steps)) == (outcome, None, 1)
    assert str(opening) in (run.steps[0].error or "")


def test_what_has_no_value_is_named_and_nothing_is_opened() -> None:
    driver = Scripted([Outcome.OK])
    run = walked(driver, secrets={"password": ""}, variables={})
    assert run.outcome is Outcome.NOT_READY
    assert run.steps[0].error == ("no value for variable ward, secret password: give it in the agent's configuration")
    assert driver.context is None
    assert JOURNEY.missing(secrets=SECRETS, variables=VARIABLES) == []


def test_a_variable_the_journey_has_not_is_refused() -> None:
    with pytest.raises(WhichlayerError, match=r"no variable wards: it has base_url, ward"):
        walked(Scripted([]), variables={"wards": "x"})


def test_only_declared_secrets_reach_the_driver_and_its_context_never_shows_them() -> None:
    driver = Scripted([Outcome.OK] * 3)
    walked(driver, secrets={**SECRETS, "other": "canary-else"})
    assert driver.context is not None
    assert driver.context.secrets == SECRETS
    driver.context.facts.clear()  # hidden when they go into the run, not before
    assert "canary" not in repr(driver.context)
    assert driver.context.fill_secret("{password} {ward}") == "canary-99 north"
    with pytest.raises(KeyError):
        driver.context.fill("{password}")
