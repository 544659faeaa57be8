"""However the demo ends, nothing of it stays."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.integration


@contextmanager
def demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A demo that has begun to learn, and the folder of its world."""
    before = set(Path("/var/tmp").glob("whichlayer-lab-*"))
    said = tmp_path / "said"
    with said.open("w") as out:
        command = [sys.executable, "-m", "whichlayer", "demo", "--fast", "--fault", "query"]
        running = subprocess.Popen(command, stdout=out, stderr=out, text=True)
    try:
        deadline = time.monotonic() + 90
        while "Learning" not in said.read_text():
            if running.poll() is not None:
                pytest.skip(f"no demo on this machine: {said.read_text()[-300:]}")
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.2)
        (mine,) = {
            path
            for path in set(Path("/var/tmp").glob("whichlayer-lab-*")) - before
            if any(str(path) in " ".join(child.cmdline()) for child in psutil.Process(running.pid).children())
        }
        yield running, mine
    finally:
        if running.poll() is None:
            running.kill()
        running.wait()


def gone(started: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(started, timeout=20)
    return [one for one in alive if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []


def test_asked_to_end_it_takes_everything_down(tmp_path: Path) -> None:
    with demo(tmp_path) as (running, folder):
        started = psutil.Process(running.pid).children(recursive=True)
        assert len(started) > 8
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 128 + signal.SIGINT
        assert gone(started)
        assert not folder.exists()


def test_killed_it_leaves_no_process(tmp_path: Path) -> None:
    with demo(tmp_path) as (running, folder):
        started = psutil.Process(running.pid).children(recursive=True)
        running.kill()
        running.wait()
        assert gone(started)
        subprocess.run(["rm", "-r", str(folder)], check=True)  # nobody was left to do it
