"""A trend over a year of one council, from days that were summarised: how long it takes.

One synthetic day of full size is drawn and summarised in memory; its summary is then laid on every day of a year. So
the roll-up has the size it would have, and the rows are not there.

    python -m deploy.bench.trend_year
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from collector import tables
from collector.store import Every, Slice
from collector.stores import _catalog, _query, _trend
from collector.stores._columns import fitting
from collector.stores.lake import LakeStore
from deploy.bench.council import DAY, FIRST_DAY, samples_of_day, steps_of_day

_DAYS = 365
_DRAWN: dict[str, Callable[[np.random.Generator], pa.Table]] = {
    "steps": lambda draw: steps_of_day(FIRST_DAY, draw),
    "samples": lambda draw: samples_of_day(FIRST_DAY, draw),
}


def main() -> None:
    """Measure, and print what was found."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        connection = _catalog.connect(folder / "lake", owner=folder / "none", memory_limit="1GB", threads=2)
        with closing(connection):
            for table in tables.DAILY:
                began = time.perf_counter()
                rows = _fill(connection, table)
                _say(f"a year of {table}, {rows:,} rows of days, filled", time.perf_counter() - began)
        size = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
        print(f"{size / 1e6:.1f} MB on the disk", flush=True)  # noqa: T201  the result
        with closing(LakeStore(folder, flush_seconds=None)) as store:
            _ask(store)


def _fill(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    """Summarise one drawn day, and insert it as every day of the year; give the rows."""
    connection.register("drawn", fitting(name, _DRAWN[name](np.random.default_rng(1))))
    query = _trend.days(
        name, _query.Query(text=_query.source(name, ["drawn"])), Slice(start=FIRST_DAY, end=FIRST_DAY + DAY)
    )
    day = query.run(connection, tables.DAILY[name])
    connection.unregister("drawn")
    connection.register("one_day", day)
    connection.execute(
        f"INSERT INTO lake.daily_{name} SELECT day - to_days(CAST(n AS INTEGER)) AS day, one_day.* EXCLUDE day "  # noqa: S608
        f"FROM one_day, range({_DAYS}) AS days(n)"
    )
    return int(day.num_rows) * _DAYS


def _ask(store: LakeStore) -> None:
    year = Slice(start=FIRST_DAY - (_DAYS - 1) * DAY, end=FIRST_DAY + DAY)
    one = Slice(start=year.start, end=year.end, where={"component": ["component-007"]})
    for text, name, rows, by in (
        ("steps by month, journey and step", "steps", year, ["journey", "step"]),
        ("samples by month and metric", "samples", year, ["metric"]),
        ("samples of one component by month", "samples", one, ["component", "metric"]),
    ):
        taken, count = [], 0
        for _ in range(5):
            began = time.perf_counter()
            count = store.trend(name, rows, every=Every.MONTH, by=by).num_rows
            taken.append(time.perf_counter() - began)
        _say(f"{text}, {count} rows, median of 5 ({min(taken):.3f} to {max(taken):.3f})", float(np.median(taken)))


def _say(what: str, seconds: float) -> None:
    print(f"{what:70} {seconds:8.3f} s", flush=True)  # noqa: T201  the result


if __name__ == "__main__":
    main()
