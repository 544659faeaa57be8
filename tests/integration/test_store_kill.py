"""A process that is killed at any moment loses no batch it acknowledged, and stores none twice."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.store import Slice
from collector.stores.lake import LakeStore

pytestmark = pytest.mark.integration

# Four threads append, each batch two samples; an id is printed only after append() returned. The
# store flushes all the time, and maintains, so that the kill can hit any of it.
WRITER = """
import os, sys, threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from collector.model.layer import Layer
from collector.model.sample import Sample
from collector.store import Batch
from collector.stores.lake import LakeStore

store = LakeStore(Path(sys.argv[1]), flush_seconds=0.05)
start = datetime(2026, 11, 2, tzinfo=UTC)

def work(thread):
    for number in range(1_000_000):
        at = start + timedelta(seconds=number)
        name = f"{sys.argv[2]}-{thread}-{number}"
        samples = tuple(
            Sample(site="north", component=name, layer=Layer.STORAGE, metric="m", at=at, value=float(half))
            for half in range(2)
        )
        store.append(Batch(batch_id=name, sender="agent", samples=samples))
        os.write(1, (name + "\\n").encode())

for thread in range(4):
    threading.Thread(target=work, args=(thread,), daemon=True).start()
while True:
    store.maintain(datetime.now(UTC) + timedelta(hours=1))
"""
EVER = Slice(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2027, 1, 1, tzinfo=UTC))


def test_kill_9_under_load_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    draw = random.Random(20261102)
    for life in range(3):
        acknowledged += _live_and_die(tmp_path, f"life{life}", draw.uniform(0.3, 1.5))
        with closing(LakeStore(tmp_path, flush_seconds=None)) as store:
            live = _counts(store, None)
            snapshot = store.flush()
            assert _counts(store, snapshot) == live
            assert store.status().batches == len(live)
        assert set(live.values()) == {2}, "every batch is there once and whole"
        missing = set(acknowledged) - set(live)
        assert not missing, f"{len(missing)} acknowledged batches were lost"
    assert len(acknowledged) > 100


def _live_and_die(data: Path, name: str, seconds: float) -> list[str]:
    """Run the writer, kill it; give what it acknowledged."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(data), name], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        first = writer.stdout.readline()  # it has started to acknowledge
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)
        lines = [first, *writer.stdout.readlines()]
    assert writer.returncode == -signal.SIGKILL
    return [line.decode().strip() for line in lines if line.endswith(b"\n")]


def _counts(store: LakeStore, snapshot: int | None) -> Counter[str]:
    rows = store.scan("samples", EVER, columns=["component"], snapshot=snapshot)
    return Counter(rows.column("component").to_pylist())
