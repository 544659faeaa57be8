"""A double of a connection of pymssql. Its rows follow Microsoft's documents of SQL Server; none was recorded."""

from collections.abc import Mapping
from typing import Any

from collector.sources.sqlserver import queries

Row = tuple[Any, ...]
PLAN, OTHER = (b"\x02" * 44, b"\x06" * 44, 0), (b"\x03" * 44, b"\x06" * 44, 66)
TEXTS = {
    PLAN[0]: "SELECT n FROM [Case Notes] WHERE name = N'canary' OR town = \"canary\"",
    OTHER[0]: "UPDATE cases SET note = @P1 WHERE id = 7 /* canary */",
}


def quiet() -> dict[str, list[Row]]:
    """Give what a server answers that has been up for a while."""
    return {
        queries.MAY_LOOK: [(1,)],
        queries.NOW: [(0, None, None, None)],
        queries.WAITS: [("LCK_M_X", 1000), ("PAGEIOLATCH_SH", 5000), ("WRITELOG", 2000), ("LAZYWRITER_SLEEP", 10**9)],
        queries.FILES: [
            ("casebook", "ROWS", 1000, 4000, 500, 1000),
            ("casebook", "LOG", 5, 20, 2000, 2000),
            ("tempdb", "ROWS", 10, 10, 10, 10),
            (None, "ROWS", 1, 1, 1, 1),
        ],
        queries.COUNTERS: [
            ("Page life expectancy", 5000), ("Memory Grants Pending", 0), ("Number of Deadlocks/sec", 3),
        ],
        queries.STATEMENTS: [(*PLAN, 100, 1_000_000), (*OTHER, 40, 400_000)],
    }  # fmt: skip


def busy() -> dict[str, list[Row]]:
    """Give what it answers ten seconds later, when the disk of its data is slow and somebody holds a lock."""
    return quiet() | {
        queries.NOW: [(7, 3, 2, 12_500)],
        queries.WAITS: [("LCK_M_X", 21_000), ("LCK_M_S", 5000), ("PAGEIOLATCH_SH", 13_000), ("WRITELOG", 2500)],
        queries.FILES: [("casebook", "ROWS", 1100, 10_000, 500, 1000), ("casebook", "LOG", 5, 20, 2250, 2500)],
        queries.COUNTERS: [
            ("Page life expectancy", 90), ("Memory Grants Pending", 4), ("Number of Deadlocks/sec", 5),
        ],
        queries.STATEMENTS: [(*PLAN, 150, 9_000_000)],
    }  # fmt: skip


class Connection:
    """Answers queries with rows, as DB-API does; keeps what it was asked."""

    def __init__(self) -> None:
        self.rows: Mapping[str, list[Row]] = quiet()
        self.asked: list[tuple[str, tuple[Any, ...] | None]] = []
        self.closed = False
        self._found: list[Row] = []

    def cursor(self) -> "Connection":
        return self

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, query: str, given: tuple[Any, ...] | None = None) -> None:
        self.asked.append((query, given))
        if query == queries.TEXT:
            assert given is not None
            self._found = [(TEXTS[given[0]],)]
        else:
            self._found = self.rows[query]

    def fetchall(self) -> list[Row]:
        return self._found

    def close(self) -> None:
        self.closed = True
