"""Sessions held open on a real remote desktop, by keystroke and pixels: how they end, and on what evidence."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.document import parse
from collector.model.session import EndCause, SessionEventKind
from deploy.lab import desk_host
from deploy.lab.desk_host import DeskHost
from probes.drivers.remote.plugin import PLUGIN
from probes.sessions.held import Tempo
from probes.sessions.plan import PlannedSession
from probes.sessions.settings import SessionEntry
from tests.agents.held import Watched, holding
from tests.links import wire
from tests.links.wire import Wire
from tests.stages import remote as stage

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(desk_host.missing() is not None, reason=desk_host.missing() or ""),
]
ALIVE, ENDED = SessionEventKind.ALIVE, SessionEventKind.ENDED
JOURNEY = """
name: desk
variables: {host: 127.0.0.1, port: "5900"}
steps:
  - step: logon
    sign_in: true
    timeout: 2 s
    screen:
      - logon:
          ready: {colour: "#20a040", region: [0, 0, 800, 16], share: 0.9}
          instead: {error: {image: legal-notice.png}, authentication: {image: wrong-password.png}}
  - step: type
    timeout: 5 s
    screen: [{keystrokes: {keys: asd, region: [0, 180, 800, 120]}}]
"""
ENTRY = """
file: desk.yaml
account: probe-desk
driver: remote
active: type
hours: 00:00-24:00
days: [mon, tue, wed, thu, fri, sat, sun]
variables: {{port: "{port}"}}
ended_by: {{idle: {{kind: error}}, user: {{kind: closed}}}}
"""
TEMPO = Tempo(every=0.2, grace=0.4, again=0.1)


@pytest.fixture
def host() -> Iterator[DeskHost]:
    with desk_host.serving() as running:
        yield running


@contextmanager
def held(folder: Path, host: DeskHost) -> Iterator[tuple[Watched, Wire]]:
    """Hold a session over a wire, from the first time that it is seen to live."""
    with wire.laid_to(host.port) as line:
        entry = parse(ENTRY.format(port=line.port), Path("whichlayer.yaml"), SessionEntry)
        driver = PLUGIN.configured({"frozen_after": "400 ms"})
        plan = PlannedSession(entry=entry, journey=stage.journey(folder, JOURNEY), driver=driver)
        assert list(plan.mistakes()) == []
        with holding(folder, plan, TEMPO) as watched:
            watched.wait_for(ALIVE)
            yield watched, line


def test_a_session_that_hangs_is_told_from_a_link_that_is_cut(host: DeskHost, tmp_path: Path) -> None:
    with held(tmp_path, host) as (watched, line):
        host.desk.send_signal(signal.SIGSTOP)
        hung = watched.wait_for(ENDED)
        host.desk.send_signal(signal.SIGCONT)
        watched.wait_for(ALIVE, len(watched.of(ALIVE)) + 1)
        line.cut()
        cut = watched.wait_for(ENDED, 2)
    assert (hung.cause, cut.cause) == (EndCause.APPLICATION, EndCause.NETWORK)
    assert "a new connection is greeted by the host's service" in (hung.detail or "")
    assert "a new connection gets no answer" in (cut.detail or "")


def test_what_the_session_shows_or_does_is_told_by_its_name_and_a_dead_host_by_the_connection(
    host: DeskHost, tmp_path: Path
) -> None:
    with held(tmp_path, host) as (watched, line):
        line.hang_up()
        logged_off = watched.wait_for(ENDED)
        watched.wait_for(ALIVE, len(watched.of(ALIVE)) + 1)
        host.tell("screen refused")
        asked = watched.wait_for(ENDED, 2)
        host.tell("screen cases")
        watched.wait_for(ALIVE, len(watched.of(ALIVE)) + 1)
        host.tell("screen notice")
        shown = watched.wait_for(ENDED, 3)
        host.tell("screen cases")
        watched.wait_for(ALIVE, len(watched.of(ALIVE)) + 1)
        host.server.kill()
        died = watched.wait_for(ENDED, 4)
    assert died.cause is EndCause.HOST
    assert "the client ended, host: the connection ended, and no" in (died.detail or "")
    assert logged_off.cause is EndCause.USER
    assert "closed: the server ended the connection, and takes new ones" in (logged_off.detail or "")
    assert asked.cause is EndCause.UNKNOWN
    assert "the password is asked for again" in (asked.detail or "")
    assert shown.cause is EndCause.IDLE
    assert "error: the session shows its error box" in (shown.detail or "")
