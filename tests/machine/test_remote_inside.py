"""The same waits timed from outside and from inside the session: which part grows tells where the time went."""

import os
import queue
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from collector.model.run import MEASURED, Phase, StepTiming
from deploy.lab import desk_host
from deploy.lab.desk_host import DeskHost
from probes.driver import WalkContext
from probes.drivers.remote.plugin import PLUGIN
from probes.journey.file import Journey
from tests.stages import remote as stage

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(desk_host.missing() is not None, reason=desk_host.missing() or ""),
]

_HEAD, *_STEPS = stage.JOURNEY.split("  - step: ")
JOURNEY = "  - step: ".join([_HEAD, *(one for one in _STEPS if one.startswith(("logon", "search", "open")))])
SECRETS = {"vnc_password": stage.VNC_PASSWORD, "password": stage.DESK_PASSWORD}


@contextmanager
def watched(host: DeskHost, folder: Path) -> Iterator[None]:
    """Run the program in the session, as a user of it would."""
    command = [sys.executable, "-m", "whichlayer", "inside", str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "DISPLAY": host.display}
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline().startswith("watching")
        try:
            yield
        finally:
            program.terminate()
    assert program.returncode == 0


def walked(journey: Journey, port: int, folder: Path, patience: float = 2.0) -> tuple[dict[str, StepTiming], str]:
    """Walk a journey; give its steps, and what was noted about the inside."""
    context = WalkContext(
        run_id="0" * 31 + "1", journey=journey, values={"host": "127.0.0.1", "port": str(port)}, secrets=SECRETS
    )
    session = PLUGIN.configured({"inside": {"folder": str(folder), "patience": patience}}).open(context)
    try:
        done = [session.perform(one) for one in journey.steps]
    finally:
        session.close()
    assert [(one.step, one.error) for one in done if one.outcome not in MEASURED] == []
    return {one.step: one for one in done}, context.facts["inside"]


def shared(folder: Path) -> Path:
    found = folder / "shared"
    found.mkdir(mode=0o700)
    return found


@contextmanager
def desk() -> Iterator[DeskHost]:
    with desk_host.serving(vnc_password=stage.VNC_PASSWORD, desk_password=stage.DESK_PASSWORD) as running:
        yield running


@contextmanager
def copied(folder: Path) -> Iterator[dict[str, bytes]]:
    """Keep a copy of every file that appears, also of those that are being written."""
    kept: dict[str, bytes] = {}
    over = threading.Event()

    def copy() -> None:
        while not over.wait(0.001):
            for path in folder.iterdir():
                with suppress(FileNotFoundError):
                    kept[path.name] = path.read_bytes()

    thread = threading.Thread(target=copy)
    thread.start()
    yield kept
    over.set()
    thread.join()


@contextmanager
def delayed(port: int, seconds: float) -> Iterator[int]:
    """Give a port that leads one connection to ``port`` with so much delay each way."""
    threads: list[threading.Thread] = []

    def begin(work: Callable[..., None], *given: object) -> None:
        threads.append(threading.Thread(target=work, args=given))
        threads[-1].start()

    def deliver(due: queue.Queue[tuple[float, bytes]], target: socket.socket) -> None:
        data = b"-"
        while data:
            at, data = due.get()
            time.sleep(max(0.0, at - time.monotonic()))
            with suppress(OSError):
                target.sendall(data) if data else target.shutdown(socket.SHUT_WR)

    def carry(source: socket.socket, target: socket.socket) -> None:
        due: queue.Queue[tuple[float, bytes]] = queue.Queue()
        begin(deliver, due, target)
        data = b"-"
        while data:
            data = source.recv(65536)
            due.put((time.monotonic() + seconds, data))

    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(("127.0.0.1", port)) as far:
        near: list[socket.socket] = []

        def accept() -> None:
            near.append(server.accept()[0])
            begin(carry, near[0], far)
            begin(carry, far, near[0])

        begin(accept)
        yield server.getsockname()[1]
        for thread in threads:
            thread.join()
        near[0].close()


def test_a_slow_application_and_a_slow_way_are_told_apart_and_nothing_typed_is_in_a_file(tmp_path: Path) -> None:
    folder, journey = shared(tmp_path), stage.journey(tmp_path, JOURNEY)
    with desk() as host, watched(host, folder), copied(folder) as files:
        usual, said = walked(journey, host.port, folder)
        host.tell("fresh")
        with delayed(host.port, 0.06) as port:
            far, _ = walked(journey, port, folder)
        host.tell("fresh")
        host.tell("delay 0.5")
        slow, _ = walked(journey, host.port, folder)
    assert list(folder.iterdir()) == []
    assert re.fullmatch(r"(\w+: ± [\d.]+ ms \(whichlayer-[\w.]+\)(; |$)){3}", said), said
    for name in ("search", "open"):
        took = [(one[name].phases[Phase.DISPLAY], one[name].phases[Phase.PROCESSING]) for one in (usual, far, slow)]
        assert took[1][0] - took[0][0] > 0.1, name  # there and back is 0.12 s, and that at least once
        assert took[1][1] < took[1][0], name
        assert took[2][1] > 0.45, name
        assert took[2][0] < 0.3, name
        assert slow[name].seconds == pytest.approx(sum(slow[name].phases.values()))
    seen = b"".join(files.values()) + "".join(files).encode()
    assert b'"step":"search"' in seen
    for word in (stage.DESK_PASSWORD, stage.VNC_PASSWORD, "smith"):
        assert word.encode() not in seen


def test_without_the_program_in_the_session_a_run_is_as_before(tmp_path: Path) -> None:
    folder, journey = shared(tmp_path), stage.journey(tmp_path, JOURNEY)
    with desk() as host:
        steps, said = walked(journey, host.port, folder, patience=0.1)
    assert said == "logon: no answer, nobody watches"
    assert all(Phase.PROCESSING not in one.phases for one in steps.values())
    assert list(folder.iterdir()) == []
