"""How long a tiny write and a tiny read take on one volume, as a program would see it.

Each reading costs the volume one 4 KiB write with fsync and one 4 KiB read, nothing else. The scratch file is made at
the first reading and removed when the sampler closes. The read goes past the kernel's memory (O_DIRECT); where that
cannot be (Windows, some file systems) only the write is told: a read that memory answers says nothing of the volume.
A volume that hangs is waited for as long as ``timeout``, then told as "at least".
"""

import os
import stat
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from collector.document import Document, Seconds, validate
from collector.model.errors import WhichlayerError
from collector.model.layer import Layer
from collector.model.sample import Sample
from probes.posix import PRIVATE_FILE, is_ours, read_direct
from probes.sampler import Cost
from probes.samplers._bounded import AT_LEAST, Bounded, Late

BLOCK = 4096


class VolumeSettings(Document):
    """Where the scratch file is written."""

    directory: Path = Field(description="a folder on the volume that this agent may write to")
    timeout: Seconds = Field(default=5.0, gt=0, description="how long a reading is waited for")


class _OpenVolume:
    def __init__(self, *, site: str, component: str, settings: VolumeSettings) -> None:
        self._site = site
        self._component = component
        self._path = settings.directory.expanduser() / f".whichlayer-{component}.scratch"
        self._file: int | None = None
        self._bounded: Bounded[Mapping[str, float]] = Bounded(settings.timeout)

    def read(self) -> Sequence[Sample]:
        """Write and read one block. Raises WhichlayerError when the volume does not let us."""
        at = datetime.now(UTC)
        try:
            found = self._bounded.run(self._timed)
        except OSError as error:
            self.close()
            raise WhichlayerError(f"the volume at {self._path.parent} cannot be probed: {error.strerror}") from None
        if isinstance(found, Late):
            return [self._sample("storage.write.latency", found.seconds, at, AT_LEAST)]
        return [self._sample(name, value, at, {}) for name, value in found.items()]

    def hindrances(self) -> Sequence[str]:
        """Write and read one block, and remove the file."""
        try:
            late = self.read()[0].labels == AT_LEAST
        except WhichlayerError as error:
            return [f"{error}; name a folder that this user may write to"]
        finally:
            self.close()
        return [f"the volume at {self._path.parent} hangs: is it there?"] if late else []

    def close(self) -> None:
        """Remove the scratch file; what hangs keeps it, and the next agent takes it over."""
        if self._file is not None and not self._bounded.hangs:
            os.close(self._file)
            self._file = None
            self._path.unlink(missing_ok=True)

    def _sample(self, metric: str, value: float, at: datetime, labels: Mapping[str, str]) -> Sample:
        return Sample(
            site=self._site, component=self._component, layer=Layer.STORAGE, metric=metric, at=at, value=value,
            labels=labels,
        )  # fmt: skip

    def _timed(self) -> Mapping[str, float]:
        file = self._open()
        found = {"storage.write.latency": _timed_write(file)}
        read = read_direct(str(self._path), BLOCK)
        return found if read is None else {**found, "storage.read.latency": read}

    def _open(self) -> int:
        """Make the file, or take over the one a killed agent left; never touch what is not ours."""
        if self._file is None:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | PRIVATE_FILE, 0o600)
            if not _is_ours(file):
                os.close(file)
                raise WhichlayerError(f"{self._path} is not a scratch file of this agent: move it away")
            self._file = file
        return self._file


class _Volume:
    cost = Cost(operations=3, sent_bytes=BLOCK, received_bytes=BLOCK, cpu_seconds=0.01, least_every=1.0)

    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenVolume:
        """Open with VolumeSettings. Raises ConfigError."""
        known = validate(settings, VolumeSettings, file="agent.samplers")
        return _OpenVolume(site=site, component=component, settings=known)


PLUGIN = _Volume()


def _is_ours(file: int) -> bool:
    found = os.fstat(file)
    return stat.S_ISREG(found.st_mode) and is_ours(found.st_uid) and found.st_size in (0, BLOCK)


def _timed_write(file: int) -> float:
    block = os.urandom(BLOCK)  # a block that compresses or repeats may never reach the disk
    os.lseek(file, 0, os.SEEK_SET)
    started = time.perf_counter()
    os.write(file, block)
    os.fsync(file)
    return time.perf_counter() - started
