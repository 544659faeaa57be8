"""What a worker process that decodes bodies has at hand: all it needs is imported with this, and no web framework."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.reduction import ForkingPickler

import pyarrow as pa

from collector.api import otlp_decode, remote_write_decode, span_decode
from collector.api.inflate import inflated
from collector.api.otlp_decode import Decoded
from collector.mapping import MetricMapping
from collector.stores._batch import from_ipc, to_ipc

__all__ = ["otlp_decode", "prepare", "ready", "remote_write_decode", "span_decode", "unpacked"]
_NICER = 5  # than the collector, whose pages and answers go first


def prepare(mappings: Sequence[MetricMapping], components: Mapping[str, str], site: str) -> None:
    """Get a worker process ready. Tables go back as Arrow IPC: a third of what pickling their columns costs."""
    os.nice(_NICER)
    ForkingPickler.register(pa.Table, _reduced)
    remote_write_decode.prepare(mappings, components, site)


def ready() -> None:
    """Do nothing: whoever waits for this knows that a process is there."""


def unpacked(wire: bytes, encoding: str, limit: int, work: Callable[[bytes], Decoded]) -> tuple[Decoded, str]:
    """Inflate a body and do ``work`` with it; give its digest too. Raises NotEncoded, TooLarge, what ``work`` does."""
    content = inflated(wire, encoding, limit)
    return work(content), hashlib.sha256(content).hexdigest()


def _reduced(table: pa.Table) -> tuple[Callable[[bytes], pa.Table], tuple[bytes]]:
    return from_ipc, (to_ipc(table),)
