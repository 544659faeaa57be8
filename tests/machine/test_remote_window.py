"""The remote driver with a real client in a window: TigerVNC's viewer on a display of the driver's own."""

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from collector.model.errors import WhichlayerError
from collector.model.run import MEASURED, Outcome, Phase
from deploy.lab import desk_host
from probes.driver import WalkContext
from probes.drivers.remote.plugin import PLUGIN, OpenRemote
from probes.journey.file import Journey
from tests.machine.test_remote_driver import PLAIN, later, step
from tests.stages import remote as stage

MISSING = desk_host.missing() or next(
    (f"{program} is not installed" for program in ("Xvfb", "xtigervncviewer") if not shutil.which(program)), None
)
pytestmark = [pytest.mark.integration, pytest.mark.skipif(MISSING is not None, reason=MISSING or "")]

VIEWER = ["xtigervncviewer", "-AlertOnFatalError=0", "-ReconnectOnError=0", "-RemoteResize=0", "{host}::{port}"]
WINDOW = {
    "command": VIEWER,
    "title": "TigerVNC",
    "environment": {"VNC_PASSWORD": "{password}"},
    "xvfb": "1024x768",
    "exit_codes": {0: "ended"},  # what TigerVNC says of everything
}
SECRETS = {"vnc_password": stage.VNC_PASSWORD, "password": stage.DESK_PASSWORD}
CANARY = "canary-in-the-mine"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journey")


@contextmanager
def opened(
    journey: Journey, port: int, secrets: dict[str, str] | None = None, **window: object
) -> Iterator[OpenRemote]:
    context = WalkContext(
        run_id="0" * 31 + "1", journey=journey, values={"host": "127.0.0.1", "port": str(port)}, secrets=secrets or {}
    )
    session = PLUGIN.configured({"window": {**WINDOW, **window}}).open(context)
    try:
        yield session
    finally:
        session.close()


def left() -> tuple[set[str], set[int]]:
    """Name the driver's files and this process's children."""
    files = {path.name for path in Path(tempfile.gettempdir()).glob("whichlayer-remote-*")}
    return files, {process.pid for process in psutil.Process().children(recursive=True)}


def test_the_same_journey_is_walked_through_the_clients_window_and_nothing_is_left(folder: Path) -> None:
    journey = stage.journey(folder)
    with desk_host.serving(vnc_password=stage.VNC_PASSWORD, desk_password=stage.DESK_PASSWORD) as host:
        before = left()
        with opened(journey, host.port, SECRETS) as session:
            done = [session.perform(one) for one in journey.steps]
        files, children = left()
        assert (files - before[0], children - before[1]) == (set(), set())
        assert [(one.step, one.error) for one in done if one.outcome not in MEASURED] == []
        assert len(host.saved) == 1
    logon, typed = done[0], done[1]
    assert {Phase.LAUNCH, Phase.PIXELS, Phase.READY} <= set(logon.phases)
    assert logon.phases[Phase.LAUNCH] > 0.02  # a program was started
    assert typed.seconds is not None
    assert typed.uncertainty_seconds is not None
    assert 0.001 < typed.seconds < 0.3
    assert 0 < typed.uncertainty_seconds < 0.05


def test_a_client_that_ends_is_a_drop_with_the_meaning_of_its_exit_code(folder: Path) -> None:
    journey = stage.journey(folder, PLAIN)
    with desk_host.serving() as host, opened(journey, host.port, environment={}) as session:
        step(journey, session, "logon")
        with later(0.3, act=host.server.kill) as killed:
            dropped = step(journey, session, "type")
        told = time.perf_counter() - killed[0]
    assert (dropped.outcome, dropped.error_kind) == (Outcome.DROPPED, "ended")
    assert told < 0.5


def test_a_client_that_lives_on_before_a_stopped_session_is_frozen(folder: Path) -> None:
    journey = stage.journey(folder, PLAIN)
    with desk_host.serving() as host, opened(journey, host.port, environment={}) as session:
        step(journey, session, "logon")
        with later(0.3, act=lambda: host.server.send_signal(signal.SIGSTOP)) as stopped:
            frozen = step(journey, session, "type")
        told = time.perf_counter() - stopped[0]
    assert (frozen.outcome, frozen.error_kind) == (Outcome.FAILED, "frozen")
    assert told < 3  # 2.2 s is the aim (deploy/bench/remote_display.py); a busy machine gets some room


def test_a_client_that_cannot_connect_ends_the_logon(folder: Path) -> None:
    journey = stage.journey(folder, PLAIN)
    with opened(journey, 9, environment={}) as session:
        logon = step(journey, session, "logon")
    assert (logon.outcome, logon.error_kind) == (Outcome.FAILED, "ended")
    assert "exit code 0" in (logon.error or "")


def test_a_client_without_a_window_is_a_timeout_and_is_ended(folder: Path) -> None:
    journey = stage.journey(folder, PLAIN.replace("timeout: 4 s", "timeout: 500 ms"))
    before = left()
    with opened(journey, 9, command=["sleep", "60"], environment={}) as session:
        logon = step(journey, session, "logon")
    assert (logon.outcome, logon.error_kind, logon.censored) == (Outcome.TIMEOUT, "launch", True)
    files, children = left()
    assert (files - before[0], children - before[1]) == (set(), set())


def test_a_secret_never_stands_in_a_command_line(folder: Path) -> None:
    journey = stage.journey(folder)
    with (
        pytest.raises(WhichlayerError, match="secret may stand in"),
        opened(journey, 9, SECRETS, command=["sh", "{password}"]),
    ):
        pass


def test_secrets_reach_the_client_by_its_input_its_environment_and_a_file_for_it_alone(
    folder: Path, tmp_path: Path
) -> None:
    journey = stage.journey(folder)
    told = tmp_path / "told"
    script = (
        f'read line; {{ echo "$line $VNC $(cat "$1") $(stat -c %a "$1")"; tr "\\0" " " < /proc/$$/cmdline; }} > {told}'
    )
    with opened(
        journey,
        9,
        {**SECRETS, "vnc_password": CANARY},
        command=["sh", "-c", script.replace("{", "{{").replace("}", "}}"), "sh", "{secret_file}"],
        environment={"VNC": "{password}"},
        stdin="{password}\n",
        secret_file="{password}",
    ) as session:
        logon = step(journey, session, "logon")
    handed, command = told.read_text().split("\n", 1)
    assert handed == f"{CANARY} {CANARY} {CANARY} 600"
    assert CANARY not in command
    assert CANARY not in repr(logon)


def test_a_client_that_is_not_installed_makes_the_run_not_ready(folder: Path) -> None:
    journey = stage.journey(folder, PLAIN)
    with pytest.raises(WhichlayerError, match="is not installed"), opened(journey, 9, command=["no-such-client"]):
        pass
