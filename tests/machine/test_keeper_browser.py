"""Sessions held open in a real browser: how they end, why, and what became of the work."""

from pathlib import Path

import pytest

from collector.model.session import EndCause, Kept, SessionEventKind
from probes.drivers.browser.plugin import PLUGIN
from probes.sessions.held import Tempo
from tests.agents.held import ENTRY, SENTINEL, Watched, keeping, planned
from tests.links import wire
from tests.sites.casebook import PASSWORD, Casebook, serving
from tests.stages.browser import SETTINGS, needed

pytestmark = [pytest.mark.integration, pytest.mark.browser]
STARTED, ALIVE, ENDED, READ_BACK = (
    SessionEventKind.STARTED, SessionEventKind.ALIVE, SessionEventKind.ENDED, SessionEventKind.READ_BACK,
)  # fmt: skip
JOURNEY = """\
name: held
variables: {base_url: , safe_record: "WHICHLAYER SAFE RECORD"}
secrets: {username: , password: }
steps:
  - step: login
    sign_in: true
    timeout: 5 s
    browser:
      - open: /login
      - {fill_secret: "{username}", into: {label: User name}}
      - {fill_secret: "{password}", into: {label: Password}}
      - click: {role: button, name: Sign in}
      - wait_for: {role: heading, name: My cases}
  - step: look
    timeout: 2 s
    browser: [{open: "/cases?q=smith"}, {expect: {text: Smith}}]
  - step: open
    timeout: 2 s
    browser: [{open: /cases/2}, {expect: {text: "{safe_record}"}}]
  - step: save
    action: write
    safe_record: "{safe_record}"
    timeout: 4 s
    browser:
      - {fill: "kept {run_id}", into: {label: Note}}
      - click: {role: button, name: Save note}
      - expect: {text: "kept {run_id}"}
    verify_saved: {path: /cases/2, marker: "kept {run_id}"}
"""
TEMPO = Tempo(every=0.2, grace=0.6, again=0.1, work=60.0)
SAVES = SENTINEL.replace(", leave: draft", "")
DRIVER = PLUGIN.configured({**SETTINGS, "proxy": "none"})


@pytest.fixture(autouse=True)
def _browser() -> None:
    needed()


def test_each_end_is_told_with_its_evidence_and_the_work_is_read_back(tmp_path: Path) -> None:
    with serving(Casebook()) as site:
        session = keeping(tmp_path, site.url, tempo=TEMPO, entry=ENTRY + SAVES, journey=JOURNEY, driver=DRIVER)
        watched = session.__enter__()
        _lives(watched, 1)
        assert site.notes[2], "the sentinel has saved"
        site.end_sessions()
        _lives(watched, 2)
        site.end_sessions("You were signed out after inactivity.")
        _lives(watched, 3)
    watched.wait_for(ENDED, 3)
    session.__exit__(None, None, None)
    assert watched.causes() == [EndCause.UNKNOWN, EndCause.IDLE, EndCause.HOST]
    silent, idle, host = (event.detail or "" for event in watched.of(ENDED))
    assert "password is asked for again" in silent
    assert "signed out after inactivity" in idle
    assert "ERR_CONNECTION_REFUSED" in host
    assert [event.saved_work for event in watched.of(READ_BACK)] == [Kept.KEPT, Kept.KEPT, Kept.UNKNOWN]
    assert PASSWORD not in repr(watched.events)


def test_a_service_that_hangs_is_told_from_a_link_that_is_cut(tmp_path: Path) -> None:
    impatient = JOURNEY.replace("timeout: 2 s", "timeout: 700 ms")
    with (
        serving(Casebook()) as site,
        wire.laid_to(int(site.url.rpartition(":")[2])) as line,
        keeping(tmp_path, f"http://127.0.0.1:{line.port}", tempo=TEMPO, journey=impatient, driver=DRIVER) as watched,
    ):
        watched.wait_for(ALIVE)
        site.hangs = True
        hung = watched.wait_for(ENDED)
        site.hangs = False
        watched.wait_for(STARTED, 2)
        watched.wait_for(ALIVE, len(watched.of(ALIVE)) + 1)
        line.cut()
        cut = watched.wait_for(ENDED, 2)
    assert (hung.cause, cut.cause) == (EndCause.APPLICATION, EndCause.NETWORK)
    assert "a new connection is taken, and nothing comes over it" in (hung.detail or "")


def test_the_plan_is_right_and_a_planned_end_is_no_drop(tmp_path: Path) -> None:
    with serving(Casebook()) as site:
        known = planned(site.url, entry=ENTRY + SAVES, journey=JOURNEY, driver=DRIVER)
        assert list(known.mistakes()) == []
        with keeping(tmp_path, site.url, tempo=TEMPO, journey=JOURNEY, driver=DRIVER) as watched:
            watched.wait_for(ALIVE, 2)
    assert watched.causes() == [EndCause.USER]


def _lives(watched: Watched, number: int) -> None:
    """Wait until session ``number`` lives and its sentinel has had the time to save."""
    watched.wait_for(STARTED, number)
    watched.wait_for(ALIVE, len(watched.of(ALIVE)) + 1)
