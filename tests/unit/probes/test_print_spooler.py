"""A document through the Windows spooler, over recorded memory: every state of a job has its one outcome."""

import time
from pathlib import Path
from typing import Any

import pytest

from collector.model.errors import WhichlayerError
from collector.model.run import Outcome, Phase
from probes.driver import WalkContext
from probes.drivers.http.failure import StepEnded
from probes.drivers.print.job import Delivery, Order, Patience
from probes.drivers.print.plugin import PLUGIN, OpenPrint, PrintSettings
from probes.drivers.print.spooler_delivery import deliver
from probes.journey.file import parse
from probes.windows.spooler import DELETE, RETAIN, Spooler
from tests.windows.recording import blocks
from tests.windows.spooler_recording import SpoolerRecording

DOCUMENT = b"%PDF-1.4\n" + 70_000 * b"%"
PRINTER = "Ward 3 (from desk) in session 2"


def order(**more: Any) -> Order:
    known: dict[str, Any] = {"printer_name": "ward 3 (from *", "timeout": 5, "poll": 0.02, "patience": 0.1, **more}
    return Order(
        uri="spooler:", job_name="whichlayer 1", document=DOCUMENT, format="application/pdf", trust=None, **known
    )


def printed(recording: SpoolerRecording, **more: Any) -> Delivery:
    delivery = deliver(order(**more), Spooler(recording))
    time.sleep(0.02)  # the thread that lets go of the printer
    return delivery


def ending(delivery: Delivery) -> tuple[Outcome, str]:
    assert delivery.ended is not None
    return delivery.ended.outcome, delivery.ended.kind


def test_a_document_is_given_as_it_is_and_its_job_seen_printed() -> None:
    recording = SpoolerRecording(states=("job_spooling", "job_printing", "job_complete", "job_printed"))
    delivery = printed(recording)
    assert delivery.ended is None, delivery.ended
    assert recording.document == DOCUMENT
    assert recording.begun == ("whichlayer 1", "RAW")
    assert set(delivery.phases) == {Phase.PROCESSING, Phase.TRANSFER, Phase.SPOOL}
    assert delivery.phases[Phase.SPOOL] > 40e6  # ns: three looks before the last one
    assert delivery.seconds == pytest.approx(sum(delivery.phases.values()) / 1e9, abs=0.05)
    assert 0 < delivery.unsure < delivery.phases[Phase.SPOOL] / 2
    assert (delivery.pages, delivery.printer) == (1, "Example Universal Driver")


def test_a_printed_job_stays_until_it_was_seen_and_no_longer() -> None:
    recording = SpoolerRecording()
    assert printed(recording).ended is None
    assert recording.commands == [RETAIN, DELETE]
    assert recording.open_handles == 0


def test_a_queue_that_keeps_printed_documents_is_left_as_it_is() -> None:
    recording = SpoolerRecording(printer_block="printer_keeping")
    assert printed(recording).ended is None
    assert recording.commands == []


def test_bytes_pass_a_driver_that_takes_xps_by_its_own_type() -> None:
    recording = SpoolerRecording(driver_block="driver_v4")
    assert printed(recording).ended is None
    assert recording.begun == ("whichlayer 1", "XPS_PASS")


@pytest.mark.parametrize(
    ("states", "outcome", "kind"),
    [
        (["job_paper_out"], Outcome.FAILED, "out_of_paper"),
        (["job_offline"], Outcome.FAILED, "offline"),
        (["job_error"], Outcome.FAILED, "stopped"),
        (["job_printing", "job_deleting"], Outcome.FAILED, "cancelled"),
        (["job_printing", "job_complete", None], Outcome.FAILED, "forgotten"),
        (["job_waiting"], Outcome.TIMEOUT, "queued"),
        (["job_paused"], Outcome.TIMEOUT, "held"),
        (["job_printing"], Outcome.TIMEOUT, "unfinished"),
        (["job_complete"], Outcome.TIMEOUT, "unfinished"),
    ],
)
def test_a_job_that_is_not_printed_says_why(states: list[str | None], outcome: Outcome, kind: str) -> None:
    recording = SpoolerRecording(states=states)
    delivery = printed(recording, timeout=0.25 if outcome is Outcome.TIMEOUT else 5)
    assert ending(delivery) == (outcome, kind), delivery.ended
    left = kind not in {"cancelled", "forgotten"}
    assert ("the job was taken back" in str(delivery.ended)) == left
    assert (DELETE in recording.commands) == left


def test_paper_brought_in_time_is_no_failure() -> None:
    recording = SpoolerRecording(states=("job_paper_out", "job_printing", "job_paper_out", "job_printed"))
    assert printed(recording, patience=3).ended is None


def test_patience_begins_anew_when_it_goes_on() -> None:
    patience = Patience(0.02)
    for kind in ("jam", None, "jam"):
        patience.judge(kind, "")
        time.sleep(0.03)
    with pytest.raises(StepEnded, match="jam: the job does not go on"):
        patience.judge("jam", "")


@pytest.mark.parametrize("refuses", [{}, {"retain": PermissionError(5, "denied")}])
def test_a_job_that_leaves_a_queue_not_seen_to_keep_it_is_unknown_and_not_held_against_the_printer(
    refuses: dict[str, OSError],
) -> None:
    delivery = printed(SpoolerRecording(states=("job_printing", None), refuses=refuses))
    assert ending(delivery) == (Outcome.BROKEN, "unknown")
    assert "let the queue keep printed documents" in str(delivery.ended)


def test_a_job_that_leaves_a_queue_which_keeps_all_was_taken_out_of_it() -> None:
    recording = SpoolerRecording(printer_block="printer_keeping", states=("job_printing", None))
    assert ending(printed(recording)) == (Outcome.FAILED, "forgotten")


def test_a_complaint_the_printer_had_before_is_not_held_against_the_job() -> None:
    assert printed(SpoolerRecording(printer_block="printer_hungry")).ended is None
    late = printed(SpoolerRecording(printer_block="printer_hungry", states=["job_printing"]), timeout=0.25)
    assert ending(late) == (Outcome.TIMEOUT, "out_of_paper")


def test_a_printer_that_stands_still_is_sent_nothing() -> None:
    recording = SpoolerRecording(printer_block="printer_ill")
    delivery = printed(recording)
    assert ending(delivery) == (Outcome.FAILED, "offline")
    assert (recording.begun, recording.open_handles) == (None, 0)


@pytest.mark.parametrize(
    ("pattern", "outcome", "kind"),
    [("Ward 4*", Outcome.FAILED, "not_found"), ("*", Outcome.NOT_READY, "printer_name")],
)
def test_one_printer_must_match_and_only_one(pattern: str, outcome: Outcome, kind: str) -> None:
    recording = SpoolerRecording()
    delivery = printed(recording, printer_name=pattern)
    assert ending(delivery) == (outcome, kind)
    assert "nothing was sent" in str(delivery.ended)
    assert "desk" not in str(delivery.ended)
    assert recording.begun is None


@pytest.mark.parametrize(
    ("call", "number", "kind"),
    [
        ("printers", 1722, "connect"), ("open_printer", 5, "authorization"), ("open_printer", 1801, "not_found"),
        ("start_document", 1804, "format"), ("write", 112, "spool_full"), ("end_document", 4242, "refused"),
    ],
)  # fmt: skip
def test_what_windows_refuses_is_told_by_kind_and_leaves_no_document(call: str, number: int, kind: str) -> None:
    recording = SpoolerRecording(refuses={call: OSError(number, "somebody at desk")})
    delivery = printed(recording)
    assert ending(delivery) == (Outcome.FAILED, kind)
    assert "desk" not in str(delivery.ended)
    assert (recording.document, recording.open_handles) == (b"", 0)


def test_a_spooler_that_hangs_before_it_is_given_anything() -> None:
    recording = SpoolerRecording(hangs={"printers": 0.3})
    assert ending(printed(recording, timeout=0.1)) == (Outcome.TIMEOUT, "hung")
    time.sleep(0.3)
    assert recording.begun is None


def test_a_document_that_is_taken_after_the_time_is_up_is_taken_back_by_itself() -> None:
    recording = SpoolerRecording(hangs={"end_document": 0.4})
    delivery = printed(recording, timeout=0.15)
    assert ending(delivery) == (Outcome.TIMEOUT, "hung")
    assert "could not be taken back" in str(delivery.ended)
    time.sleep(0.5)
    assert (recording.commands, recording.open_handles) == ([RETAIN, DELETE], 0)


def test_a_job_that_cannot_be_taken_back_is_said() -> None:
    recording = SpoolerRecording(states=["job_printing"], refuses={"delete": PermissionError(5, "denied")})
    assert "it may still be printed" in str(printed(recording, timeout=0.1).ended)


JOURNEY = """
name: paper
variables: {printer: "spooler:"}
steps:
  - step: paper
    action: print
    timeout: 2
    printer: {uri: "{printer}", printer_name: "Ward 3 (from *", file: page.pdf, format: application/pdf, poll: 0.02}
"""


def walked(folder: Path, text: str, recording: SpoolerRecording) -> tuple[Any, dict[str, str]]:
    (folder / "page.pdf").write_bytes(DOCUMENT)
    journey = parse(text, folder / "paper.yaml")
    context = WalkContext(run_id="a" * 32, journey=journey, values={"printer": "spooler:"})
    return OpenPrint(context, PrintSettings(), Spooler(recording)).perform(journey.steps[0]), context.facts


def test_a_step_that_prints_through_the_spooler_is_timed_like_one_by_ipp(tmp_path: Path) -> None:
    timing, facts = walked(tmp_path, JOURNEY, SpoolerRecording())
    assert timing.outcome is Outcome.OK, timing
    assert timing.seconds == pytest.approx(sum(timing.phases.values()), abs=0.05)
    assert facts == {"printer": "Example Universal Driver", "printed_pages": "1"}


@pytest.mark.parametrize("said", ["", "format: text/plain,"])
def test_what_a_printer_would_print_as_signs_is_not_sent(tmp_path: Path, said: str) -> None:
    recording = SpoolerRecording()
    timing, _ = walked(tmp_path, JOURNEY.replace("format: application/pdf,", said), recording)
    assert (timing.outcome, timing.error_kind) == (Outcome.BROKEN, "format")
    assert recording.begun is None


def test_another_system_has_no_such_spooler_and_says_so_before_anything_is_walked(tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_bytes(DOCUMENT)
    journey = parse(JOURNEY, tmp_path / "paper.yaml")
    with pytest.raises(WhichlayerError, match="only Windows has this spooler"):
        PLUGIN.open(WalkContext(run_id="a" * 32, journey=journey, values={"printer": "spooler:"}))


def test_the_words_of_a_job_hold_no_names() -> None:
    recording = SpoolerRecording()
    job = Spooler(recording).send(PRINTER, title="t", content=b"x", keep=True)
    state = job.look()
    assert "somebody" in blocks()["job_printing"].content.decode("utf-16-le", errors="replace")
    assert "somebody" not in repr(state)
