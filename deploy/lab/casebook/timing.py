"""Where a request spent its time, told to the client as Server-Timing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Timing:
    """One request's clock: seconds since it came in, and how many of them went to the database and the directory."""

    started: float = field(default_factory=time.perf_counter)
    database_seconds: float = 0.0
    identity_seconds: float | None = None  # None while the directory was not asked

    @contextmanager
    def database(self) -> Iterator[None]:
        """Count the time of a block, its commit included, as the database's."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.database_seconds += time.perf_counter() - began

    @contextmanager
    def identity(self) -> Iterator[None]:
        """Count the time of a block as the directory's."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.identity_seconds = (self.identity_seconds or 0.0) + time.perf_counter() - began

    def header(self) -> str:
        """Write the value of Server-Timing, in milliseconds; no part contains another."""
        whole = time.perf_counter() - self.started
        application = max(0.0, whole - self.database_seconds - (self.identity_seconds or 0.0))
        said = f"app;dur={application * 1e3:.2f}, db;dur={self.database_seconds * 1e3:.2f}"
        return said if self.identity_seconds is None else f"{said}, identity;dur={self.identity_seconds * 1e3:.2f}"
