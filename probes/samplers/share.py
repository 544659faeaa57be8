"""How long a 1 KiB file takes to a network share and back: written, flushed, read, compared, removed.

The file has a name of its own (``.whichlayer-COMPONENT-share.probe``) and begins with a marker; a file of that name
that does not begin with it is left alone. What a killed agent left is taken over by the same component's next reading.
The read may be answered by the client's memory (SMB leases, the page cache): where the file system reads past it
(O_DIRECT) the read is told, elsewhere only the write is. A share that hangs is told as "at least".
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from collector.document import Document, Seconds, validate
from collector.model.errors import WhichlayerError
from collector.model.layer import Layer
from collector.model.sample import Sample
from probes.posix import PRIVATE_FILE, read_direct
from probes.sampler import Cost
from probes.samplers._bounded import AT_LEAST, Bounded, Late

SIZE = 1024
MARKER = b"whichlayer probe file; safe to remove\n"
_PAGE = 4096  # the least that can be asked past memory; the file ends after SIZE


class ShareSettings(Document):
    """Which share, and what it speaks for."""

    directory: Path = Field(description="a folder on the share that this agent may write to")
    layer: Literal["storage", "network_core"] = Field(
        default="storage", description="what its time speaks for: the server's storage, or the way to it"
    )
    timeout: Seconds = Field(default=5.0, gt=0, description="how long a reading is waited for")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    write: float
    read: float | None  # None: memory may have answered
    same: bool


class _OpenShare:
    def __init__(self, *, site: str, component: str, settings: ShareSettings) -> None:
        self._site = site
        self._component = component
        self._layer = Layer(settings.layer)
        self._path = settings.directory.expanduser() / f".whichlayer-{component}-share.probe"
        self._bounded: Bounded[_Times] = Bounded(settings.timeout)

    def read(self) -> Sequence[Sample]:
        """Go there and back once. Raises WhichlayerError when this agent may not, or the file is not its own."""
        at = datetime.now(UTC)
        try:
            found = self._bounded.run(lambda: _there_and_back(self._path))
        except OSError as error:
            raise WhichlayerError(f"the share at {self._path.parent} cannot be probed: {error.strerror}") from None
        if isinstance(found, Late):
            late = self._sample("share.write.latency", found.seconds, at, AT_LEAST)
            return [late, self._sample("probe.failed", 1.0, at, {"why": "timeout"})]
        samples = [self._sample("share.write.latency", found.write, at, {})]
        if found.read is not None:
            samples.append(self._sample("share.read.latency", found.read, at, {}))
        why = {} if found.same else {"why": "content"}
        return [*samples, self._sample("probe.failed", 0.0 if found.same else 1.0, at, why)]

    def hindrances(self) -> Sequence[str]:
        """Go there and back once."""
        try:
            late = isinstance(self._bounded.run(lambda: _there_and_back(self._path)), Late)
        except (OSError, WhichlayerError) as error:
            return [f"the share at {self._path.parent} cannot be probed: {getattr(error, 'strerror', None) or error}"]
        return [f"the share at {self._path.parent} hangs: is its server there?"] if late else []

    def close(self) -> None:
        """Nothing is kept open, and no file is there between two readings."""

    def _sample(self, metric: str, value: float, at: datetime, labels: Mapping[str, str]) -> Sample:
        return Sample(
            site=self._site, component=self._component, layer=self._layer, metric=metric, at=at, value=value,
            labels=labels,
        )  # fmt: skip


class _Share:
    cost = Cost(operations=8, sent_bytes=SIZE, received_bytes=2 * SIZE, cpu_seconds=0.01, least_every=5.0)

    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenShare:
        """Open with ShareSettings. Raises ConfigError."""
        known = validate(settings, ShareSettings, file="agent.samplers")
        return _OpenShare(site=site, component=component, settings=known)


PLUGIN = _Share()


def _there_and_back(path: Path) -> _Times:
    _remove_leftover(path)
    content = MARKER + os.urandom(SIZE - len(MARKER))
    write = _timed_write(path, content)
    try:
        read = read_direct(str(path), _PAGE)
        return _Times(write=write, read=read, same=path.read_bytes() == content)
    finally:
        path.unlink(missing_ok=True)


def _remove_leftover(path: Path) -> None:
    try:
        with path.open("rb") as file:
            begins = file.read(len(MARKER))
    except FileNotFoundError:
        return
    if begins and begins != MARKER:  # an empty one was killed before its first byte
        raise WhichlayerError(f"{path} is not a probe file of this agent: move it away")
    path.unlink()


def _timed_write(path: Path, content: bytes) -> float:
    """Time from the file's making until the server has it."""
    started = time.perf_counter()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | PRIVATE_FILE, 0o600)
    try:
        os.write(file, content)
        os.fsync(file)
        return time.perf_counter() - started
    finally:
        os.close(file)
