"""The store at the size of one council: how big it gets, how fast it takes and gives facts.

The data are synthetic: drawn from a seed, shaped like 500 endpoints on six journeys (3.5 million
step rows a day) and 1,400 infrastructure series (12 million samples a day). Real data repeat more,
or less; the sizes are those of this data.

    python -m deploy.bench.council_month --days 30
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from analysis.settings import AnalysisSettings
from analysis.why import why
from collector.model.verdict import Reference
from collector.registries.database import DatabaseRegistry
from collector.store import Slice
from collector.stores.lake import LakeStore
from deploy.bench.council import DAY, FIRST_DAY, samples_of_day, steps_of_day

_HOUR = timedelta(hours=1)
_PIECES = 24  # a day goes in as this many batches per table: what a day of normal flushing merges to


def main() -> None:
    """Measure, and print what was found."""
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        found = {"days": options.days, "synthetic": True, "append": _append(Path(folder) / "append", options.seed)}
        found |= _month(Path(folder) / "month", options.days, options.seed)
    if options.json:
        print(json.dumps(found))  # noqa: T201  the result
        return
    for name, value in _flat(found):
        print(f"{name:48} {value}")  # noqa: T201  the result


def _append(folder: Path, seed: int) -> dict[str, float]:
    """Rows a second that were acknowledged (each batch durable in the spool), while the lake takes them too."""
    rows = samples_of_day(FIRST_DAY, np.random.default_rng(seed), share=0.05)
    found = {}
    with closing(LakeStore(folder, flush_seconds=2.0)) as store:
        for size, threads in ((500, 1), (500, 4), (5000, 1), (5000, 4)):
            found[f"rows_per_second_{size}_row_batches_{threads}_threads"] = _append_rate(store, rows, size, threads)
    return found


def _append_rate(store: LakeStore, rows: pa.Table, size: int, threads: int) -> float:
    sent = [0] * threads
    until = time.perf_counter() + 4.0

    def work(thread: int) -> None:
        while time.perf_counter() < until:
            start = (sent[thread] * size) % (rows.num_rows - size)
            batch_id = f"{size}-{threads}-{thread}-{sent[thread]}"
            store.append_table(batch_id, "bench", "samples", rows.slice(start, size))
            sent[thread] += 1

    began = time.perf_counter()
    workers = [threading.Thread(target=work, args=(thread,)) for thread in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return round(sum(sent) * size / (time.perf_counter() - began))


def _month(folder: Path, days: int, seed: int) -> dict[str, object]:
    counts = {"steps": 0, "samples": 0}
    with closing(LakeStore(folder, flush_seconds=None, spool_limit_bytes=2**32)) as store:
        began = time.perf_counter()
        for day in range(days):
            for name, rows in _day(FIRST_DAY + day * DAY, np.random.default_rng([seed, day])):
                counts[name] += rows.num_rows
                _store(store, f"day{day}", name, rows)
            store.maintain(FIRST_DAY + (day + 1) * DAY)
            print(f"day {day + 1} of {days} is in after {time.perf_counter() - began:.0f} s", file=sys.stderr)  # noqa: T201
        filled = time.perf_counter() - began
        end = FIRST_DAY + days * DAY
        store.maintain(datetime.now(UTC) + _HOUR)
        return {
            "rows": counts,
            "fill_seconds_with_rollup_and_merge": round(filled, 1),
            "bytes": _sizes(folder, counts),
            "seconds": _queries(store, end, days) | _why(store, folder, end),
        }


def _day(start: datetime, draw: np.random.Generator) -> Iterator[tuple[str, pa.Table]]:
    yield "steps", steps_of_day(start, draw)
    yield "samples", samples_of_day(start, draw)


def _store(store: LakeStore, name: str, table: str, rows: pa.Table) -> None:
    size = -(-rows.num_rows // _PIECES)
    for piece in range(_PIECES):
        store.append_table(f"{name}-{table}-{piece}", "bench", table, rows.slice(piece * size, size))
    store.flush()


def _queries(store: LakeStore, end: datetime, days: int) -> dict[str, float]:
    snapshot = store.flush()
    hour = Slice(start=end - _HOUR, end=end)
    one = Slice(start=end - _HOUR, end=end, where={"endpoint": ["desk-007"]})
    month = Slice(start=end - days * DAY, end=end)
    part = Slice(start=end - days * DAY + timedelta(minutes=30), end=end - timedelta(minutes=30))
    asked: dict[str, Callable[[], pa.Table]] = {
        "scan_steps_last_hour": lambda: store.scan("steps", hour, snapshot=snapshot),
        "scan_steps_last_hour_of_one_endpoint": lambda: store.scan("steps", one, snapshot=snapshot),
        "scan_samples_last_hour": lambda: store.scan("samples", hour, snapshot=snapshot),
        "hourly_last_hour": lambda: store.hourly(hour, snapshot=snapshot),
        "hourly_all_days": lambda: store.hourly(month, snapshot=snapshot),
        "hourly_all_days_with_open_ends": lambda: store.hourly(part, snapshot=snapshot),
    }
    return {name: _median_seconds(ask) for name, ask in asked.items()}


def _why(store: LakeStore, folder: Path, end: datetime) -> dict[str, float]:
    """Ask for the last working hour, and for the thirty days before ``end`` (as many as there are)."""
    with closing(DatabaseRegistry(f"sqlite:///{folder / 'registry.sqlite'}")) as registry:

        def ask(start: datetime, until: datetime) -> None:
            expected = Reference.EXPECTED
            why(store, registry, AnalysisSettings(), start=start, end=until, against=expected, now=until)

        busy = end - 15 * _HOUR  # nine in the morning of the last day
        return {
            "why_last_hour": _median_seconds(lambda: ask(busy - _HOUR, busy), times=3),
            "why_30_days": _median_seconds(lambda: ask(end - 30 * DAY, end), times=3),
        }


def _median_seconds(ask: Callable[[], object], times: int = 5) -> float:
    taken: list[float] = []
    for _ in range(times):
        with _timed(taken):
            ask()
    return round(float(np.median(taken)), 4)


@contextmanager
def _timed(taken: list[float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    taken.append(time.perf_counter() - began)


def _sizes(folder: Path, counts: dict[str, int]) -> dict[str, float]:
    data = folder / "lake" / "data" / "main"
    found: dict[str, float] = {"all": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())}
    for table, count in counts.items():
        size = sum(path.stat().st_size for path in (data / table).rglob("*.parquet"))
        found[f"per_row_of_{table}"] = round(size / count, 2)
    return found


def _flat(found: dict[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=2, help="days to generate; 30 is the month")
    parser.add_argument("--seed", type=int, default=1, help="of the synthetic data")
    parser.add_argument("--folder", type=Path, default=None, help="where to put the data, removed afterwards")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


if __name__ == "__main__":
    main()
