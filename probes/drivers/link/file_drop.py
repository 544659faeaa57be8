"""The newest file of a place where files are delivered.

A share whose server has gone makes every look at it hang, for ever and beyond any interrupt. So a look
is made in a thread that can be left behind, and while one hangs no other is begun at the same place.
"""

import glob
import os
import queue
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeVar

from collector.model.run import Outcome, Phase
from probes.drivers.http.failure import StepEnded
from probes.drivers.http.wire import Meter

T = TypeVar("T")

_WILD = frozenset("*?[")
_looking: dict[str, threading.Thread] = {}  # by place: the look that was begun last


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """The file that was changed last, and of how many."""

    path: Path
    changed: datetime
    size: int
    count: int


class Late(Exception):
    """The look did not end in time."""


def newest(place: Path, meter: Meter) -> Newest:
    """Find the newest file at ``place``: a folder, a file or a pattern. Raises StepEnded, Late."""
    return _timed(Phase.PROCESSING, str(place), lambda: _newest(place), meter)


def content(path: Path, limit: int, meter: Meter) -> bytes:
    """Read the beginning of a file. Raises StepEnded, Late."""

    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(limit)

    return _timed(Phase.TRANSFER, str(path.parent), read, meter)


def _timed(phase: Phase, place: str, look: Callable[[], T], meter: Meter) -> T:
    started = meter.begins(phase)
    try:
        found = _within(meter, place, look)
    except OSError as error:
        raise StepEnded(
            Outcome.NOT_READY, "file_access", f"this endpoint may not look there: {error.strerror or error}"
        ) from None
    meter.ends(phase, started)
    return found


def _within(meter: Meter, place: str, look: Callable[[], T]) -> T:
    before = _looking.get(place)
    if before is not None:
        before.join(meter.remaining(Late))
        meter.remaining(Late)
    answer: queue.SimpleQueue[Callable[[], T]] = queue.SimpleQueue()

    def run() -> None:
        try:
            found = look()
        except (OSError, StepEnded) as error:
            answer.put(partial(_raise, error))
        else:
            answer.put(lambda: found)

    thread = _looking[place] = threading.Thread(target=run, name="whichlayer-look", daemon=True)
    thread.start()
    try:
        give = answer.get(timeout=meter.remaining(Late))
    except queue.Empty:
        raise Late from None
    _looking.pop(place, None)
    return give()


def _raise(error: Exception) -> NoReturn:
    raise error


def _newest(place: Path) -> Newest:
    files = list(_files(place))
    if not files:
        raise StepEnded(Outcome.FAILED, "file_missing", "no file is there: nothing was delivered, or it was taken away")
    path, found = max(files, key=lambda pair: (pair[1].st_mtime_ns, str(pair[0])))
    changed = datetime.fromtimestamp(found.st_mtime, UTC)
    return Newest(path=path, changed=changed, size=found.st_size, count=len(files))


def _files(place: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in _candidates(place):
        try:
            found = path.stat()
        except FileNotFoundError:
            continue  # taken away while we looked
        if stat.S_ISREG(found.st_mode):
            yield path, found


def _candidates(place: Path) -> Iterator[Path]:
    parts = place.parts
    wild = next((number for number, part in enumerate(parts) if _WILD & set(part)), len(parts))
    fixed = Path(*parts[:wild])
    if not fixed.exists():
        if fixed.parent.exists() and wild == len(parts) and fixed.suffix:
            return  # a file by its name that is not there
        raise StepEnded(
            Outcome.FAILED, "folder_missing", "the folder is not there: the share is not mounted, or was moved"
        )
    if wild < len(parts):
        pattern = str(Path(glob.escape(str(fixed)), *parts[wild:]))
        yield from map(Path, glob.iglob(pattern))  # noqa: PTH207  Path.glob also takes hidden files
    elif fixed.is_dir():
        with os.scandir(fixed) as entries:
            yield from (Path(entry.path) for entry in entries if not entry.name.startswith("."))
    else:
        yield fixed
