"""What single samplers promise beyond the contract."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector.model.errors import ConfigError, WhichlayerError
from collector.model.layer import Layer
from probes.samplers._counters import Counters
from probes.samplers.host import PLUGIN as HOST
from probes.samplers.process import PLUGIN as PROCESS
from probes.samplers.volume import PLUGIN as VOLUME

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_a_counter_that_went_back_gives_nothing() -> None:
    counters = Counters()
    assert counters.advance(0.0, {"a": 5.0, "b": 1.0}).by == {}
    grown = counters.advance(2.0, {"a": 9.0, "b": 0.0, "c": 3.0})
    assert (grown.rate("a"), grown.rate("b"), grown.rate("c")) == (2.0, None, None)
    assert grown.mean("a", "b") is None


def test_a_mean_without_anything_counted_is_absent_not_0() -> None:
    counters = Counters()
    counters.advance(0.0, {"seconds": 1.0, "count": 4.0})
    assert counters.advance(1.0, {"seconds": 1.0, "count": 4.0}).mean("seconds", "count") is None
    assert counters.advance(2.0, {"seconds": 3.0, "count": 8.0}).mean("seconds", "count") == 0.5


@linux
@pytest.mark.parametrize(
    ("role", "metric", "layer"),
    [("endpoint", "endpoint.cpu.utilization", Layer.ENDPOINT), ("database", "system.cpu.utilization", Layer.DATABASE)],
)
def test_a_busy_processor_is_seen_in_the_layer_of_the_machine(role: str, metric: str, layer: Layer) -> None:
    host = HOST.open(site="test", component="thing-1", settings={"role": role})
    host.read()
    until = time.monotonic() + 0.4
    while time.monotonic() < until:
        pass
    found = {sample.metric: sample for sample in host.read()}
    assert 0.1 < found[metric].value <= 1.0
    assert found[metric].layer is layer
    memory = {sample.metric: sample.value for sample in host.read()}
    assert memory["system.memory.available"] > 1e6
    assert memory["system.memory.committed"] > 1e6
    assert ("system.cpu.utilization" in found) == (role != "endpoint")


@linux
def test_a_process_is_followed_over_its_restart(tmp_path: Path) -> None:
    pid_file = tmp_path / "app.pid"
    sampler = PROCESS.open(site="test", component="app-1", settings={"pid_file": str(pid_file)})
    assert sampler.read() == []
    program = [sys.executable, "-c", "import time; x = b'x' * 20_000_000; print(1, flush=True); time.sleep(60)"]
    for _release in range(2):
        with subprocess.Popen(program, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            pid_file.write_text(str(process.pid))
            first = {sample.metric: sample.value for sample in sampler.read()}
            assert set(first) == {"process.memory.resident"}
            assert first["process.memory.resident"] > 20e6
            time.sleep(0.05)
            second = {sample.metric: sample.value for sample in sampler.read()}
            always = {"process.memory.resident", "process.paging.faults.major", "process.cpu.utilization"}
            assert set(second) - {"process.cpu.wait"} == always  # a program may want no processor for a while
            process.kill()
    assert sampler.read() == []


@linux
def test_a_process_is_found_by_its_command_line() -> None:
    mark = "whichlayer-test-mark-7315"
    with subprocess.Popen([sys.executable, "-c", f"import time; '{mark}'; time.sleep(60)"]) as process:
        time.sleep(0.2)
        sampler = PROCESS.open(site="test", component="app-1", settings={"name": mark})
        assert [sample.metric for sample in sampler.read()] == ["process.memory.resident"]
        process.kill()


PARENT = """
import subprocess, sys
BUSY = '''
import time
end = time.monotonic() + 0.5
while time.monotonic() < end:
    pass
print(1, flush=True)
time.sleep(60)
'''
sys.stdin.readline()
child = subprocess.Popen([sys.executable, "-c", BUSY])
sys.stdin.readline()
child.kill()
"""


@linux
def test_children_count_and_a_new_one_adds_no_jump(tmp_path: Path) -> None:
    program = tmp_path / "app.py"
    program.write_text(PARENT)
    pid_file = tmp_path / "app.pid"
    settings = {"pid_file": str(pid_file), "children": True}
    with subprocess.Popen([sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        pid_file.write_text(str(process.pid))
        sampler = PROCESS.open(site="test", component="app-1", settings=settings)
        sampler.read()
        process.stdin.write(b"go\n")
        process.stdin.flush()
        process.stdout.readline()  # the child has used half a second by now
        found = {sample.metric: sample.value for sample in sampler.read()}
        assert found["process.memory.resident"] > 10e6
        assert found["process.cpu.utilization"] < 0.5
        process.stdin.close()
        process.wait(10)


@linux
def test_an_agent_sees_that_it_waits_for_a_processor_it_shares() -> None:
    sampler = PROCESS.open(site="test", component="pc-1", settings={"own": True, "layer": "endpoint"})
    everywhere = os.sched_getaffinity(0)
    busy = [sys.executable, "-c", "print(1, flush=True)\nwhile True: pass"]
    os.sched_setaffinity(0, {max(everywhere)})  # those started from here stay here
    rivals = [subprocess.Popen(busy, stdout=subprocess.PIPE, start_new_session=True) for _ in range(8)]
    try:
        for rival in rivals:
            assert rival.stdout is not None
            rival.stdout.readline()
        sampler.read()
        ends = time.monotonic() + 0.5
        while time.monotonic() < ends:
            pass
        (waiting,) = (sample for sample in sampler.read() if sample.metric == "process.cpu.wait")
    finally:
        os.sched_setaffinity(0, everywhere)
        for rival in rivals:
            rival.kill()
            rival.communicate()
    assert waiting.layer is Layer.ENDPOINT
    assert 0.6 < waiting.value < 1


@pytest.mark.parametrize("settings", [{}, {"name": "a", "pid_file": "b"}, {"name": "a", "own": True}])
def test_a_process_is_named_in_one_way(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="one of pid_file, name and own"):
        PROCESS.open(site="test", component="app-1", settings=settings)


def test_a_volume_takes_over_what_a_killed_agent_left_but_nothing_else(tmp_path: Path) -> None:
    scratch = tmp_path / ".whichlayer-vol-1.scratch"
    scratch.write_bytes(b"0" * 4096)
    sampler = VOLUME.open(site="test", component="vol-1", settings={"directory": str(tmp_path)})
    assert len(sampler.read()) == 2
    sampler.close()
    assert list(tmp_path.iterdir()) == []

    scratch.write_text("someone's notes")
    with pytest.raises(WhichlayerError, match="not a scratch file"):
        sampler.read()
    assert scratch.read_text() == "someone's notes"


def test_a_volume_that_is_not_there_says_so(tmp_path: Path) -> None:
    sampler = VOLUME.open(site="test", component="vol-1", settings={"directory": str(tmp_path / "gone")})
    with pytest.raises(WhichlayerError, match="cannot be probed"):
        sampler.read()
