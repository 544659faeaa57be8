"""The Windows spooler: the printers of this session, and a document given to one of them with the job it became.

``SpoolerCalls`` is what it is asked, answered in raw memory by ``spooler_calls.py``, or by a recording.
"""

import fnmatch
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from collector.model.errors import WhichlayerError
from probes.windows import spooler_layout
from probes.windows.layout import Block
from probes.windows.spooler_layout import JobState, PrinterState

DELETE = 5  # JOB_CONTROL_DELETE
RETAIN = 8  # JOB_CONTROL_RETAIN: stay in the queue when printed
_NO_SUCH_JOB = 87  # ERROR_INVALID_PARAMETER, of GetJob
_CHUNK = 1 << 16


class SpoolerCalls(Protocol):
    """What the spooler can be asked. Every call raises OSError when it says no, and may take long."""

    def printers(self) -> Block:
        """List printers."""

    def printer(self, name: str, /) -> Block:
        """Ask about one printer."""

    def driver(self, name: str, /) -> Block:
        """Ask about its driver."""

    def open_printer(self, name: str, /) -> int:
        """Open a printer."""

    def close_printer(self, handle: int, /) -> None:
        """Let go of it."""

    def start_document(self, handle: int, name: str, datatype: str, /) -> int:
        """Begin a document; gives the number of its job."""

    def write(self, handle: int, content: bytes, /) -> int:
        """Give bytes of it; says how many were taken."""

    def end_document(self, handle: int, /) -> None:
        """Say that it is whole."""

    def abort_document(self, handle: int, /) -> None:
        """Throw it away."""

    def job(self, handle: int, number: int, /) -> Block:
        """Ask about a job."""

    def control_job(self, handle: int, number: int, command: int, /) -> None:
        """Give a command for a job."""


class Spooler:
    """What an agent wants of the spooler, over ``SpoolerCalls``. Everything raises OSError when it says no."""

    def __init__(self, calls: SpoolerCalls) -> None:
        self._calls = calls

    def names(self, pattern: str = "*") -> Sequence[str]:
        """Give this session's printers whose names match (``*`` and ``?``; capitals do not matter), in order."""
        names = sorted(spooler_layout.printer_names(self._calls.printers()))
        return [name for name in names if fnmatch.fnmatchcase(name.casefold(), pattern.casefold())]

    def state(self, name: str) -> PrinterState:
        """Describe one printer."""
        return spooler_layout.printer_state(self._calls.printer(name))

    def datatype(self, name: str) -> str:
        """Say how bytes reach the printer as they are: an XPS driver loses what is sent as RAW."""
        return "XPS_PASS" if spooler_layout.is_xps_driver(self._calls.driver(name)) else "RAW"

    def send(self, name: str, *, title: str, content: bytes, keep: bool) -> "SpooledJob":
        """Give a printer a whole document, or nothing. With ``keep``, its job is asked to stay when printed."""
        datatype = self.datatype(name)
        handle = self._calls.open_printer(name)
        try:
            number = self._calls.start_document(handle, title, datatype)
            job = SpooledJob(self._calls, handle, number)
            job.kept = keep and _done(lambda: self._calls.control_job(handle, number, RETAIN))
            self._write(handle, content)
        except OSError:
            self._calls.close_printer(handle)
            raise
        return job

    def _write(self, handle: int, content: bytes) -> None:
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[self._some(handle, bytes(rest[:_CHUNK])) :]
            self._calls.end_document(handle)
        except OSError:
            _done(lambda: self._calls.abort_document(handle))
            raise

    def _some(self, handle: int, content: bytes) -> int:
        taken = self._calls.write(handle, content)
        if not taken:
            raise OSError("the spooler takes no more bytes")
        return taken


@dataclass(slots=True)
class SpooledJob:
    """One document in the spooler. ``kept``: the spooler took the wish that it stays in the queue when printed."""

    calls: SpoolerCalls
    handle: int
    number: int
    kept: bool = False

    def look(self) -> JobState | None:
        """Describe it; None when the queue no longer has it. Raises OSError."""
        try:
            return spooler_layout.job_state(self.calls.job(self.handle, self.number))
        except OSError as error:
            if code(error) == _NO_SUCH_JOB:
                return None
            raise

    def delete(self) -> None:
        """Take it out of the queue, printed or not. Raises OSError."""
        self.calls.control_job(self.handle, self.number, DELETE)

    def close(self) -> None:
        """Let go of the printer."""
        self.calls.close_printer(self.handle)


def code(error: OSError) -> int | None:
    """Give Windows' own number of an error; 0 where a function failed without giving one."""
    number: int | None = getattr(error, "winerror", None)
    return error.errno if number is None else number


def this_spooler() -> Spooler:
    """Give the spooler of the Windows this runs on. Raises WhichlayerError elsewhere."""
    if sys.platform == "win32":
        from probes.windows import spooler_calls  # noqa: PLC0415  loads libraries only Windows has

        return Spooler(spooler_calls)
    raise WhichlayerError(f"only Windows has this spooler, and this is {sys.platform}: print by ipp:// here")


def _done(ask: Callable[[], None]) -> bool:
    try:
        ask()
    except OSError:
        return False
    return True
