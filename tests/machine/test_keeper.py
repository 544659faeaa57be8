"""Sessions held open against a real application on loopback: how they end, why, and what became of the work."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from collector.model.session import EndCause, Kept, SessionEventKind
from probes.account import Accounts
from probes.agent.wire import session_json
from tests.agents.held import ENTRY, QUICK, SENTINEL, Watched, keeping
from tests.agents.rig import wait_until
from tests.sites.casebook import PASSWORD, Casebook, serving

pytestmark = pytest.mark.integration
STARTED, ALIVE, RECONNECTED = SessionEventKind.STARTED, SessionEventKind.ALIVE, SessionEventKind.RECONNECTED
ENDED, READ_BACK = SessionEventKind.ENDED, SessionEventKind.READ_BACK


@pytest.fixture
def site() -> Iterator[Casebook]:
    with serving(Casebook()) as casebook:
        yield casebook


@pytest.mark.parametrize(
    ("farewell", "cause"),
    [
        ("You were signed out after inactivity.", EndCause.IDLE),
        ("You have signed in elsewhere.", EndCause.REPLACED),
        ("This session an administrator ended.", EndCause.ADMIN),
        ("", EndCause.UNKNOWN),
    ],
)
def test_the_system_says_why_or_nobody_knows(site: Casebook, tmp_path: Path, farewell: str, cause: EndCause) -> None:
    with keeping(tmp_path, site.url) as watched:
        watched.wait_for(ALIVE, 2)
        site.end_sessions(farewell)
        ended = watched.wait_for(ENDED)
        watched.wait_for(STARTED, 2)
    assert ended.cause is cause
    first, second = watched.of(STARTED)
    assert first.session_id != second.session_id
    assert [event.cause for event in watched.of(ENDED)] == [cause, EndCause.USER]
    assert watched.events[-1].detail == "the agent was stopped"


def test_a_host_that_refuses_ends_it_and_a_short_outage_does_not(tmp_path: Path) -> None:
    casebook = Casebook()
    with serving(casebook) as first:
        port = int(first.url.rpartition(":")[2])
        site = keeping(tmp_path, first.url, tempo=QUICK)
        watched = site.__enter__()
        watched.wait_for(ALIVE)
    time.sleep(0.25)
    with serving(casebook, port):
        back = watched.wait_for(RECONNECTED)
        assert "refused" in (back.detail or "")
    ended = watched.wait_for(ENDED)
    site.__exit__(None, None, None)
    assert ended.cause is EndCause.HOST
    assert back.session_id == ended.session_id
    assert ended.open_seconds >= back.open_seconds


def test_a_service_that_comes_back_without_the_session_was_the_application(site: Casebook, tmp_path: Path) -> None:
    with keeping(tmp_path, site.url) as watched:
        watched.wait_for(ALIVE)
        site.broken = True
        time.sleep(0.3)
        site.end_sessions()
        site.broken = False
        ended = watched.wait_for(ENDED)
    assert ended.cause is EndCause.APPLICATION
    assert "503" in (ended.detail or "")


@pytest.mark.parametrize(("keeps", "expected"), [(True, Kept.KEPT), (False, Kept.LOST)])
def test_the_sentinel_reads_back_what_was_saved_and_what_was_left(
    site: Casebook, tmp_path: Path, keeps: bool, expected: Kept
) -> None:
    with keeping(tmp_path, site.url, entry=ENTRY + SENTINEL) as watched:
        wait_until(lambda: len(site.notes.get(2, [])) >= 2 and 2 in site.drafts)
        site.keeps_drafts = keeps
        site.end_sessions("signed in elsewhere")
        if not keeps:
            site.notes.clear()
        told = watched.wait_for(READ_BACK)
    assert told.saved_work is expected
    assert told.unsaved_work in {expected, None}  # None: it was between the two
    assert told.at_risk_seconds is not None
    assert 0.0 <= told.at_risk_seconds < 2.0
    assert told.session_id == watched.of(STARTED)[0].session_id


def test_work_nobody_could_look_at_is_unknown_not_lost(site: Casebook, tmp_path: Path) -> None:
    with keeping(tmp_path, site.url, entry=ENTRY + SENTINEL) as watched:
        wait_until(lambda: 2 in site.drafts)
        site.titles[2] = "Another record"
        site.end_sessions()
        told = watched.wait_for(READ_BACK)
        written = len(site.notes[2])
        watched.wait_for(ALIVE, len(watched.of(ALIVE)) + 5)
    assert told.saved_work is Kept.UNKNOWN
    assert len(site.notes[2]) == written, "it does not write where the safe record is not shown"


def test_a_refused_password_stops_it_and_is_no_drop(
    site: Casebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.sites.casebook.PASSWORD", "another-word")
    with keeping(tmp_path, site.url) as watched:
        wait_until(lambda: Accounts(tmp_path / "state" / "accounts", None).failures("probe-held") == 2)
        asked = site.asked("POST", "/login")
        time.sleep(0.5)
        assert site.asked("POST", "/login") == asked == 2
    assert watched.events == []


def test_one_account_is_in_one_session_only(site: Casebook, tmp_path: Path) -> None:
    with keeping(tmp_path, site.url) as watched:
        watched.wait_for(ALIVE)
        with Accounts(tmp_path / "state" / "accounts", None).use("probe-held", seconds=5, patience=0.1) as use:
            assert use.refusal is not None


def test_no_secret_is_in_anything_it_tells(site: Casebook, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    entry = ENTRY.replace("text: signed in elsewhere", f"text: 'signed in {PASSWORD} elsewhere'") + SENTINEL
    with capture_logs() as logs, keeping(tmp_path, site.url, entry=entry) as watched:
        watched.wait_for(ALIVE)
        site.end_sessions(f"signed in {PASSWORD} elsewhere")
        ended = watched.wait_for(ENDED)
        watched.wait_for(READ_BACK)
    assert ended.cause is EndCause.REPLACED
    told = "".join(session_json(event) for event in watched.events) + json.dumps(logs, default=str) + caplog.text
    assert PASSWORD not in told
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in kept if PASSWORD in path.read_text(errors="replace")]


def test_it_stops_at_once(site: Casebook, tmp_path: Path) -> None:
    with keeping(tmp_path, site.url) as watched:
        watched.wait_for(STARTED)
        began = time.monotonic()
    assert time.monotonic() - began < 3.0
    assert not [one for one in threading.enumerate() if one.name.startswith("hold ")]
    assert _balanced(watched)


def _balanced(watched: Watched) -> bool:
    return len(watched.of(STARTED)) == len(watched.of(ENDED))
