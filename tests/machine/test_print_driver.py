"""The print driver at a real IPP printer, and at a real CUPS queue in front of it: every fault has its outcome."""

import hashlib
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from collector.model.run import Outcome, Phase, StepTiming
from deploy.lab import print_queue, printer
from deploy.lab.print_queue import PrintQueue, queueing
from deploy.lab.printer import Manner, Printer, printing
from probes.driver import WalkContext
from probes.drivers.print.plugin import PrintDriver
from probes.journey.file import Journey, parse

pytestmark = pytest.mark.integration

DOCUMENT = b"%PDF-1.4\n% a test page\n%%EOF\n"
SLOWEST_POLL = 0.3  # seconds: what the time to completed may differ from the printer's own


@pytest.fixture(scope="module")
def room() -> Iterator[Path]:
    """A folder that CUPS, which is somebody else, can reach."""
    with tempfile.TemporaryDirectory(prefix="printing") as name:
        folder = Path(name)
        folder.chmod(0o711)
        (folder / "page.pdf").write_bytes(DOCUMENT)
        yield folder


@pytest.fixture(scope="module")
def shared(room: Path) -> Iterator[Printer]:
    if printer.missing():
        pytest.skip(str(printer.missing()))
    (room / "printer").mkdir()
    with printing(room / "printer") as running:
        yield running


@pytest.fixture
def paper(shared: Printer) -> Iterator[Printer]:
    yield shared
    shared.settle()


@pytest.fixture(scope="module")
def queues(room: Path, shared: Printer) -> Iterator[PrintQueue]:
    if print_queue.missing():
        pytest.skip(str(print_queue.missing()))
    (room / "queue").mkdir()
    with queueing(room / "queue", shared.uri) as running:
        yield running


@pytest.fixture
def queue(queues: PrintQueue, paper: Printer) -> PrintQueue:
    return queues


def journey(room: Path, uri: str, **job: Any) -> Journey:
    said = {"uri": uri, "printer_name": printer.NAME, "file": "page.pdf", "poll": 0.05, "patience": 0.3, **job}
    timeout = said.pop("timeout", 8)
    lines = "".join(f"      {key}: {value}\n" for key, value in said.items())
    text = f"name: paper\nsteps:\n  - step: paper\n    action: print\n    timeout: {timeout}\n    printer:\n{lines}"
    return parse(text, room / "journey.yaml")


def printed(room: Path, uri: str, **job: Any) -> StepTiming:
    return sheet(room, uri, **job)[0]


def sheet(
    room: Path, uri: str, *, settings: Mapping[str, Any] | None = None, **job: Any
) -> tuple[StepTiming, dict[str, str]]:
    walked = journey(room, uri, **job)
    context = WalkContext(run_id="a" * 32, journey=walked)
    session = PrintDriver().configured(settings or {}).open(context)
    try:
        return session.perform(walked.steps[0]), context.facts
    finally:
        session.close()


def last_state(uri: str) -> str:
    """Ask the printer, with CUPS's own tool, how its last job ended."""
    said = subprocess.run(
        ["ipptool", "-tv", uri, "get-completed-jobs.test"], capture_output=True, text=True, check=True
    )
    return str(re.findall(r"job-state \(enum\) = (\S+)", said.stdout)[0])


@contextmanager
def later(seconds: float, act: Any) -> Iterator[None]:
    timer = threading.Timer(seconds, act)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def with_the_job(paper: Printer, act: Any) -> None:
    """Do it a moment after the engine has begun: then the printer has answered that it took the job."""
    while paper.idle():
        time.sleep(0.02)
    time.sleep(0.2)
    act()


def test_the_time_to_completed_is_the_printers_own(room: Path, paper: Printer) -> None:
    for seconds in (0.0, 0.9):
        paper.behave(Manner(seconds=seconds))
        timing = printed(room, paper.uri)
        paper.settle()
        assert timing.outcome is Outcome.OK, timing
        assert abs(timing.phases[Phase.SPOOL] - paper.processing_seconds()[-1]) < SLOWEST_POLL
        assert timing.seconds == pytest.approx(sum(timing.phases.values()), abs=0.02)
        assert timing.uncertainty_seconds is not None
        assert 0 < timing.uncertainty_seconds < SLOWEST_POLL


def test_the_printer_gets_the_document_and_its_pages_are_counted(room: Path, paper: Printer) -> None:
    paper.behave(Manner(sides=3))
    timing, facts = sheet(room, paper.uri, pages=3)
    assert timing.outcome is Outcome.OK
    assert paper.jobs[-1].digest == hashlib.sha256(DOCUMENT).hexdigest()
    assert facts == {"printer": "Example Printer", "printed_pages": "3"}


def test_a_wrong_number_of_pages_is_a_failure(room: Path, paper: Printer) -> None:
    paper.behave(Manner(sides=2))
    timing = printed(room, paper.uri, pages=1)
    assert (timing.outcome, timing.error_kind) == (Outcome.FAILED, "page_count")
    assert timing.seconds is not None


def test_another_printer_at_the_address_gets_nothing(room: Path, paper: Printer) -> None:
    before = len(paper.jobs)
    timing = printed(room, paper.uri, printer_name="Reception")
    assert (timing.outcome, timing.error_kind, timing.seconds) == (Outcome.NOT_READY, "printer_name", None)
    assert len(paper.jobs) == before


@pytest.mark.parametrize(
    ("reason", "kind"),
    [("media-empty", "out_of_paper"), ("media-jam", "jam"), ("cover-open", "open"), ("toner-empty", "out_of_toner")],
)
def test_what_keeps_it_from_printing_is_told_and_the_job_taken_back(
    room: Path, paper: Printer, reason: str, kind: str
) -> None:
    paper.behave(Manner(reason=reason))
    timing = printed(room, paper.uri)
    assert (timing.outcome, timing.error_kind) == (Outcome.FAILED, kind), timing
    assert reason in str(timing.error)
    assert "was taken back" in str(timing.error)


def test_paper_brought_in_time_is_no_failure(room: Path, paper: Printer) -> None:
    paper.behave(Manner(reason="media-needed"))
    with later(0.5, paper.help):
        timing = printed(room, paper.uri, patience=5)
    assert timing.outcome is Outcome.OK, timing
    assert timing.phases[Phase.SPOOL] > 0.3


def test_a_job_that_does_not_end_in_time_is_at_least_that_long_and_taken_back(room: Path, paper: Printer) -> None:
    paper.behave(Manner(seconds=2))
    timing = printed(room, paper.uri, timeout=0.7)
    assert (timing.outcome, timing.error_kind) == (Outcome.TIMEOUT, "unfinished")
    assert (timing.seconds, timing.censored) == (0.7, True)
    assert "was taken back" in str(timing.error)
    paper.settle()
    assert last_state(paper.uri) == "canceled"


def test_busy_and_aborted_are_told_apart(room: Path, paper: Printer) -> None:
    paper.behave(Manner(seconds=0.8, exit=1))
    first: list[StepTiming] = []
    thread = threading.Thread(target=lambda: first.append(printed(room, paper.uri)))
    thread.start()
    while paper.idle():
        time.sleep(0.02)
    second = printed(room, paper.uri)
    thread.join()
    assert (second.outcome, second.error_kind) == (Outcome.FAILED, "busy"), second
    assert (first[0].outcome, first[0].error_kind) == (Outcome.FAILED, "aborted"), first


def test_a_printer_that_hangs_is_sent_nothing(room: Path, paper: Printer) -> None:
    before = len(paper.jobs)
    paper.hang()
    timing = printed(room, paper.uri, timeout=0.5)
    assert (timing.outcome, timing.error_kind, timing.seconds) == (Outcome.TIMEOUT, "hung", 0.5)
    paper.settle()
    assert len(paper.jobs) == before


def test_a_printer_that_hangs_with_the_job_cannot_take_it_back(room: Path, paper: Printer) -> None:
    paper.behave(Manner(seconds=2))
    with later(0, lambda: with_the_job(paper, paper.hang)):
        timing = printed(room, paper.uri, timeout=2.2)
    assert (timing.outcome, timing.error_kind, timing.censored) == (Outcome.TIMEOUT, "hung", True), timing
    assert "could not be taken back" in str(timing.error)


def test_a_printer_that_dies_with_the_job(room: Path, shared: Printer) -> None:
    (room / "mortal").mkdir()
    with printing(room / "mortal") as mortal:
        mortal.behave(Manner(seconds=5))
        with later(0, lambda: with_the_job(mortal, mortal.program.process.kill)):
            timing = printed(room, mortal.uri)
    assert timing.outcome is Outcome.FAILED
    assert timing.error_kind in {"connect", "reset"}, timing
    assert "could not be taken back" in str(timing.error)
    assert timing.phases[Phase.SPOOL] < 3


def test_a_printer_that_is_gone(room: Path) -> None:
    timing = printed(room, f"ipp://127.0.0.1:{printer.free_port()}/ipp/print")
    assert (timing.outcome, timing.error_kind) == (Outcome.FAILED, "connect")
    assert printed(room, "ipp://printer.invalid/ipp/print").error_kind == "resolve"


def test_a_certificate_is_taken_when_somebody_vouches_for_it_or_nobody_has_to(room: Path) -> None:
    if printer.missing():
        pytest.skip(str(printer.missing()))
    authority = trustme.CA()
    made = authority.issue_cert("localhost")
    keys = room / "secure" / "keys"
    keys.mkdir(parents=True)
    (keys / "localhost.key").write_bytes(made.private_key_pem.bytes())
    (keys / "localhost.crt").write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
    authority.cert_pem.write_to_path(str(room / "authority.pem"))
    with printing(room / "secure") as secure:
        uri = secure.uri.replace("ipp://", "ipps://")
        refused = printed(room, uri)
        vouched, _ = sheet(room, uri, settings={"ca_file": str(room / "authority.pem")})
        unchecked, _ = sheet(room, uri, settings={"check_certificate": False})
    assert (refused.outcome, refused.error_kind) == (Outcome.FAILED, "tls"), refused
    assert (vouched.outcome, unchecked.outcome) == (Outcome.OK, Outcome.OK), vouched


def test_a_queue_learns_of_the_end_a_second_late_at_most(room: Path, queue: PrintQueue, paper: Printer) -> None:
    timing, facts = sheet(room, queue.uri, printer_name=print_queue.NAME)
    assert timing.outcome is Outcome.OK, timing
    assert timing.uncertainty_seconds is not None
    assert timing.phases[Phase.SPOOL] - paper.processing_seconds()[-1] < timing.uncertainty_seconds + SLOWEST_POLL
    assert facts["printed_pages"] == "1"


def test_waiting_behind_others_and_being_cancelled(room: Path, queue: PrintQueue, paper: Printer) -> None:
    paper.behave(Manner(seconds=2))
    first: list[StepTiming] = []
    thread = threading.Thread(target=lambda: first.append(printed(room, queue.uri, printer_name=print_queue.NAME)))
    thread.start()
    while paper.idle():
        time.sleep(0.02)
    second = printed(room, queue.uri, printer_name=print_queue.NAME, timeout=0.6)
    queue.manage("cancel", "-a")
    thread.join()
    assert (second.outcome, second.error_kind) == (Outcome.TIMEOUT, "queued"), second
    assert (first[0].outcome, first[0].error_kind) == (Outcome.FAILED, "cancelled"), first


@pytest.mark.parametrize(
    ("command", "undo", "kind"),
    [("cupsdisable", "cupsenable", "paused"), ("cupsreject", "cupsaccept", "rejecting")],
)
def test_a_queue_that_does_not_print(room: Path, queue: PrintQueue, command: str, undo: str, kind: str) -> None:
    queue.manage(command)
    try:
        timing = printed(room, queue.uri, printer_name=print_queue.NAME)
    finally:
        queue.manage(undo)
    assert (timing.outcome, timing.error_kind) == (Outcome.FAILED, kind), timing
    assert "nothing was sent" in str(timing.error)


def test_a_queue_that_is_not_there(room: Path, queue: PrintQueue) -> None:
    timing = printed(room, queue.uri + "-2", printer_name=print_queue.NAME)
    assert (timing.outcome, timing.error_kind) == (Outcome.FAILED, "not_found")
