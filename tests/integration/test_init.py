"""``whichlayer init`` against Roundup, an issue tracker nobody here wrote: sign-in with CSRF, search, save."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest

pytestmark = pytest.mark.integration

BIN = Path(sys.executable).parent
SAFE = "WHICHLAYER SAFE RECORD"
PASSWORD = "canary-71c4-demo"


@dataclass(frozen=True)
class Tracker:
    url: str
    home: Path


def _as_user() -> list[str]:
    """Roundup refuses root, as a good server does: become another user of a user namespace."""
    if os.geteuid() != 0:
        return []
    command = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("running as root where user namespaces are not allowed")
    return command


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    folder = tmp_path_factory.mktemp("roundup")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["-b", "sqlite", "-B", "127.0.0.1", "-H", "127.0.0.1", "-p", str(port), "-t", "classic", "tracker"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [*_as_user(), str(BIN / "roundup-demo"), *options],
            cwd=folder,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    url = f"http://127.0.0.1:{port}/demo/"
    try:
        _wait_for(url, folder)
        admin = [*_as_user(), str(BIN / "roundup-admin"), "-i", "tracker"]
        for title in ("Printer on floor 2", "Drop outs on wifi", SAFE):
            subprocess.run([*admin, "create", "issue", f"title={title}", "priority=1"], cwd=folder, check=True)
        subprocess.run([*admin, "set", "user3", f"password={PASSWORD}"], cwd=folder, check=True)
        yield Tracker(url=url, home=folder)
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(url: str, folder: Path) -> None:
    for _ in range(300):
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("Roundup did not start: " + (folder / "log").read_text()[-500:])


def run(*words: str, folder: Path, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"TRACKER_USER": "demo", "TRACKER_PASSWORD": password, "COLUMNS": "120"}
    command = [str(BIN / "whichlayer"), *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def init(url: str, folder: Path, *more: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    words = ["init", "--url", url, "--username", "env:TRACKER_USER", "--password", "env:TRACKER_PASSWORD"]
    return run(*words, "--link", "wired", "--search", "wifi", "--json", *more, folder=folder, password=password)


def test_a_safe_record_is_found_written_to_and_read_back(tracker: Tracker, tmp_path: Path) -> None:
    done = init(tracker.url, tmp_path, "--safe-record", SAFE)
    assert done.returncode == 0, done.stderr
    walked = json.loads(done.stdout)
    assert (walked["site"], walked["access"]["link"], walked["environment"]) == ("my-site", "wired", "live")
    assert walked["access"]["link_source"].startswith("label in whichlayer.yaml")
    assert [step["step"] for step in walked["steps"]] == ["login", "search", "open", "find-safe-record", "save"]
    assert {step["outcome"] for step in walked["steps"]} <= {"ok", "slow"}
    assert "probe note" in httpx.get(tracker.url + "issue3").text
    written = "".join(path.read_text() for path in tmp_path.iterdir() if path.is_file())
    assert PASSWORD not in written + done.stdout + done.stderr


def test_without_a_safe_record_nothing_is_written(tracker: Tracker, tmp_path: Path) -> None:
    done = init(tracker.url, tmp_path)
    assert done.returncode == 0, done.stderr
    assert [step["step"] for step in json.loads(done.stdout)["steps"]] == ["login", "search", "open"]
    assert "action: write" not in (tmp_path / "first-journey.yaml").read_text()


def test_what_it_writes_passes_the_checks(tracker: Tracker, tmp_path: Path) -> None:
    assert init(tracker.url, tmp_path, "--safe-record", SAFE).returncode == 0
    for words in (("journey", "check", "first-journey.yaml"), ("agent", "check", "--config", "whichlayer.yaml")):
        checked = run(*words, folder=tmp_path)
        assert checked.returncode == 0, checked.stderr


def test_it_never_overwrites(tracker: Tracker, tmp_path: Path) -> None:
    (tmp_path / "whichlayer.yaml").write_text("site: mine\n")
    done = init(tracker.url, tmp_path)
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert (tmp_path / "whichlayer.yaml").read_text() == "site: mine\n"
    assert not (tmp_path / "first-journey.yaml").exists()


def test_a_refused_sign_in_says_so_and_writes_nothing(tracker: Tracker, tmp_path: Path) -> None:
    done = init(tracker.url, tmp_path, password="canary-wrong-pass")
    assert done.returncode == 1
    assert "sign-in was refused" in done.stderr
    assert "canary-wrong-pass" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_answers_that_cannot_be_are_refused_before_anything_is_asked_or_written(tmp_path: Path) -> None:
    done = init("http://127.0.0.1:9/", tmp_path, "--link", "cable", "--site", "Our Council", "--endpoint", "desk: 1")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for where in ("site", "agent.access.link", "agent.endpoint"):
        assert f"{where}: " in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "words"), [("http://127.0.0.1:9/", "cannot be reached"), ("ftp://x/", "unsupported protocol")]
)
def test_an_address_that_is_none(url: str, words: str, tmp_path: Path) -> None:
    done = init(url, tmp_path)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
