"""Walks a journey once: step after step until one does not succeed. What happens is data, in the Run."""

import math
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from collector import secret
from collector.model.access import Access
from collector.model.errors import WhichlayerError
from collector.model.run import MEASURED, Outcome, Run, StepTiming
from probes.driver import Driver, OpenDriver, WalkContext
from probes.error_text import short
from probes.journey import placeholder
from probes.journey.file import Journey, Step

_SEVERITY = (
    Outcome.OK,
    Outcome.SLOW,
    Outcome.FAILED,
    Outcome.TIMEOUT,
    Outcome.DROPPED,
    Outcome.NOT_READY,
    Outcome.BROKEN,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a journey is walked, as the results will say."""

    site: str
    endpoint: str
    access: Access
    environment: str = "live"
    driver: str = "http"


def walk(  # noqa: PLR0913  a run is made of exactly these
    journey: Journey,
    driver: Driver,
    place: Place,
    *,
    slot: datetime,
    secrets: Mapping[str, str],
    variables: Mapping[str, str],
    attempt: int = 1,
) -> Run:
    """Walk ``journey`` once and say what was measured; it never retries.

    ``variables`` replace those of the file. A secret or variable without a value gives a run that
    is ``not_ready`` and sends nothing. Raises WhichlayerError for a variable the journey has not.
    """
    unknown = sorted(set(variables) - set(journey.variables))
    if unknown:
        known = ", ".join(sorted(journey.variables))
        raise WhichlayerError(f"journey {journey.name} has no variable {', '.join(unknown)}: it has {known}")
    for value in secrets.values():
        secret.remember(value)
    values = {name: value for name, value in {**journey.variables, **variables}.items() if value is not None}
    context = WalkContext(
        run_id=uuid.uuid4().hex,
        journey=journey,
        values=values,
        secrets={name: secrets[name] for name in journey.secrets if name in secrets},
    )
    started_at = datetime.now(UTC)
    steps = _steps(journey, driver, context)
    timed = [step.seconds for step in steps if step.seconds is not None]
    return Run(
        run_id=context.run_id,
        site=place.site,
        endpoint=place.endpoint,
        access=place.access,
        environment=place.environment,
        journey=journey.name,
        journey_hash=journey.hash,
        slot=slot,
        started_at=started_at,
        seconds=math.fsum(timed) if timed else None,
        outcome=max((step.outcome for step in steps), key=_SEVERITY.index),
        steps=steps,
        driver=place.driver,
        attempt=attempt,
        facts={name: secret.hide(value) for name, value in context.facts.items()},
    )


def _steps(journey: Journey, driver: Driver, context: WalkContext) -> tuple[StepTiming, ...]:
    first = journey.steps[0].step
    absent = journey.missing(secrets=context.secrets, variables=context.values)
    if absent:
        return (_not_ready(first, "no value for " + ", ".join(absent) + ": give it in the agent's configuration"),)
    for step in journey.steps:
        if step.safe_record is not None and _is_blank(step.safe_record, context):
            return (_not_ready(step.step, "its safe_record is empty: give the variable the text of the safe record"),)
    try:
        opened = driver.open(context)
    except WhichlayerError as error:
        return (_not_ready(first, str(error)),)
    except Exception as error:  # noqa: BLE001  a bug of a driver is the outcome of this run, not the end of the agent
        return (_broken(first, error),)
    try:
        return tuple(_until_one_fails(journey, opened))
    finally:
        opened.close()


def _is_blank(safe_record: str, context: WalkContext) -> bool:
    """Say whether it is no text at all: every page shows that, and would pass for the safe record."""
    known = set(placeholder.names(safe_record)) <= {*context.values, "run_id"}
    return known and not context.fill(safe_record).strip()


def _until_one_fails(journey: Journey, opened: OpenDriver) -> list[StepTiming]:
    done: list[StepTiming] = []
    for step in journey.steps:
        if step.think:
            time.sleep(step.think)
        done.append(perform(opened, step))
        if done[-1].outcome not in MEASURED:
            break
    return done


def perform(opened: OpenDriver, step: Step) -> StepTiming:
    """Do one step; a bug of the driver is an outcome too."""
    try:
        return opened.perform(step)
    except Exception as error:  # noqa: BLE001  see above
        return _broken(step.step, error)


def _not_ready(step: str, message: str) -> StepTiming:
    return StepTiming(step=step, outcome=Outcome.NOT_READY, error_kind="setup", error=short(message))


def _broken(step: str, error: Exception) -> StepTiming:
    message = f"the probe itself failed: {type(error).__name__}: {error}"
    return StepTiming(step=step, outcome=Outcome.BROKEN, error_kind="internal", error=short(message))
