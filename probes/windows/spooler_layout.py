"""Memory that the Windows spooler fills, into values: printers, their drivers, jobs. See ``layout.py``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from probes.windows.layout import Block

_PRINTER_ITEM_BYTES = 24  # PRINTER_INFO_4W
_KEEPS_PRINTED_JOBS = 0x100  # PRINTER_ATTRIBUTE_KEEPPRINTEDJOBS
_WORK_OFFLINE = 0x400  # PRINTER_ATTRIBUTE_WORK_OFFLINE
_XPS_DRIVER = 0x2  # PRINTER_DRIVER_XPS
_PRINTER_WORDS = {
    0x1: "paused",
    0x2: "error",
    0x4: "pending_deletion",
    0x8: "paper_jam",
    0x10: "paper_out",
    0x20: "manual_feed",
    0x40: "paper_problem",
    0x80: "offline",
    0x200: "busy",
    0x400: "printing",
    0x800: "bin_full",
    0x1000: "not_available",
    0x4000: "processing",
    0x20000: "toner_low",
    0x40000: "no_toner",
    0x80000: "page_punt",
    0x100000: "user_intervention",
    0x200000: "out_of_memory",
    0x400000: "door_open",
    0x800000: "server_unknown",
    0x1000000: "power_save",
}
_STILL_USABLE = frozenset({"busy", "printing", "processing", "toner_low", "power_save", "page_punt"})
_JOB_WORDS = {
    0x1: "paused",
    0x2: "error",
    0x4: "deleting",
    0x8: "spooling",
    0x10: "printing",
    0x20: "offline",
    0x40: "paper_out",
    0x80: "printed",
    0x100: "deleted",
    0x200: "blocked",
    0x400: "user_intervention",
    0x800: "restarted",
    0x1000: "complete",
    0x2000: "retained",
    0x4000: "rendering_locally",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrinterState:
    """What the spooler says of one printer; ``words`` are its status bits.

    ``keeps`` says whether its queue keeps printed documents, ``driver`` what Windows calls its driver.
    """

    usable: bool
    jobs: int
    words: tuple[str, ...]
    keeps: bool = False
    driver: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """What the spooler says of one job: status bits as words, its place in the queue, sides it counted (0: none)."""

    words: frozenset[str]
    position: int
    pages: int


def printer_state(block: Block) -> PrinterState:
    """Read PRINTER_INFO_2W. A printer set to work offline takes jobs and prints none: it is not usable."""
    words, attributes = _words(block.number(124), _PRINTER_WORDS), block.number(104)
    if attributes & _WORK_OFFLINE:
        words.append("work_offline")
    return PrinterState(
        usable=set(words) <= _STILL_USABLE,
        jobs=block.number(128),
        words=tuple(words),
        keeps=bool(attributes & _KEEPS_PRINTED_JOBS),
        driver=block.text(block.number(32, "<Q")),
    )


def printer_names(block: Block) -> Sequence[str]:
    """Read an array of PRINTER_INFO_4W."""
    places = (position * _PRINTER_ITEM_BYTES for position in range(block.count))
    return [block.text(block.number(place, "<Q")) for place in places]


def is_xps_driver(block: Block) -> bool:
    """Read DRIVER_INFO_8W: whether the driver takes XPS, as every driver of version 4 does."""
    return bool(block.number(168) & _XPS_DRIVER)


def job_state(block: Block) -> JobState:
    """Read JOB_INFO_1W; the names of who printed what from where are not kept."""
    return JobState(
        words=frozenset(_words(block.number(56), _JOB_WORDS)), position=block.number(64), pages=block.number(72)
    )


def _words(bits: int, known: Mapping[int, str]) -> list[str]:
    return [word for bit, word in known.items() if bits & bit]
