"""The remote driver against a real desktop: what it tells apart, and what it never tells."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import pytest

from collector.model.errors import WhichlayerError
from collector.model.run import Outcome, Phase, StepTiming
from deploy.lab import desk_host
from deploy.lab.desk_host import DeskHost
from probes.driver import WalkContext
from probes.drivers.remote.plugin import PLUGIN, OpenRemote
from probes.journey.file import Journey
from tests.stages import remote as stage

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(desk_host.missing() is not None, reason=desk_host.missing() or ""),
]

SECRETS = {"vnc_password": stage.VNC_PASSWORD, "password": stage.DESK_PASSWORD}
READY = '{colour: "#20a040", region: [0, 0, 800, 16], share: 0.9}'
INSTEAD = "{notice: {image: legal-notice.png}, locked: {image: locked.png}}"
PLAIN = f"""
name: plain
variables: {{host: 127.0.0.1, port: "5900"}}
steps:
  - step: logon
    timeout: 4 s
    screen: [{{logon: {{ready: {READY}, instead: {INSTEAD}, same_session: {{image: stored.png}}}}}}]
  - step: type
    timeout: 10 s
    screen: [{{keystrokes: {{keys: asdasdasd, region: [0, 180, 800, 120]}}}}]
  - step: search
    timeout: 700 ms
    screen: [{{press: Return}}, {{wait_for: {{image: results.png}}}}]
  - step: again
    screen: [{{press: Return}}, {{wait_for: {{colour: "#20a040", region: [0, 0, 800, 16]}}}}]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journey")


@pytest.fixture
def host() -> Iterator[DeskHost]:
    with desk_host.serving() as running:
        yield running


@contextmanager
def opened(
    journey: Journey, port: int, secrets: dict[str, str] | None = None, **settings: object
) -> Iterator[OpenRemote]:
    context = WalkContext(
        run_id="0" * 31 + "1", journey=journey, values={"host": "127.0.0.1", "port": str(port)}, secrets=secrets or {}
    )
    session = PLUGIN.configured(settings).open(context)
    try:
        yield session
    finally:
        session.close()


@contextmanager
def later(seconds: float, *, act: object) -> Iterator[list[float]]:
    """Do something while a step is going on; gives when it was done."""
    done: list[float] = []

    def work() -> None:
        done.append(time.perf_counter())
        act()  # type: ignore[operator]

    timer = threading.Timer(seconds, work)
    timer.start()
    yield done
    timer.join()


def step(journey: Journey, session: OpenRemote, name: str) -> StepTiming:
    return session.perform(next(one for one in journey.steps if one.step == name))


def test_logon_comes_in_parts_and_a_keystroke_in_milliseconds(folder: Path, host: DeskHost) -> None:
    journey = stage.journey(folder, PLAIN)
    with opened(journey, host.port) as session:
        logon, typed = step(journey, session, "logon"), step(journey, session, "type")
    assert set(logon.phases) == {Phase.LAUNCH, Phase.PIXELS, Phase.READY}
    assert logon.seconds == pytest.approx(sum(logon.phases.values()))
    assert logon.connection == "new"
    assert set(typed.phases) == {Phase.DISPLAY}
    assert typed.seconds is not None
    assert typed.uncertainty_seconds is not None
    assert 0.001 < typed.seconds < 0.3
    assert 0 < typed.uncertainty_seconds < 0.05


def test_what_takes_longer_is_told_as_longer_within_its_uncertainty(folder: Path, host: DeskHost) -> None:
    host.tell("delay 0.3")
    journey = stage.journey(folder, PLAIN)
    with opened(journey, host.port) as session:
        step(journey, session, "logon")
        searched = step(journey, session, "search")
    assert searched.outcome is Outcome.OK, searched
    assert searched.seconds is not None
    assert searched.uncertainty_seconds is not None
    assert 0.3 <= searched.seconds + searched.uncertainty_seconds < 0.6


def test_no_answer_in_time_is_a_censored_timeout(folder: Path, host: DeskHost) -> None:
    host.tell("delay 1.5")
    journey = stage.journey(folder, PLAIN)
    with opened(journey, host.port) as session:
        step(journey, session, "logon")
        searched = step(journey, session, "search")
    assert (searched.outcome, searched.error_kind, searched.censored) == (Outcome.TIMEOUT, "display", True)
    assert searched.seconds is not None
    assert 0.5 < searched.seconds < 1.0
    assert "nothing in the picture has changed" in (searched.error or "")


def test_a_stopped_session_is_frozen_within_two_seconds(folder: Path, host: DeskHost) -> None:
    journey = stage.journey(folder, PLAIN)
    with opened(journey, host.port) as session:
        step(journey, session, "logon")
        with later(0.4, act=lambda: host.server.send_signal(signal.SIGSTOP)) as stopped:
            frozen = step(journey, session, "type")
        told = time.perf_counter() - stopped[0]
    assert (frozen.outcome, frozen.error_kind) == (Outcome.FAILED, "frozen")
    assert told < 3  # 2.2 s is the aim (deploy/bench/remote_display.py); a busy machine gets some room


def test_a_killed_session_is_a_drop_at_once(folder: Path, host: DeskHost) -> None:
    journey = stage.journey(folder, PLAIN)
    with opened(journey, host.port) as session:
        step(journey, session, "logon")
        with later(0.4, act=host.server.kill) as killed:
            dropped = step(journey, session, "type")
        told = time.perf_counter() - killed[0]
        assert step(journey, session, "search").outcome is Outcome.DROPPED  # and stays one
    assert (dropped.outcome, dropped.error_kind) == (Outcome.DROPPED, "host")
    assert told < 1.5  # half a second is the aim (deploy/bench/remote_display.py); a busy machine gets some room


@pytest.mark.parametrize(("screen", "kind"), [("notice", "notice"), ("locked", "locked")])
def test_what_stands_in_the_way_is_named_and_kept_as_a_picture(
    folder: Path, host: DeskHost, tmp_path: Path, screen: str, kind: str
) -> None:
    host.tell(f"screen {screen}")
    journey = stage.journey(folder, PLAIN)
    screenshots = {"folder": str(tmp_path / "kept"), "regions": [[250, 200, 200, 150]]}
    with opened(journey, host.port, screenshots=screenshots) as session:
        logon = step(journey, session, "logon")
    assert (logon.outcome, logon.error_kind) == (Outcome.NOT_READY, kind)
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    picture = cv2.imread(str(kept))
    assert picture is not None
    assert picture[200:350, 250:450].any()
    assert not picture[:200].any()  # what is not declared is black


def test_a_wrong_password_of_the_application_is_an_authentication_failure(folder: Path, tmp_path: Path) -> None:
    journey = stage.journey(folder)
    screenshots = {"folder": str(tmp_path / "kept"), "regions": [[0, 0, 800, 600]]}
    with (
        desk_host.serving(vnc_password=stage.VNC_PASSWORD, desk_password="another") as host,
        opened(journey, host.port, SECRETS, screenshots=screenshots) as session,
    ):
        logon = step(journey, session, "logon")
    assert (logon.outcome, logon.error_kind) == (Outcome.FAILED, "authentication")
    assert not (tmp_path / "kept").exists()  # a secret was typed: no picture


def test_a_wrong_password_of_the_session_is_an_authentication_failure(folder: Path) -> None:
    journey = stage.journey(folder)
    with (
        desk_host.serving(vnc_password=stage.VNC_PASSWORD) as host,
        opened(journey, host.port, {**SECRETS, "vnc_password": "canary-vnc"}) as session,
    ):
        logon = step(journey, session, "logon")
    assert (logon.outcome, logon.error_kind) == (Outcome.FAILED, "authentication")
    assert "canary" not in repr(logon)


def test_a_sight_that_was_there_before_times_nothing(folder: Path, host: DeskHost) -> None:
    journey = stage.journey(folder, PLAIN)
    with opened(journey, host.port) as session:
        step(journey, session, "logon")
        again = step(journey, session, "again")
    assert (again.outcome, again.error_kind) == (Outcome.BROKEN, "shown_before")


def test_a_session_that_was_left_open_is_known_by_its_marker(folder: Path, host: DeskHost) -> None:
    journey = stage.journey(folder, PLAIN)
    sessions = []
    for _ in range(2):
        with opened(journey, host.port) as session:
            step(journey, session, "logon")
            sessions.append(session._context.facts["session"])
        host.tell("show saved")
        time.sleep(0.3)
    assert sessions == ["new", "same"]


def test_a_blinking_picture_cannot_hide_as_an_answer(folder: Path, host: DeskHost) -> None:
    host.tell("blink")
    text = PLAIN.replace("keys: asdasdasd, region: [0, 180, 800, 120]", "keys: asd")
    journey = stage.journey(folder, text)
    with opened(journey, host.port) as session:
        step(journey, session, "logon")
        unsteady = step(journey, session, "type")
    assert (unsteady.outcome, unsteady.error_kind) == (Outcome.BROKEN, "unsteady")


def test_an_image_that_is_not_there_makes_the_run_not_ready(folder: Path) -> None:
    journey = stage.journey(folder, PLAIN.replace("results.png", "nowhere.png"))
    with pytest.raises(WhichlayerError, match=r"nowhere\.png cannot be read"), opened(journey, 9):
        pass
