"""A trend over a year of one council, from days that were summarised: how long it takes.

One synthetic day is drawn and summarised; its summary is then laid on every day of a year, so that the roll-up has
the size it would have, and the rows do not.

    python -m deploy.bench.trend_year
"""

import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from collector import tables
from collector.store import Every, Slice
from collector.stores import _catalog
from collector.stores.lake import LakeStore
from deploy.bench.council import DAY, FIRST_DAY, samples_of_day, steps_of_day

_DAYS = 365


def main() -> None:
    """Measure, and print what was found."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with closing(LakeStore(folder, flush_seconds=None, spool_limit_bytes=2**32)) as store:
            draw = np.random.default_rng(1)
            store.append_table("steps", "bench", "steps", steps_of_day(FIRST_DAY, draw))
            store.append_table("samples", "bench", "samples", samples_of_day(FIRST_DAY, draw))
            store.flush()
            began = time.perf_counter()
            store.maintain(FIRST_DAY + DAY)
            print(f"summarise and merge one day {time.perf_counter() - began:8.2f} s")  # noqa: T201  the result
        _lay_on_every_day(folder)
        with closing(LakeStore(folder, flush_seconds=None)) as store:
            store.maintain(datetime.now(UTC))
            _ask(store)


def _lay_on_every_day(folder: Path) -> None:
    connection = _catalog.connect(folder / "lake", owner=folder / "none", memory_limit="1GB", threads=2)
    with closing(connection):
        for name in tables.DAILY:
            connection.execute(
                f"INSERT INTO lake.daily_{name} SELECT day - to_days(CAST(n AS INTEGER)) AS day, * EXCLUDE day "  # noqa: S608
                f"FROM lake.daily_{name}, range(1, {_DAYS}) AS days(n)"
            )


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
        print(f"{text:36} {np.median(taken):8.3f} s {count:6} rows")  # noqa: T201  the result


if __name__ == "__main__":
    main()
