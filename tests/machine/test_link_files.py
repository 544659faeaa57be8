"""File drops and reports: the age of what was delivered is judged, the time of looking is measured."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from collector.model.run import Outcome, Phase, Run
from tests.links.far_end import look
from tests.sites import raw

pytestmark = pytest.mark.integration


def deliver(path: Path, *, age: float, size: int = 10) -> None:
    path.write_bytes(b"x" * size)
    os.utime(path, (time.time() - age,) * 2)


def told(run: Run) -> tuple[Outcome, str | None]:
    (step,) = run.steps
    return step.outcome, step.error_kind


def test_the_newest_file_is_judged(tmp_path: Path) -> None:
    deliver(tmp_path / "monday.xml", age=90_000)
    deliver(tmp_path / "tuesday.xml", age=3600, size=2048)
    deliver(tmp_path / ".being-written.xml", age=1)
    (tmp_path / "archive").mkdir()
    run = look(tmp_path, "file_drop: {path: '.', oldest: 1 d, smallest: 1 kB, largest: 1 MiB}")
    (step,) = run.steps
    assert told(run) == (Outcome.OK, None)
    assert step.seconds is not None
    assert step.seconds < 1
    assert set(step.phases) == {Phase.PROCESSING}
    assert (step.requests, step.connection) == (0, None)
    assert run.facts["a.age"] in {"3600 s", "3601 s"}
    assert (run.facts["a.size"], run.facts["a.files"]) == ("2048 By", "2")


@pytest.mark.parametrize(
    ("check", "outcome", "kind"),
    [
        ("path: '*.xml', oldest: 30 min", Outcome.FAILED, "stale"),
        ("path: '*.xml', oldest: 1 d, smallest: 1 MB", Outcome.FAILED, "small"),
        ("path: '*.xml', oldest: 1 d, largest: 5 B", Outcome.FAILED, "large"),
        ("path: '*.csv', oldest: 1 d", Outcome.FAILED, "file_missing"),
        ("path: today.csv, oldest: 1 d", Outcome.FAILED, "file_missing"),
        ("path: gone/away, oldest: 1 d", Outcome.FAILED, "folder_missing"),
        ("path: 'gone/*.xml', oldest: 1 d", Outcome.FAILED, "folder_missing"),
        ("path: '*.late', oldest: 1 d", Outcome.NOT_READY, "clock"),
        ("path: '{which}.xml', oldest: 2 h", Outcome.OK, None),
    ],
)
def test_what_is_wrong_with_a_delivery(tmp_path: Path, check: str, outcome: Outcome, kind: str | None) -> None:
    deliver(tmp_path / "day.xml", age=3600)
    deliver(tmp_path / "tomorrow.late", age=-3600)
    run = look(tmp_path, f"file_drop: {{{check}}}", more="variables: {which: day}")
    assert told(run) == (outcome, kind), run.steps[0].error
    if kind == "stale":
        assert run.facts["a.age"].startswith("360")


def test_a_folder_that_may_not_be_looked_into(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o000)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)  # root may look everywhere
    try:
        run = look(tmp_path, "file_drop: {path: closed, oldest: 1 d}")
    finally:
        os.seteuid(before)
    assert told(run) == (Outcome.NOT_READY, "file_access"), run.steps[0].error


@contextmanager
def mounted(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Mount a share whose server can be stopped."""
    behind, place = tmp_path / "behind", tmp_path / "share"
    behind.mkdir()
    place.mkdir()
    command = [sys.executable, "-m", "deploy.lab.volume", str(behind), str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            until = time.monotonic() + 10
            while not place.is_mount():
                if server.poll() is not None or time.monotonic() > until:
                    pytest.skip("no FUSE here: a share that hangs cannot be made")
                time.sleep(0.02)
            deliver(behind / "day.xml", age=60)
            yield server
        finally:
            server.send_signal(signal.SIGCONT)
            server.terminate()


def test_a_share_whose_server_hangs_is_a_timeout_and_recovers(tmp_path: Path) -> None:
    with mounted(tmp_path) as server:
        check = "file_drop: {path: share, oldest: 1 d}"
        assert told(look(tmp_path, check)) == (Outcome.OK, None)
        server.send_signal(signal.SIGSTOP)
        for _ in range(2):  # the second look waits for the first, which still hangs
            run = look(tmp_path, check, timeout="400 ms")
            assert told(run) == (Outcome.TIMEOUT, "file_silent")
            assert run.steps[0].censored
        server.send_signal(signal.SIGCONT)
        assert told(look(tmp_path, check)) == (Outcome.OK, None)


def answer(body: bytes, **headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


def test_a_report_by_its_last_modified_is_held_against_the_servers_own_clock(tmp_path: Path) -> None:
    far = datetime.now(UTC) + timedelta(days=400)  # a clock that is far off, and the age is right all the same
    made = answer(b"x" * 500, Date=format_datetime(far), Last_Modified=format_datetime(far - timedelta(hours=2)))
    with raw.serving(raw.answering(made)) as port:
        report = f"report: {{url: 'http://127.0.0.1:{port}/extract', oldest: "
        run = look(tmp_path, f"{report}26 h}}")
        assert told(run) == (Outcome.OK, None)
        assert (run.facts["a.age"], run.facts["a.size"]) == ("7200 s", "500 By")
        assert told(look(tmp_path, f"{report}1 h}}")) == (Outcome.FAILED, "stale")


def test_a_report_told_in_json(tmp_path: Path) -> None:
    ended = datetime.now(UTC) - timedelta(hours=1)
    body = f'{{"job": {{"state": "done", "started": "{ended - timedelta(minutes=50):%Y-%m-%dT%H:%M:%S}",'
    body += f' "ended": "{ended:%Y-%m-%dT%H:%M:%SZ}", "bytes": 7000000}}}}'
    with raw.serving(raw.answering(answer(body.encode()))) as port:
        report = f"""report: {{url: 'http://127.0.0.1:{port}', finished: {{json: job.ended}},
            started: {{json: job.started}}, size: {{json: job.bytes}}, oldest: 95 d"""
        run = look(tmp_path, f"{report}, expect: {{json: {{job.state: done}}}}, longest: 1 h, smallest: 5 MB}}")
        assert told(run) == (Outcome.OK, None), run.steps[0].error
        assert (run.facts["a.took"], run.facts["a.size"]) == ("3000 s", "7000000 By")
        assert told(look(tmp_path, f"{report}, longest: 45 min}}")) == (Outcome.FAILED, "long")
        assert told(look(tmp_path, f"{report}, expect: {{json: {{job.state: failed}}}}}}")) == (
            Outcome.FAILED,
            "expect",
        )
        unclear = look(tmp_path, f"{report}, took: {{json: job.state}}}}")
        assert told(unclear) == (Outcome.BROKEN, "capture")
        assert "took cannot be read" in (unclear.steps[0].error or "")


def test_a_report_left_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text("finished 31/12/2025 23:30 took 00:12:34 rows 900\n")
    report = """report: {file: '*.log', finished: {regex: 'finished (\\S+ \\S+)'}, took: {regex: 'took (\\S+)'},
        time_format: '%d/%m/%Y %H:%M', zone: Europe/London, expect: {text: rows}, oldest: """
    run = look(tmp_path, f"{report}36500 d}}")
    assert told(run) == (Outcome.OK, None), run.steps[0].error
    assert run.facts["a.took"] == "754 s"
    assert set(run.steps[0].phases) == {Phase.PROCESSING, Phase.TRANSFER}
    expected = (datetime.now(UTC) - datetime(2025, 12, 31, 23, 30, tzinfo=UTC)).total_seconds()
    assert float(run.facts["a.age"].removesuffix(" s")) == pytest.approx(expected, abs=30)
    assert told(look(tmp_path, f"{report}1 h}}")) == (Outcome.FAILED, "stale")
    missing = look(tmp_path, "report: {file: run.log, expect: {text: succeeded}, oldest: 1 d}")
    assert told(missing) == (Outcome.FAILED, "expect")
