"""What the Windows spooler and a CUPS server say of a printer, and how it came after logon."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from collector.model.catalogue import CATALOGUE
from collector.model.errors import WhichlayerError
from collector.model.metric import Direction
from collector.model.sample import Sample
from probes.context.logon import seconds_since_logon
from probes.samplers._printer_watch import PrinterWatch, Seen
from probes.samplers.spooler import OpenSpooler
from probes.windows.port import Windows
from probes.windows.spooler import Spooler
from probes.windows.spooler_layout import is_xps_driver, job_state
from tests.windows.recording import Recording, blocks, denied
from tests.windows.spooler_recording import SpoolerRecording

READY = Seen(usable=True, jobs=0, words=())
OFFLINE = Seen(usable=False, jobs=3, words=("offline",))


@pytest.mark.parametrize(
    ("block", "usable", "jobs", "words"),
    [("printer_ready", True, 0, ()), ("printer_ill", False, 3, ("paper_out", "offline", "work_offline"))],
)
def test_the_spooler_says_whether_a_printer_would_print(
    block: str, usable: bool, jobs: int, words: tuple[str, ...]
) -> None:
    spooler = Spooler(SpoolerRecording(printer_block=block))
    (name,) = spooler.names("ward 3 (from *")
    state = spooler.state(name)
    assert (name, state.usable, state.jobs, state.words) == ("Ward 3 (from desk) in session 2", usable, jobs, words)
    assert (state.driver, state.keeps) == ("Example Universal Driver", False)
    assert spooler.names("Ward 4*") == []


def test_status_bits_of_jobs_and_drivers_become_words() -> None:
    assert [is_xps_driver(blocks()[name]) for name in ("driver_v3", "driver_v4")] == [False, True]
    assert job_state(blocks()["job_printed"]).words == {"printed", "retained"}
    assert job_state(blocks()["job_printed"]).pages == 1
    waiting = job_state(blocks()["job_waiting"])
    assert (waiting.words, waiting.position, waiting.pages) == (frozenset(), 2, 0)


def values(samples: Sequence[Sample]) -> dict[str, float]:
    return {sample.metric: sample.value for sample in samples}


def watch() -> PrinterWatch:
    return PrinterWatch(site="test", component="ward-3")


def test_a_printer_is_followed_from_logon_until_it_is_there_and_usable() -> None:
    watching = watch()
    assert values(watching.samples(None, 4.0)) == {"printer.present": 0.0, "printer.awaited.after_logon": 4.0}
    there = {sample.metric: sample for sample in watching.samples(OFFLINE, 9.0)}
    assert there["printer.present.after_logon"].value == pytest.approx(9.0, abs=0.5)
    assert there["printer.awaited.after_logon"].value == 9.0
    assert there["printer.usable"].labels["state"] == "offline"
    assert "printer.usable.after_logon" not in there
    ready = {sample.metric: sample for sample in watching.samples(READY, 20.0)}
    assert ready["printer.usable.after_logon"].value == pytest.approx(20.0, abs=0.5)
    assert 0 <= float(ready["printer.usable.after_logon"].labels["uncertainty_seconds"]) < 0.5
    for seen in (READY, OFFLINE, None):  # what comes later is no logon
        assert not [name for name in values(watching.samples(seen, 30.0)) if name.endswith("after_logon")]


def test_it_came_between_two_looks_so_the_middle_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((100.0, 110.0))
    monkeypatch.setattr("probes.samplers._printer_watch.time.monotonic", lambda: next(clock))
    watching = watch()
    watching.samples(None, 2.0)
    came = {sample.metric: sample for sample in watching.samples(READY, 12.0)}["printer.usable.after_logon"]
    assert (came.value, came.labels["uncertainty_seconds"]) == (7.0, "5.000")


def test_one_that_never_comes_is_said_and_is_no_sample_of_a_time() -> None:
    watching = watch()
    found = [values(watching.samples(None, since)) for since in (2.0, 60.0, 3600.0)]
    assert [row["printer.awaited.after_logon"] for row in found] == [2.0, 60.0, 3600.0]
    assert {name for row in found for name in row} == {"printer.present", "printer.awaited.after_logon"}
    assert CATALOGUE["printer.awaited.after_logon"].direction is Direction.NEUTRAL


def test_who_did_not_see_it_missing_after_logon_tells_nothing_about_logon() -> None:
    usable_from_the_start, late, nobody_knows = watch(), watch(), watch()
    assert not {name for name in values(usable_from_the_start.samples(READY, 5.0)) if "after_logon" in name}
    for seen in (None, READY):
        assert not {name for name in values(late.samples(seen, 4000.0)) if "after_logon" in name}
        assert not {name for name in values(nobody_knows.samples(seen, None)) if "after_logon" in name}


def sampler(spooler: SpoolerRecording, windows: Recording | None = None) -> OpenSpooler:
    return OpenSpooler(
        site="test",
        component="ward-3",
        printer="Ward 3*",
        windows=Windows(windows or Recording()),
        spooler=Spooler(spooler),
    )


def test_a_mapped_printer_is_read_with_the_time_since_this_sessions_logon() -> None:
    recording = SpoolerRecording(printer_count=0)
    reading = sampler(recording)
    assert values(reading.read()) == {"printer.present": 0.0, "printer.awaited.after_logon": 30.0}
    recording.printer_count = 2
    assert values(reading.read())["printer.usable.after_logon"] == pytest.approx(30.0, abs=0.5)


def test_a_spooler_that_does_not_answer_is_said() -> None:
    with pytest.raises(WhichlayerError, match="the spooler cannot be asked: Access is denied"):
        sampler(SpoolerRecording(listed=denied)).read()


def process(root: Path, name: str, session: int, started: int) -> None:
    folder = root / "proc" / name
    folder.mkdir(parents=True)
    (folder / "sessionid").write_text(f"{session}")
    (folder / "stat").write_text(f"{name} (a (b) c) S " + " ".join(["0"] * 18) + f" {started} 0 0\n")


def test_a_session_began_with_its_oldest_process(tmp_path: Path) -> None:
    process(tmp_path, "self", 7, 9000)
    process(tmp_path, "10", 4294967295, 100)
    process(tmp_path, "20", 7, 5000)
    process(tmp_path, "30", 7, 9000)
    process(tmp_path, "40", 8, 200)
    (tmp_path / "proc" / "uptime").write_text("100.50 300.00\n")
    assert seconds_since_logon(tmp_path) == pytest.approx(50.5)


def test_outside_a_session_and_without_the_kernels_word_nobody_knows(tmp_path: Path) -> None:
    assert seconds_since_logon(tmp_path) is None
    process(tmp_path, "self", 4294967295, 100)
    (tmp_path / "proc" / "uptime").write_text("100.50 300.00\n")
    assert seconds_since_logon(tmp_path) is None
