"""A day of very many series: what it costs to keep and to ask. Synthetic.

Writing and asking are processes of their own, so that each has its own peak of memory.

    python -m deploy.bench.cardinality [--series 1000000] [--points 6]
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from collector.store import Every, Slice
from collector.stores.lake import LakeStore
from deploy.bench.council import DAY, FIRST_DAY

_METRICS = (
    "storage.write.latency",
    "storage.read.latency",
    "system.cpu.utilization",
    "system.memory.available",
    "db.busy",
)
_LAYERS = ("storage", "storage", "app_server", "app_server", "database")
_LABELS = 2  # series of one component and metric
_A_BODY = 50_000


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=1_000_000)
    parser.add_argument("--points", type=int, default=6, help="of each series, over the day")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _print(f"{told.series:,} series, {told.points} points of each: {told.series * told.points:,} samples")
        for part in (_write, _ask):
            child = multiprocessing.get_context("spawn").Process(target=part, args=(folder, told.series, told.points))
            child.start()
            child.join()
            if child.exitcode:
                raise SystemExit(f"{part.__name__} ended with {child.exitcode}")
        files = [path for path in Path(folder).rglob("*.parquet") if "/samples/" in str(path)]
        size = sum(path.stat().st_size for path in files)
        days = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet") if "/daily_samples/" in str(path))
        _print(f"{size / told.series / told.points:.2f} bytes a sample, {days / told.series:.1f} a series of the day")


def _write(folder: str, series: int, points: int) -> None:
    """Take a day in, body by body in the order of time, then summarise and merge it."""
    draw = np.random.default_rng(1)
    with closing(LakeStore(Path(folder), flush_seconds=None, spool_limit_bytes=2**33)) as store:
        _say("memory of an empty store", 0.0)
        began = time.perf_counter()
        for point in range(points):
            for first in range(0, series, _A_BODY):
                rows = _body(np.arange(first, min(series, first + _A_BODY)), point * (DAY / points), draw)
                store.append_table(f"bench:{point}:{first}", "bench", "samples", rows)
                if first % (5 * _A_BODY) == 0:
                    store.flush()
        store.flush()
        _say(f"written, {series * points / (time.perf_counter() - began):,.0f} samples/s", time.perf_counter() - began)
        began = time.perf_counter()
        store.maintain(FIRST_DAY + 2 * DAY)
        _say("summarised and merged", time.perf_counter() - began)


def _body(series: np.ndarray, offset: timedelta, draw: np.random.Generator) -> pa.Table:
    which = series // _LABELS
    component, metric = which // len(_METRICS), which % len(_METRICS)
    at = np.datetime64((FIRST_DAY + offset).replace(tzinfo=None), "us") + np.zeros(len(series), "timedelta64[us]")
    return pa.table(
        {
            "at": pa.array(at),
            "site": pa.array(["example-council"] * len(series)).dictionary_encode(),
            "component": pa.array([f"component-{number:06}" for number in component.tolist()]),
            "layer": pa.DictionaryArray.from_arrays(pa.array(metric.astype(np.int32)), pa.array(_LAYERS)),
            "metric": pa.DictionaryArray.from_arrays(pa.array(metric.astype(np.int32)), pa.array(_METRICS)),
            "value": pa.array(np.round(draw.lognormal(0.0, 0.2, len(series)), 3)),
            "labels": pa.array([f'{{"volume":"v{number}"}}' for number in (series % _LABELS).tolist()]),
        }
    )


def _ask(folder: str, series: int, points: int) -> None:
    """Ask what pages and methods ask, each five times."""
    component = f"component-{series // _LABELS // len(_METRICS) // 2:06}"
    last = FIRST_DAY + (points - 1) * (DAY / points)
    hour = Slice(start=last, end=last + timedelta(hours=1), where={"component": [component]})
    day = Slice(start=FIRST_DAY, end=FIRST_DAY + DAY, where={"layer": ["database"]})
    mine = Slice(start=day.start, end=day.end, where={"component": [component]})
    month = Slice(start=FIRST_DAY - 30 * DAY, end=FIRST_DAY + DAY)
    with closing(LakeStore(Path(folder), flush_seconds=None)) as store:
        _say("memory of the store as it is opened", 0.0)
        columns = ["at", "component", "value"]
        _timed("one component, last hour", lambda: store.scan("samples", hour))
        _timed("one component, trend of a month by metric", lambda: _trend(store, mine, ["metric"]))
        _timed("every component, trend of a month by metric", lambda: _trend(store, month, ["metric"]))
        _timed("one layer, the day, hour by hour", lambda: store.counts("samples", day))
        _timed("one layer, the day, every row", lambda: store.scan("samples", day, columns=columns))


def _trend(store: LakeStore, rows: Slice, by: list[str]) -> pa.Table:
    return store.trend("samples", rows, every=Every.MONTH, by=by)


def _timed(what: str, ask: Callable[[], pa.Table]) -> None:
    taken, rows = [], 0
    for _ in range(5):
        began = time.perf_counter()
        rows = ask().num_rows
        taken.append(time.perf_counter() - began)
    _say(f"{what}, {rows:,} rows", float(np.median(taken)))


def _say(what: str, seconds: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _print(f"{what:60} {seconds:8.3f} s   peak {peak:6.0f} MB")


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201  the result


if __name__ == "__main__":
    main()
