"""A Windows spooler as it answers: printers, and a document whose job goes through the states it is told."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from probes.windows.layout import Block
from probes.windows.spooler import DELETE, RETAIN
from tests.windows.recording import blocks

NO_SUCH_JOB = OSError(87, "The parameter is incorrect")
HANDLE, NUMBER = 11, 7


@dataclass
class SpoolerRecording:
    """Answers of one spooler: two printers, of which ``Ward 3 (from desk) in session 2`` answers.

    ``states`` are the blocks of a job, one each look; the last one stays. None is a job that is gone. What is
    in ``refuses`` raises, what is in ``hangs`` takes that many seconds.
    """

    printer_block: str = "printer_ready"
    printer_count: int = 2
    driver_block: str = "driver_v3"
    states: Sequence[str | None] = ("job_printing", "job_printed")
    listed: Callable[[], Block] = lambda: blocks()["printers"]
    refuses: dict[str, OSError] = field(default_factory=dict)
    hangs: dict[str, float] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    looks: int = 0
    document: bytes = b""
    begun: tuple[str, str] | None = None
    open_handles: int = 0
    commands: list[int] = field(default_factory=list)

    def printers(self) -> Block:
        self._answer("printers")
        whole = self.listed()
        return Block(content=whole.content, address=whole.address, count=self.printer_count)

    def printer(self, name: str) -> Block:
        self.asked.append(name)
        self._answer("printer")
        return blocks()[self.printer_block]

    def driver(self, _name: str) -> Block:
        return blocks()[self.driver_block]

    def open_printer(self, _name: str) -> int:
        self._answer("open_printer")
        self.open_handles += 1
        return HANDLE

    def close_printer(self, handle: int) -> None:
        assert handle == HANDLE
        self.open_handles -= 1

    def start_document(self, handle: int, name: str, datatype: str) -> int:
        assert handle == HANDLE
        self._answer("start_document")
        self.begun = (name, datatype)
        return NUMBER

    def write(self, _handle: int, content: bytes) -> int:
        self._answer("write")
        taken = content[:1000]  # Windows may take less than it is given
        self.document += taken
        return len(taken)

    def end_document(self, _handle: int) -> None:
        self._answer("end_document")

    def abort_document(self, _handle: int) -> None:
        self.document = b""

    def job(self, handle: int, number: int) -> Block:
        assert (handle, number) == (HANDLE, NUMBER)
        self._answer("job")
        state = self.states[min(self.looks, len(self.states) - 1)]
        self.looks += 1
        if state is None:
            raise NO_SUCH_JOB
        return blocks()[state]

    def control_job(self, handle: int, number: int, command: int) -> None:
        assert (handle, number) == (HANDLE, NUMBER)
        self._answer({RETAIN: "retain", DELETE: "delete"}[command])
        self.commands.append(command)

    def _answer(self, what: str) -> None:
        time.sleep(self.hangs.get(what, 0.0))
        if what in self.refuses:
            raise self.refuses[what]
