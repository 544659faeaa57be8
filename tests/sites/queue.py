"""A real CUPS server on loopback, with one queue before a real printer."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.lab import print_queue, printer
from deploy.lab.print_queue import PrintQueue, queueing
from deploy.lab.printer import printing


@contextmanager
def queue_on_loopback() -> Iterator[PrintQueue]:
    """Skip where CUPS is not installed."""
    lacking = printer.missing() or print_queue.missing()
    if lacking:
        pytest.skip(lacking)
    with tempfile.TemporaryDirectory(prefix="cups") as name:
        folder = Path(name)
        folder.chmod(0o711)  # CUPS, which is somebody else, must get there
        (folder / "printer").mkdir()
        (folder / "queue").mkdir()
        with printing(folder / "printer") as running, queueing(folder / "queue", running.uri) as made:
            yield made
