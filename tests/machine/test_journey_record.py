"""A journey that a person shows: what the file says, what it never says, and that it can be walked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page

from collector.model.run import Outcome
from probes.drivers.browser import executable, recorder
from probes.drivers.browser.launch import Launch
from probes.drivers.browser.plugin import PLUGIN
from probes.journey.file import parse
from probes.walk import walk
from tests.sites import casebook
from tests.sites.casebook import PASSWORD, SAFE, Casebook
from tests.stages.browser import PLACE, SETTINGS, needed

pytestmark = [pytest.mark.integration, pytest.mark.browser]
USER = "canary-user-31"


@pytest.fixture
def site() -> Iterator[Casebook]:
    needed()
    with casebook.serving(Casebook()) as running:
        yield running


def person(page: Page) -> None:
    """Sign in, search with Enter, open a record, save a note."""
    page.get_by_label("User name").fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Search").fill("whichlayer")
    page.get_by_label("Search").press("Enter")
    page.wait_for_url("**/cases?q=*")
    page.get_by_role("link", name=SAFE).click()
    page.get_by_label("Note").fill("a note")
    page.get_by_role("button", name="Save note").click()


def test_what_a_person_shows_becomes_a_journey_that_can_be_walked(site: Casebook) -> None:
    launch = Launch(executable=executable.find(None))
    text = recorder.record(launch, f"{site.url}/login", "shown", person)
    assert PASSWORD not in text
    assert USER not in text
    journey = parse(text, Path("shown.yaml"))
    assert [step.step for step in journey.steps] == ["sign-in", "search", "whichlayer-safe-record", "save-note"]
    assert journey.steps[0].sign_in
    assert [step.acts for step in journey.steps] == [False, False, False, True]
    assert journey.variables["search"] == "whichlayer"
    assert journey.secrets["password"] == "keyring:whichlayer/shown.password"
    run = walk(
        journey,
        PLUGIN.configured(SETTINGS),
        PLACE,
        slot=datetime.now(UTC),
        secrets={"username": USER, "password": PASSWORD},
        variables={"safe_record": SAFE},
    )
    assert run.outcome is Outcome.OK, run.steps
    assert site.notes[2] == ["a note", "a note"]  # the person's, and the probe's
