"""What every driver promises, whatever it drives."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from collector import plugin
from collector.model.access import Access, Link, Presentation
from collector.model.errors import ConfigError
from collector.model.run import MEASURED, Outcome, Run
from probes import drivers
from probes.driver import Driver, OpenDriver, WalkContext
from probes.journey import Journey, load, parse
from probes.walk import Place, walk
from tests.sites import casebook as casebook_site
from tests.sites.casebook import PASSWORD, SAFE, Casebook

pytestmark = pytest.mark.integration

TEMPLATE = Path(__file__).parents[2] / "probes" / "journeys" / "case-record.yaml"


@pytest.fixture(params=plugin.names(drivers))
def driver(request: pytest.FixtureRequest) -> Driver:
    return plugin.load(drivers, request.param, Driver)


@pytest.fixture
def casebook() -> Iterator[Casebook]:
    with casebook_site.serving(Casebook()) as running:
        yield running


def context(journey: Journey, url: str, run_id: str = "0" * 31 + "1") -> WalkContext:
    values = {name: value for name, value in journey.variables.items() if value is not None}
    return WalkContext(
        run_id=run_id,
        journey=journey,
        values={**values, "base_url": url},
        secrets={"username": "probe-user", "password": PASSWORD},
    )


def opened(driver: Driver, journey: Journey, url: str) -> OpenDriver:
    found = driver.open(context(journey, url))
    assert isinstance(found, OpenDriver)
    return found


def test_it_has_settings_and_refuses_those_it_does_not_know(driver: Driver) -> None:
    assert isinstance(driver.configured({}), type(driver))
    with pytest.raises(ConfigError):
        driver.configured({"no_such_setting": 1})


def test_it_times_every_step_of_the_template(driver: Driver, casebook: Casebook) -> None:
    journey = load(TEMPLATE)
    session = opened(driver, journey, casebook.url)
    try:
        for step in journey.steps:
            timing = session.perform(step)
            assert timing.step == step.step
            assert timing.outcome in MEASURED, timing
            assert timing.seconds is not None
            assert timing.uncertainty_seconds is not None
            assert timing.target_seconds == step.target
            assert timing.phases
    finally:
        session.close()
    assert len(casebook.notes[2]) == 1


def test_it_does_not_act_before_it_has_seen_the_safe_record(driver: Driver, casebook: Casebook) -> None:
    journey = load(TEMPLATE)
    steps = {step.step: step for step in journey.steps}
    casebook.titles = {1: "Smith, John"}  # what the probe sees is somebody's real record
    session = opened(driver, journey, casebook.url)
    try:
        assert session.perform(steps["login"]).outcome in MEASURED
        asked = len(casebook.seen)
        for name in ("save", "print"):
            refused = session.perform(steps[name])
            assert refused.outcome is Outcome.NOT_READY
            assert SAFE in (refused.error or "")
            assert refused.seconds is None
        assert len(casebook.seen) == asked
    finally:
        session.close()


def test_what_the_service_does_is_an_outcome_never_an_exception(driver: Driver) -> None:
    journey = load(TEMPLATE)
    session = opened(driver, journey, "http://127.0.0.1:9")  # the discard port: nobody listens
    try:
        timing = session.perform(journey.steps[0])
    finally:
        session.close()
    assert timing.outcome is Outcome.FAILED
    assert timing.error_kind
    assert timing.error
    assert len(timing.error) <= 200


def test_sessions_of_two_runs_know_nothing_of_each_other(driver: Driver, casebook: Casebook) -> None:
    journey = load(TEMPLATE)
    steps = {step.step: step for step in journey.steps}
    first = opened(driver, journey, casebook.url)
    second = opened(driver, journey, casebook.url)
    try:
        assert first.perform(steps["login"]).outcome in MEASURED
        assert second.perform(steps["search"]).outcome is Outcome.FAILED  # sent to the sign-in page
    finally:
        first.close()
        second.close()


def test_its_runs_survive_the_wire_and_hold_no_secret(driver: Driver, casebook: Casebook) -> None:
    text = TEMPLATE.read_text(encoding="utf-8").replace("think: 200 ms", "")
    place = Place(site="c", endpoint="e", access=Access(link=Link.WIRED, presentation=Presentation.LOCAL))
    run = walk(
        parse(text, TEMPLATE),
        driver,
        place,
        slot=datetime.now(UTC),
        secrets={"username": "probe-user", "password": PASSWORD},
        variables={"base_url": casebook.url},
    )
    wire = TypeAdapter(Run)
    sent = wire.dump_json(run)
    assert wire.validate_json(sent) == run
    assert PASSWORD.encode() not in sent
    assert b"probe-user" not in sent
