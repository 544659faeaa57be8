"""How long a tiny write and a tiny read take on one volume, as a program would see it.

Each read costs the volume one 4 KiB write with fsync and one 4 KiB read, nothing else. The scratch file
is made when the sampler opens and removed when it closes.
"""

import os
import stat
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from collector.document import Document, validate
from collector.model.errors import WhichlayerError
from collector.model.layer import Layer
from collector.model.sample import Sample
from probes.posix import PRIVATE_FILE, forget_cached, is_ours

BLOCK = 4096


class VolumeSettings(Document):
    """Where the scratch file is written."""

    directory: Path = Field(description="a folder on the volume that this agent may write to")


class _OpenVolume:
    def __init__(self, *, site: str, component: str, directory: Path) -> None:
        self._site = site
        self._component = component
        self._path = directory / f".whichlayer-{component}.scratch"
        self._file: int | None = None

    def read(self) -> Sequence[Sample]:
        """Write and read one block. Raises WhichlayerError when the volume does not let us."""
        try:
            file = self._open()
            at = datetime.now(UTC)
            write = _timed_write(file)
            read = _timed_read(file)
        except OSError as error:
            self.close()
            raise WhichlayerError(f"the volume at {self._path.parent} cannot be probed: {error.strerror}") from None
        values = {"storage.write.latency": write, "storage.read.latency": read}
        return [
            Sample(site=self._site, component=self._component, layer=Layer.STORAGE, metric=name, at=at, value=value)
            for name, value in values.items()
        ]

    def close(self) -> None:
        """Remove the scratch file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
            self._path.unlink(missing_ok=True)

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
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenVolume:
        """Open with VolumeSettings. Raises ConfigError."""
        directory = validate(settings, VolumeSettings, file="agent.samplers").directory.expanduser()
        return _OpenVolume(site=site, component=component, directory=directory)


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


def _timed_read(file: int) -> float:
    """Read the block back, after asking the system to forget its copy: else memory answers, not the volume."""
    forget_cached(file, BLOCK)
    os.lseek(file, 0, os.SEEK_SET)
    started = time.perf_counter()
    os.read(file, BLOCK)
    return time.perf_counter() - started
