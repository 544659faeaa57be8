"""What every driver promises, whatever it drives. Each is walked on a stage of its own, see tests/stages."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter

from collector import plugin
from collector.model.access import Access, Link, Presentation
from collector.model.errors import ConfigError
from collector.model.run import BAD, MEASURED, Outcome, Run
from probes import drivers
from probes.checkup import Patient
from probes.driver import Driver, OpenDriver, WalkContext, not_spoken
from probes.walk import Place, walk
from tests.stages.stage import Stage, module_of

pytestmark = pytest.mark.integration


@pytest.fixture(params=plugin.names(drivers))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stage(name: str) -> Iterator[Stage]:
    with module_of(name).serving() as running:
        yield running


@pytest.fixture
def driver(name: str, stage: Stage) -> Driver:
    return stage.driver(name)


@contextmanager
def opened(driver: Driver, stage: Stage, variables: Mapping[str, str]) -> Iterator[OpenDriver]:
    journey = stage.journey
    values = {name: value for name, value in journey.variables.items() if value is not None}
    context = WalkContext(run_id="0" * 31 + "1", journey=journey, values={**values, **variables}, secrets=stage.secrets)
    found = driver.open(context)
    assert isinstance(found, OpenDriver)
    try:
        yield found
    finally:
        found.close()


def test_it_has_settings_and_refuses_those_it_does_not_know(driver: Driver) -> None:
    assert isinstance(driver.configured({}), type(driver))
    with pytest.raises(ConfigError):
        driver.configured({"no_such_setting": 1})


def test_what_it_says_of_this_endpoint_can_be_acted_on(driver: Driver) -> None:
    assert isinstance(driver, Patient)
    checkup = driver.doctor()
    assert [need for need in checkup.needs if not need.install] == []
    if not checkup.missing:
        assert checkup.noise_floor_seconds is not None
        assert 0 < checkup.noise_floor_seconds < 10
        assert checkup.noise_floor_of


def test_it_speaks_every_step_of_its_journey(driver: Driver, stage: Stage) -> None:
    assert driver.languages
    assert not_spoken(driver, stage.journey) is None


def test_it_times_every_step(driver: Driver, stage: Stage) -> None:
    with opened(driver, stage, stage.variables) as session:
        for step in stage.journey.steps:
            timing = session.perform(step)
            assert timing.step == step.step
            assert timing.outcome in MEASURED, timing
            assert timing.seconds is not None
            assert timing.uncertainty_seconds is not None
            assert timing.target_seconds == step.target
            assert timing.phases
    if stage.acted is not None:
        assert stage.acted() > 0


def test_it_does_not_act_before_it_has_seen_the_safe_record(driver: Driver, stage: Stage) -> None:
    acting = [step for step in stage.journey.steps if step.acts]
    if not acting:
        pytest.skip("its journey only reads")
    assert stage.acted is not None
    assert stage.hide_safe_record is not None
    stage.hide_safe_record()
    with opened(driver, stage, stage.variables) as session:
        assert session.perform(stage.journey.steps[0]).outcome in MEASURED
        for step in acting:
            refused = session.perform(step)
            assert refused.outcome is Outcome.NOT_READY
            assert refused.error_kind == "safe_record"
            assert refused.seconds is None
    assert stage.acted() == 0


def test_what_the_service_does_is_an_outcome_never_an_exception(driver: Driver, stage: Stage) -> None:
    with opened(driver, stage, {**stage.variables, **stage.nowhere}) as session:
        timing = session.perform(stage.journey.steps[0])
    assert timing.outcome in BAD
    assert timing.error_kind
    assert timing.error
    assert len(timing.error) <= 200


def test_sessions_of_two_runs_know_nothing_of_each_other(driver: Driver, stage: Stage) -> None:
    if stage.behind_sign_in is None:
        pytest.skip("nothing on its stage is behind a sign-in")
    first, steps = stage.journey.steps[0], {step.step: step for step in stage.journey.steps}
    with opened(driver, stage, stage.variables) as one, opened(driver, stage, stage.variables) as other:
        assert one.perform(first).outcome in MEASURED
        assert other.perform(steps[stage.behind_sign_in]).outcome in BAD


def test_its_runs_survive_the_wire_and_hold_no_secret(driver: Driver, stage: Stage) -> None:
    place = Place(site="c", endpoint="e", access=Access(link=Link.WIRED, presentation=Presentation.LOCAL))
    run = walk(stage.journey, driver, place, slot=datetime.now(UTC), secrets=stage.secrets, variables=stage.variables)
    wire = TypeAdapter(Run)
    sent = wire.dump_json(run)
    assert run.outcome in MEASURED
    assert wire.validate_json(sent) == run
    assert [name for name, value in stage.secrets.items() if value.encode() in sent] == []
