"""The lab's world is real: its application works, and each thing made bad is measurably bad, and good again."""

import json
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import httpx2
import psutil
import pytest
import uvicorn

from collector.plugin import load, names
from deploy.lab import faults, postgres, session
from deploy.lab.casebook.app import Casebook, create
from deploy.lab.casebook.database import Database
from deploy.lab.casebook.documents import DocumentIndex
from deploy.lab.fault import Fault
from deploy.lab.program import module, wait_until
from deploy.lab.world import ADDRESS, RELEASE, URL, World
from tests.lab import visitor
from tests.lab.making import STRONG, fault_of
from tests.lab.walker import at_the_desk

pytestmark = pytest.mark.integration
VISITOR = Path(__file__).parents[1] / "lab" / "visitor.py"


def visit(world: World, where: str, walks: int = 3) -> Mapping[str, float]:
    """Walk from a namespace; give the median seconds of each step."""
    command = world.namespaces[where].run([sys.executable, str(VISITOR), URL, "probe-visitor", str(walks)])
    password = world.passwords["visitor"]
    done = subprocess.run(command, input=password, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    walked = [json.loads(line) for line in done.stdout.splitlines()]
    return {step: statistics.median(one[step] for one in walked) for step in walked[0]}


def test_application_is_walked_from_every_namespace(world: World) -> None:
    for where in ("server", "wired", "wifi"):
        assert set(visit(world, where, 1)) == {"page", "login", "search", "find", "open", "save", "print"}


def test_wifi_fault_delays_wifi_and_nobody_else(world: World) -> None:
    fault = fault_of(world, "wifi")
    usual = visit(world, "wifi")
    running = fault.start(world, STRONG)
    try:
        bad, wired = visit(world, "wifi"), visit(world, "wired")
    finally:
        running.stop()
    assert bad["open"] > 5 * usual["open"]
    assert bad["open"] > 0.15  # two ways of at least 70 ms
    assert wired["open"] < bad["open"] / 3
    assert visit(world, "wifi")["open"] < bad["open"] / 3


def test_wired_fault_fills_the_queue(world: World) -> None:
    fault = fault_of(world, "wired")
    usual = visit(world, "wired")
    running = fault.start(world, STRONG)
    try:
        time.sleep(2)  # the download needs a moment to fill the queue
        bad = visit(world, "wired")
    finally:
        running.stop()
    assert sum(bad.values()) > 5 * sum(usual.values())


def test_storage_fault_slows_what_commits_and_the_volume_itself(world: World) -> None:
    fault = fault_of(world, "storage")
    usual, flush = visit(world, "server"), _flush_seconds(world)
    running = fault.start(world, STRONG)
    try:
        bad, slow_flush = visit(world, "server", 3), _flush_seconds(world)
    finally:
        running.stop()
    assert bad["save"] > 5 * usual["save"]
    assert bad["search"] < bad["save"] / 3
    assert slow_flush > 5 * flush
    assert slow_flush > 0.15


@pytest.mark.parametrize(
    ("name", "journey", "phase"),
    [("printer", "test-page", "spool"), ("external_link", "national-link", "server_external")],
)
def test_what_the_desk_uses_besides_is_slow_in_the_phase_that_is_its_own(
    world: World, name: str, journey: str, phase: str
) -> None:
    fault = fault_of(world, name)
    usual = at_the_desk(world, journey)
    running = fault.start(world, STRONG)
    try:
        bad = at_the_desk(world, journey)
    finally:
        running.stop()
    assert bad["phases"][phase] > usual["phases"][phase] + 0.5
    assert bad["seconds"] - bad["phases"][phase] < usual["seconds"] + 0.5
    assert at_the_desk(world, journey)["phases"][phase] < bad["phases"][phase] - 0.5


def _flush_seconds(world: World) -> float:
    """Time a tiny write with fsync on the volume, from where it is mounted."""
    code = (
        "import os, sys, time; f = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY); began = time.perf_counter();"
        "os.write(f, bytes(4096)); os.fsync(f); print(time.perf_counter() - began)"
    )
    command = [sys.executable, "-c", code, str(world.volume_path / "scratch" / "test")]
    done = subprocess.run(world.server().run(command), capture_output=True, text=True, check=True)
    return float(done.stdout)


def test_memory_fault_makes_real_major_faults(world: World) -> None:
    fault = fault_of(world, "memory")
    usual = visit(world, "server")
    before = _major_faults(world)
    running = fault.start(world, STRONG)
    try:
        bad = visit(world, "server", 3)
        during = _major_faults(world)
    finally:
        running.stop()
    assert during - before > 1000
    assert bad["search"] > 5 * usual["search"]
    assert bad["page"] < bad["search"] / 3  # what needs no look-up is as before
    visit(world, "server", 1)  # brings the working set back
    assert visit(world, "server")["search"] < bad["search"] / 3


def _major_faults(world: World) -> int:
    assert world.application is not None
    fields = Path(f"/proc/{world.application.process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[9])  # majflt, the twelfth


def test_release_with_a_slow_query_comes_and_goes_without_outage(world: World) -> None:
    fault = fault_of(world, "query")
    usual = visit(world, "server")
    walked: list[Mapping[str, float]] = []
    meanwhile = threading.Thread(target=lambda: walked.append(visit(world, "server", 25)))
    meanwhile.start()
    running = fault.start(world, STRONG)
    try:
        bad = visit(world, "server", 3)
    finally:
        running.stop()
    meanwhile.join()
    assert walked  # nobody was refused while releases changed
    assert bad["search"] > usual["search"] + 0.15
    assert bad["save"] < bad["search"] / 3
    assert world.application is not None
    assert f"--release {RELEASE}" in " ".join(psutil.Process(world.application.process.pid).cmdline())


def test_innocent_is_busy_and_slows_nothing_much(world: World) -> None:
    fault = fault_of(world, "innocent")
    assert fault.truth is None
    running = fault.start(world, STRONG)
    try:
        time.sleep(3)
        assert any((world.directory / "elsewhere").iterdir())
        assert visit(world, "server")["search"] < 0.1
    finally:
        running.stop()


@pytest.fixture
def casebook(world: World) -> Iterator[httpx2.Client]:
    """Casebook served by this process, on the world's database."""
    database = Database(postgres.conninfo(world.sockets))
    book = Casebook(database=database, documents=DocumentIndex(world.documents), release="3.58", secret=b"test")
    server = uvicorn.Server(uvicorn.Config(create(book), log_level="warning", port=0))
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        serving.start()
        with httpx2.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", trust_env=False) as client:
            yield client
        server.should_exit = True
        serving.join()
    database.close()


def sign_in(client: httpx2.Client, user: str, password: str) -> httpx2.Response:
    token = visitor.csrf(client.get("/login"))
    return client.post("/login", data={"username": user, "password": password, "csrf_token": token})


def test_account_locks_at_three_bad_passwords(world: World, casebook: httpx2.Client) -> None:
    account, password = "probe-session", world.passwords["session"]
    for _ in range(2):
        refused = sign_in(casebook, account, "wrong")
        assert (refused.status_code, "wrong user name or password" in refused.text) == (401, True)
    assert sign_in(casebook, account, password).status_code == 303  # a good one clears the count
    for _ in range(3):
        assert sign_in(casebook, account, "wrong").status_code == 401
    locked = sign_in(casebook, account, password)
    assert (locked.status_code, "account locked" in locked.text) == (403, True)


def test_forms_without_their_token_are_refused(world: World, casebook: httpx2.Client) -> None:
    casebook.get("/login")
    form = {"username": "probe-visitor", "password": world.passwords["visitor"]}
    assert casebook.post("/login", data=form).status_code == 403
    assert casebook.post("/login", data={**form, "csrf_token": "made up"}).status_code == 403
    assert casebook.post("/login", content=b"x" * 100_000).status_code == 403
    assert sign_in(casebook, "probe-visitor", world.passwords["visitor"]).status_code == 303
    assert casebook.post("/cases/1/notes", data={"note": "forged"}).status_code == 403
    assert "forged" not in casebook.get("/cases/1").text


def test_pages_need_a_session_and_tell_their_times(world: World, casebook: httpx2.Client) -> None:
    for path in ("/cases", "/cases/1", "/cases/1/print"):
        answer = casebook.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    sign_in(casebook, "probe-visitor", world.passwords["visitor"])
    answer = casebook.get("/cases", params={"q": "<script>smith"})
    assert "<script>smith" not in answer.text
    assert answer.headers["X-Release"] == "3.58"
    assert "Release 3.58" in answer.text
    assert re.fullmatch(r"app;dur=[\d.]+, db;dur=[\d.]+", answer.headers["Server-Timing"])
    assert casebook.get("/cases/999999").status_code == 404
    found = casebook.get("/cases", params={"q": "WHICHLAYER"}).text
    assert found.count("WHICHLAYER SAFE RECORD") == 1
    assert "WHICHLAYER" not in casebook.get("/cases", params={"q": "smith"}).text


def test_session_is_a_real_one_seen_across_the_cable(world: World, tmp_path: Path) -> None:
    problem = session.missing()
    if problem:
        pytest.skip(problem)
    told = tmp_path / "environment"
    inside = ["sh", "-c", f'echo "$DISPLAY $VNCDESKTOP" > {told}; exec sleep 60']
    desktop = world.programs.start("desktop", world.server().run(module("session"), "host", "5999", *inside))
    viewer = world.programs.start("viewer", world.namespaces["wired"].run(module("session"), "view", ADDRESS, "5999"))
    try:
        wait_until(lambda: "accepted: 10.77.1.2" in desktop.log.read_text(), 20, desktop.last_words)
        wait_until(lambda: told.exists() and told.read_text() != "", 20, desktop.last_words)
        assert told.read_text().split() == ["127.0.0.1:77", "lab:77"]
        assert world.programs.dead() == []
    finally:
        world.programs.stop(viewer)
        world.programs.stop(desktop)


def test_every_fault_keeps_the_contract(world: World) -> None:
    for name in names(faults):
        fault = load(faults, name, Fault)
        assert fault.words
        lacking = fault.skipped_because(world)
        may_lack = {"session_cpu", "display_link", "endpoint_cpu"}  # of packages, and of rights
        assert lacking is None or name in may_lack or lacking in world.missing.values()


def test_nothing_is_left_behind(world: World) -> None:
    """The last: the world is gone afterwards."""
    mine = psutil.Process().children(recursive=True)
    started = [child for child in mine if str(world.directory) in " ".join(child.cmdline())]
    assert started
    world.close()
    assert world.leftovers() == []
    assert not world.directory.exists()
    assert str(world.directory) not in Path("/proc/mounts").read_text()
    assert [child for child in started if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
