"""The browser's own life: shared, replaced when it dies, and never left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from collector.model.run import Outcome, Run
from tests.sites import casebook
from tests.sites.portal import Identity, Portal
from tests.stages import browser as stage
from tests.stages.browser import needed

pytestmark = [pytest.mark.integration, pytest.mark.browser]

OPEN = "{step: a, timeout: 10 s, browser: [{open: /board}]}"
WAIT = "{step: b, timeout: 10 s, browser: [{open: '/board?before=8000'}]}"


browse = partial(stage.browse, idle="6 s")  # a browser of these tests alone, started in a temporary folder of theirs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Let browsers have a temporary folder that nobody else on this machine writes to."""
    own = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(own))
        yield own


@pytest.fixture(scope="module")
def portal(folder: Path) -> Iterator[Portal]:
    needed()
    until = time.monotonic() + 30
    while browsers():  # those of tests before these are closed when nobody has used them for some seconds
        assert time.monotonic() < until, "a browser of other tests is still there"
        time.sleep(0.2)
    with casebook.serving(Portal(Identity())) as running:
        yield running


def browsers(kind: str = "") -> list[psutil.Process]:
    """Find the processes of our browsers: of one kind, or those that started the others."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            line = child.cmdline()
        except psutil.NoSuchProcess:
            continue
        if (
            line
            and "chrom" in line[0]
            and (f"--type={kind}" in line if kind else not any("--type=" in one for one in line))
        ):
            found.append(child)
    return [one for one in found if "crashpad" not in one.name()]


def killed_in_the_middle(portal: Portal, kind: str) -> Run:
    def kill() -> None:
        while len(portal.headers) < 2:  # the second step has begun
            time.sleep(0.01)
        for process in browsers(kind):
            process.kill()

    portal.headers.clear()

    thread = threading.Thread(target=kill)
    thread.start()
    run = browse(portal.url, OPEN, WAIT)
    thread.join()
    return run


@pytest.mark.parametrize("kind", ["renderer", ""])
def test_a_crash_is_the_probe_s_own_and_the_next_run_is_well(portal: Portal, kind: str) -> None:
    browse(portal.url, OPEN)
    run = killed_in_the_middle(portal, kind)
    assert (run.steps[-1].step, run.steps[-1].outcome, run.steps[-1].error_kind) == ("b", Outcome.BROKEN, "browser")
    assert browse(portal.url, OPEN).outcome is Outcome.OK
    assert len(browsers()) == 1


def test_runs_share_one_browser_and_leave_nothing(portal: Portal, folder: Path) -> None:
    browse(portal.url, OPEN)
    (before,) = browsers()
    files, open_files = sorted(folder.iterdir()), psutil.Process().num_fds()
    renderers = len(browsers("renderer"))
    for _ in range(5):
        assert browse(portal.url, OPEN).outcome is Outcome.OK
    assert browsers() == [before]
    assert len(browsers("renderer")) <= renderers + 1  # it keeps one in reserve
    assert files
    assert sorted(folder.iterdir()) == files
    assert psutil.Process().num_fds() <= open_files + 1


def test_journeys_in_several_threads_take_turns(portal: Portal) -> None:
    runs: list[Run] = []
    threads = [
        threading.Thread(target=lambda: runs.append(browse(portal.url, OPEN, OPEN.replace("a", "c", 1))))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run.outcome for run in runs] == [Outcome.OK] * 3
    assert len(browsers()) == 1


PROGRAM = """
import sys
from tests.stages.browser import browse
browse(sys.argv[1], "{step: a, browser: [{open: /board}]}")
print("walked", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, None])
def test_a_browser_does_not_outlive_its_agent(portal: Portal, end: signal.Signals | None) -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    agent = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, portal.url], cwd=root, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with agent:
        assert agent.stdout is not None
        assert agent.stdout.readline() == "walked\n"
        started = psutil.Process(agent.pid).children(recursive=True)
        assert len(started) > 3
        if end is not None:
            agent.send_signal(end)
        agent.communicate(timeout=20)
    _, left = psutil.wait_procs(started, timeout=10)
    assert left == []
