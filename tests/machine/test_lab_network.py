"""What is made bad on the ways of the lab's world and at its endpoints is really bad, and nothing beside it is."""

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from deploy.lab import beyond, resolver, session
from deploy.lab.world import ADDRESS, PORT, World
from tests.lab.making import made

pytestmark = pytest.mark.integration


def dial(world: World, where: str, host: str, port: int, seconds: float = 0.0) -> list[float]:
    """Look up and connect from a namespace, for so long and at least once; seconds each, 1.5 for no answer."""
    code = (
        "import json, socket, sys, time; end = time.monotonic() + float(sys.argv[3]); took = []\n"
        "while not took or time.monotonic() < end:\n"
        "    began = time.perf_counter()\n"
        "    try: socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1.5).close()\n"
        "    except ConnectionRefusedError: pass\n"
        "    except TimeoutError: pass\n"
        "    took.append(time.perf_counter() - began); time.sleep(0.02)\n"
        "print(json.dumps(took))"
    )
    command = world.namespaces[where].run([sys.executable, "-c", code, host, str(port), str(seconds)])
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [float(one) for one in json.loads(done.stdout)]


def test_roaming_stands_still_again_and_again_and_loses_hardly_anything(world: World) -> None:
    with made(world, "wifi_roam"):
        took = dial(world, "wifi", ADDRESS, PORT, seconds=3)
    assert max(took) > 0.4
    assert statistics.median(took) < max(took) / 3


def test_the_core_is_as_far_from_every_link(world: World) -> None:
    with made(world, "wan"):
        for where in ("wired", "wifi"):
            assert max(dial(world, where, ADDRESS, PORT)) > 0.15  # two ways of 95 ms, or a packet lost
        assert max(dial(world, "wired", beyond.EDGE, 9)) < 0.15


def test_slow_names_slow_what_goes_by_name_only(world: World) -> None:
    with made(world, "dns"):
        assert max(dial(world, "wired", resolver.NAME, PORT)) > 0.5
        assert max(dial(world, "wired", ADDRESS, PORT)) < 0.5
    assert max(dial(world, "wired", resolver.NAME, PORT)) < 0.5


def test_filtered_is_nothing_beyond_our_edge(world: World) -> None:
    with made(world, "link_filtered"):
        assert min(dial(world, "wired", beyond.ADDRESS, 8443)) >= 1.4
        assert max(dial(world, "wired", beyond.EDGE, 9)) < 0.5
    assert max(dial(world, "wired", beyond.ADDRESS, 8443)) < 1.4


def test_the_display_is_late_and_nothing_else_on_the_cable(world: World) -> None:
    with closing(world.server().listen(session.PORT, ADDRESS)), made(world, "display_link"):
        assert min(dial(world, "wired", ADDRESS, session.PORT)) > 0.2
        assert min(dial(world, "wired", ADDRESS, PORT, seconds=0.3)) < 0.1


@pytest.mark.parametrize(("name", "endpoint"), [("endpoint_cpu", "wifi-1"), ("session_cpu", "session-1")])
def test_a_crowd_keeps_an_endpoint_from_its_processor_and_lets_it_go(world: World, name: str, endpoint: str) -> None:
    victim = world.programs.start("victim", [sys.executable, "-c", "while True: pass"])
    world.agents[endpoint] = [victim]
    try:
        usual = os.sched_getaffinity(victim.process.pid)
        with made(world, name):
            assert os.sched_getaffinity(victim.process.pid) == {max(usual)}
            ran, waited = _turns(victim.process.pid)
            time.sleep(0.4)
            ran, waited = (
                after - before for after, before in zip(_turns(victim.process.pid), (ran, waited), strict=True)
            )
            assert waited > 5 * ran
        assert os.sched_getaffinity(victim.process.pid) == usual
    finally:
        del world.agents[endpoint]
        world.programs.stop(victim)


def _turns(pid: int) -> tuple[int, int]:
    """Give for how long a process ran and waited for its turn, in nanoseconds."""
    ran, waited, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
    return int(ran), int(waited)
