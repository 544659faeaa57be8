"""The network's time and the browser's, told apart; on a real link as well, where the machine has one."""

import math
from collections.abc import Iterator

import pytest

from collector.model.run import Outcome, Phase
from deploy.bench import browser_link
from deploy.lab.namespace import LabError
from tests.sites import casebook
from tests.sites.portal import Identity, Portal
from tests.stages.browser import browse, needed

pytestmark = [pytest.mark.integration, pytest.mark.browser]
SERVER = {Phase.SERVER_APP, Phase.SERVER_DB, Phase.SERVER_STORAGE, Phase.SERVER_EXTERNAL}


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    needed()
    with casebook.serving(Portal(Identity())) as running:
        yield running


def test_a_slow_server_is_processing_and_a_busy_page_is_rendering(portal: Portal) -> None:
    run = browse(
        portal.url,
        "{step: document, browser: [{open: '/board?before=300&wait=300'}]}",
        "{step: fetch, browser: [{click: {role: button, name: Load}}, {wait_for: {text: 12 results}}]}",
        "{step: busy, browser: [{open: /busy}, {wait_for: {role: heading, name: Done}}]}",
    )
    assert run.outcome is Outcome.OK, run.steps
    document, fetch, busy = run.steps
    for step in (document, fetch):
        assert 0.3 <= step.phases[Phase.PROCESSING] < 0.4, step
    assert document.phases[Phase.SERVER_DB] == pytest.approx(0.007, abs=1e-4)
    assert busy.phases[Phase.RENDER] > 0.2
    assert busy.phases[Phase.PROCESSING] < 0.1
    for step in run.steps:
        own = [seconds for phase, seconds in step.phases.items() if phase not in SERVER]
        assert math.fsum(own) == pytest.approx(step.seconds)
        assert step.uncertainty_seconds is not None
        assert step.uncertainty_seconds > 0


def test_what_a_link_adds_is_in_the_network_s_phases() -> None:
    needed()
    try:
        row = browser_link.measure(delay_milliseconds=25.0, runs=3, tls=True)
    except LabError as error:
        pytest.skip(str(error))
    # One way there and one back for each; the bench with more runs asks for 3 ms.
    assert row.connect_added_ms == pytest.approx(50.0, abs=15.0)
    assert row.tls_added_ms == pytest.approx(50.0, abs=15.0)
    assert row.processing_added_ms == pytest.approx(50.0, abs=15.0)
