"""The faults of the server's side are real: what is asked, locked, queued for, stopped and starved can be counted."""

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import psycopg
import pytest

from deploy.lab import postgres
from deploy.lab.program import wait_until
from deploy.lab.world import URL, World
from tests.lab.making import fault_of, made

pytestmark = pytest.mark.integration
VISITOR = Path(__file__).parents[1] / "lab" / "visitor.py"


def visit(world: World, walks: int = 1) -> Mapping[str, float]:
    """Walk at the server; give the median seconds of each step."""
    command = world.server().run([sys.executable, str(VISITOR), URL, "probe-visitor", str(walks)])
    password = world.passwords["visitor"]
    done = subprocess.run(command, input=password, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    walked = [json.loads(line) for line in done.stdout.splitlines()]
    return {step: statistics.median(one[step] for one in walked) for step in walked[0]}


def asked(world: World, query: str) -> float:
    with psycopg.connect(postgres.conninfo(world.sockets), autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return float(row[0])


def flush_seconds(world: World) -> float:
    """Time a tiny write with fsync on the volume, from where it is mounted."""
    code = (
        "import os, sys, time; f = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY); began = time.perf_counter();"
        "os.write(f, bytes(4096)); os.fsync(f); print(time.perf_counter() - began)"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(world.volume_path / "scratch" / "test")]
    done = subprocess.run(world.server().run(command), capture_output=True, text=True, check=True)
    return float(done.stdout)


def test_a_release_that_asks_once_per_row_asks_hundreds_of_times(world: World) -> None:
    ended = "SELECT sum(xact_commit) FROM pg_stat_database"
    usual = visit(world)
    with made(world, "n_plus_one"):
        before = asked(world, ended)
        bad = visit(world, 2)
        # A server process tells what it did when it has been idle for ten seconds, or with what it does next.
        wait_until(lambda: asked(world, ended) - before > 600, 15, lambda: "too few transactions")
    assert bad["search"] > usual["search"] + 0.1
    assert bad["open"] < bad["search"]


def test_a_held_lock_is_waited_for_by_who_saves(world: World) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO note%'"
    with made(world, "locks"):
        walking = threading.Thread(target=visit, args=(world, 3))
        walking.start()
        wait_until(lambda: asked(world, waiting) > 0, 10, lambda: "nobody waited for the lock")
        walking.join()
    assert asked(world, "SELECT count(*) FROM pg_locks WHERE NOT granted") == 0


def test_a_stalling_volume_stands_still_and_is_quick_again(world: World) -> None:
    with made(world, "storage_stalls"):
        time.sleep(0.2)
        assert flush_seconds(world) > 1.0
        assert flush_seconds(world) < 1.0


def test_writes_of_the_test_environment_are_queued_before_those_of_production(world: World) -> None:
    behind = world.directory / "disk" / "scratch" / "test-environment"  # the volume is mounted at the server only
    usual = flush_seconds(world)
    with made(world, "shared_storage"):
        written = behind / "load-0"
        wait_until(written.exists, 5, lambda: "nothing was written")
        time.sleep(0.5)  # until all have joined the queue
        assert flush_seconds(world) > usual + 0.04
    assert not behind.exists()


def test_a_slow_directory_is_waited_for_at_sign_in_alone(world: World) -> None:
    with made(world, "identity"):
        bad = visit(world)
    assert bad["login"] > 0.9
    assert bad["search"] < 0.9


def stopped(process: psutil.Process) -> bool:
    return bool(process.status() == psutil.STATUS_STOPPED)


def test_a_machine_that_is_not_run_goes_on_when_the_hypervisor_is_killed(world: World) -> None:
    assert world.application is not None
    assert world.database is not None
    machine = [psutil.Process(one.process.pid) for one in (world.application, world.database)]
    machine += machine[1].children()
    running = fault_of(world, "steal").start(world, 1.0)
    try:
        for process in machine:
            wait_until(lambda process=process: stopped(process), 5, lambda: "it was never stopped")  # type: ignore[misc]
        hypervisor = next(one for one in world.programs.running() if one.name == "hypervisor")
        hypervisor.process.kill()
        hypervisor.process.wait()
        wait_until(lambda: not any(map(stopped, machine)), 5, lambda: "it was left stopped")
        time.sleep(0.5)
        assert not any(map(stopped, machine))
    finally:
        running.stop()
    visit(world)


def test_an_application_with_competitors_waits_for_its_processor(world: World) -> None:
    def waited() -> float:
        assert world.application is not None
        tasks = Path(f"/proc/{world.application.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[1]) for task in tasks) / 1e9

    with made(world, "app_cpu"):
        time.sleep(0.5)
        before = waited()
        visit(world, 2)
        assert waited() - before > 0.2
