"""What was acknowledged but is not in the store yet: checksummed records in segment files.

A record is ``magic, crc32, sequence, length`` (little endian) and the payload; the checksum covers
sequence, length and payload. A segment is named by the sequence of its first record. Sequences rise
by one and never repeat, also over restarts. A torn tail (the machine stopped while writing) is cut. A
record that was damaged later is left out: the next sound one begins where the damaged header says, or else
where the magic is found again.
"""

import contextlib
import errno
import logging
import os
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from collector.model.errors import StoreError, StoreFull

_HEADER = struct.Struct("<4sIQQ")
_MAGIC = b"wls1"
_LOG = logging.getLogger("whichlayer.collector")
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class Spool:
    """Append-only records on disk, bounded in bytes; safe for many threads.

    ``write`` puts a record into the file, ``sync`` makes it durable: threads that wait for ``sync``
    at the same time share one fdatasync.
    """

    def __init__(self, folder: Path, *, limit_bytes: int, segment_bytes: int = 64 * 2**20) -> None:
        """Open ``folder`` (made when absent), cut torn tails. Raises StoreError when it cannot be used."""
        self._folder = folder
        self._limit = limit_bytes
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()  # guards every field below
        self._syncing = threading.Lock()  # held by the one thread that calls fdatasync
        self._file: BinaryIO | None = None
        self._sizes: dict[int, int] = {}  # bytes of each segment, by its first sequence
        self._next = 1
        self._durable = 0  # every record up to here is safe, or in _lost
        self._lost: list[range] = []
        self._damaged = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(folder.glob("*.spool")):
                self._adopt(path)
        except OSError as error:
            raise StoreError(f"the spool {folder} cannot be used: {error.strerror}") from error
        self._durable = self._next - 1

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(self._sizes.values())

    @property
    def limit(self) -> int:
        """Bytes it may hold."""
        return self._limit

    @property
    def damaged(self) -> int:
        """Records that were found damaged between sound ones when the folder was opened: their facts are lost."""
        return self._damaged

    def begin_after(self, sequence: int) -> None:
        """Give no sequence up to ``sequence`` again: the store holds them already."""
        with self._lock:
            self._next = max(self._next, sequence + 1)
            self._durable = max(self._durable, sequence)

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Read back every record on disk, in order: its sequence and its payload."""
        for first in sorted(self._sizes):
            with self._path(first).open("rb") as file:
                for sequence, payload, _end in _read(file, first):
                    yield sequence, payload

    def write(self, payload: bytes) -> int:
        """Put one record into the file, not yet durable; give its sequence.

        Raises StoreFull when the limit or the disk leaves no room, StoreError when the disk fails;
        then nothing of the record stays in the file.
        """
        with self._lock:
            size = _HEADER.size + len(payload)
            if self.size + size > self._limit:
                raise StoreFull(f"the spool holds its limit of {self._limit} bytes: send this again later")
            sequence = self._next
            try:
                first, file = self._segment(sequence)
                before = self._sizes[first]
                _put(file, _header(sequence, payload), payload, undo_to=before)
            except OSError as error:
                raise _refused(error) from error
            self._sizes[first] = before + size
            self._next = sequence + 1
            return sequence

    def sync(self, sequence: int) -> None:
        """Return when the record ``sequence`` is durable. Raises StoreError when the disk fails.

        After a failure nobody knows which pages the disk kept, so all records that were not durable
        are taken back, and every thread that waits for one of them gets the error.
        """
        with self._syncing:
            with self._lock:
                if any(sequence in lost for lost in self._lost):
                    raise StoreError("the disk failed before this batch was safe: send it again")
                if sequence <= self._durable:
                    return
                written, file = self._next - 1, self._file
            assert file is not None  # a record that is not durable lies in the open segment
            try:
                os.fdatasync(file.fileno())
            except OSError as error:
                self._take_back()
                raise _refused(error) from error
            with self._lock:
                self._durable = written
                if self._next == written + 1 and self._sizes[max(self._sizes)] >= self._segment_bytes:
                    self._retire()

    def release(self, through: int) -> None:
        """Remove the segments whose records are all at most ``through``: the store has committed them."""
        with self._lock:
            firsts = sorted(self._sizes)
            ends = [*firsts[1:], self._next]
            done = [first for first, end in zip(firsts, ends, strict=True) if end - 1 <= through]
            if done and done[-1] == firsts[-1]:
                self._retire()
            for first in done:
                self._path(first).unlink(missing_ok=True)
                del self._sizes[first]

    def begin_segment(self) -> None:
        """Put what is written from now on into another file than what was. Raises StoreError when the disk fails."""
        with self._syncing, self._lock:
            if self._file is not None:
                try:
                    os.fdatasync(self._file.fileno())  # its last records may still wait for their sync
                except OSError as error:
                    raise _refused(error) from error
                self._durable = self._next - 1
                self._retire()

    def close(self) -> None:
        """Let go of the file. Every ``write`` must have had its ``sync``."""
        with self._lock:
            self._retire()

    def _take_back(self) -> None:
        """Cut the open segment after its last durable record; what follows it is lost."""
        with self._lock:
            file, self._file = self._file, None
            first = max(self._sizes)
            assert file is not None
            with contextlib.suppress(OSError), file, self._path(first).open("rb") as again:
                ends = [end for sequence, _payload, end in _read(again, first) if sequence <= self._durable]
                self._sizes[first] = ends[-1] if ends else 0
                file.truncate(self._sizes[first])
            self._lost.append(range(self._durable + 1, self._next))
            self._durable = self._next - 1

    def _segment(self, sequence: int) -> tuple[int, BinaryIO]:
        """Give the open segment and its first sequence; begin one when there is none."""
        if self._file is None:
            _make(self._path(sequence))
            self._file = self._path(sequence).open("wb", buffering=0)
            self._sizes[sequence] = 0
        return max(self._sizes), self._file

    def _retire(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _adopt(self, path: Path) -> None:
        """Take over a segment of an earlier process; what does not match its checksum is left out, or cut off."""
        with path.open("r+b") as file:
            end, last = 0, int(path.stem) - 1
            for sequence, payload, after in _read(file, last + 1):
                damaged, bytes_damaged = sequence - last - 1, after - end - _HEADER.size - len(payload)
                if damaged:
                    what = "%s: %d records before record %d are damaged and lost (%d bytes)"
                    _LOG.error(what, path, damaged, sequence, bytes_damaged)
                self._damaged += damaged
                end, last = after, sequence
            cut = os.fstat(file.fileno()).st_size - end
            if cut:
                _LOG.warning("%s: %d bytes after its last sound record are cut off", path, cut)
            file.truncate(end)
            os.fsync(file.fileno())
        self._next = max(self._next, last + 1)
        if end:
            self._sizes[int(path.stem)] = end
        else:
            path.unlink()

    def _path(self, first: int) -> Path:
        return self._folder / f"{first:020d}.spool"


def _header(sequence: int, payload: bytes) -> bytes:
    return _HEADER.pack(_MAGIC, _checksum(sequence, payload), sequence, len(payload))


def _checksum(sequence: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(struct.pack("<QQ", sequence, len(payload))))


def _read(file: BinaryIO, first: int) -> Iterator[tuple[int, bytes, int]]:
    """Read the sound records of a segment: sequence, payload and where the record ends.

    ``first`` is the sequence of its first record, sound or not.
    """
    size = os.fstat(file.fileno()).st_size
    begin = 0
    while begin < size:
        found = _record(file, begin, size)
        if found is None or found[0] < first:
            begin = _sound_after(file, begin, size, first)
            continue
        sequence, payload = found
        begin, first = begin + _HEADER.size + len(payload), sequence + 1
        yield sequence, payload, begin


def _record(file: BinaryIO, begin: int, size: int) -> tuple[int, bytes] | None:
    """Read the record that begins there; None when there is no sound one."""
    file.seek(begin)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    magic, checksum, sequence, length = _HEADER.unpack(header)
    if magic != _MAGIC or length > size - begin - _HEADER.size:
        return None
    payload = file.read(length)
    sound = len(payload) == length and _checksum(sequence, payload) == checksum
    return (sequence, payload) if sound else None


def _sound_after(file: BinaryIO, damaged: int, size: int, sequence: int) -> int:
    """Find where a sound record after ``sequence``, the damaged one, begins; ``size`` when there is none."""
    for begin in _candidates(file, damaged):
        found = _record(file, begin, size)
        if found is not None and found[0] > sequence:
            return begin
    return size


def _candidates(file: BinaryIO, damaged: int) -> Iterator[int]:
    """Give where the damaged record's header says that it ends, then every place that looks like a beginning."""
    file.seek(damaged)
    rest = file.read()
    if len(rest) >= _HEADER.size:
        length = _HEADER.unpack_from(rest)[3]
        if length <= len(rest) - _HEADER.size:
            yield damaged + _HEADER.size + length
    place = rest.find(_MAGIC, 1)
    while place > 0:
        yield damaged + place
        place = rest.find(_MAGIC, place + 1)


def _put(file: BinaryIO, header: bytes, payload: bytes, *, undo_to: int) -> None:
    """Write all of it or leave the file as it was."""
    try:
        for part in (header, payload):
            rest = memoryview(part)
            while rest:
                rest = rest[file.write(rest) :]
    except OSError:
        file.truncate(undo_to)
        file.seek(undo_to)
        raise


def _refused(error: OSError) -> StoreError:
    if error.errno in _NO_ROOM:
        return StoreFull("the disk under the spool is full: make room; senders keep their data and come back")
    return StoreError(f"the disk under the spool failed: {error.strerror}")


def _make(path: Path) -> None:
    """Make an empty file whose name outlives a crash."""
    path.touch()
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
