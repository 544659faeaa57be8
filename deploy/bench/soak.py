"""Does a driver leave anything behind? Walks its stage of the behaviour suite again and again, and counts.

``python -m deploy.bench.soak DRIVER [--runs 200] [--json]``, in a checkout: the stages are in ``tests/stages``.
Counted over this process and everything below it, after a few runs to warm up and at the end: processes,
open files, files in the temporary folder, memory. Exit code 1 if a run failed or any of them grew by more
than is allowed. Processor time is that of all runs, the stage's own server included.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil

from collector.model.access import Access, Link, Presentation
from collector.model.errors import WhichlayerError
from collector.model.run import MEASURED
from probes.walk import Place, walk

_WARM_UP = 5
_SETTLE_SECONDS = 2.0
# What may be there at the end that was not at the start: a process in reserve and its files, and memory that is kept.
_ALLOWED = {"processes": 1, "open_files": 20, "temporary_files": 0, "memory_mib": 60}
_PLACE = Place(site="bench", endpoint="bench", access=Access(link=Link.WIRED, presentation=Presentation.LOCAL))


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What is there at one moment. ``resident`` counts pages that processes share once for each."""

    processes: int
    open_files: int
    temporary_files: int
    resident_mib: int
    memory_mib: int
    processor_seconds: float

    def grown(self, before: "Count") -> list[str]:
        """Name what grew by more than is allowed."""
        now, then = asdict(self), asdict(before)
        return [name for name, allowed in _ALLOWED.items() if now[name] - then[name] > allowed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """What ``runs`` walks left behind and cost."""

    driver: str
    runs: int
    outcomes: Mapping[str, int]
    problems: Mapping[str, int]  # steps that were not measured, by what they said
    before: Count
    after: Count
    most_memory_mib: int
    seconds_per_run: float
    processor_seconds_per_run: float

    @property
    def right(self) -> bool:
        """Say whether every run was measured and nothing was left."""
        return not self.after.grown(self.before) and set(self.outcomes) <= set(MEASURED)


def soak(driver: str, runs: int) -> Soak:
    """Walk the stage of ``driver``. Raises WhichlayerError outside of a checkout."""
    with _own_temporary_folder(), _stage(driver).serving() as stage:
        walked, outcomes, problems, most = stage.driver(driver), Counter[str](), Counter[str](), 0

        def once() -> str:
            run = walk(stage.journey, walked, _PLACE, slot=datetime.now(UTC), secrets=stage.secrets,
                       variables=stage.variables)  # fmt: skip
            problems.update(f"{one.step}: {one.error}" for one in run.steps if one.error_kind is not None)
            return str(run.outcome)

        for _ in range(_WARM_UP):
            once()
        before, began = count(), time.perf_counter()
        for number in range(runs):
            outcomes[once()] += 1
            if number % 20 == 0:
                most = max(most, count().memory_mib)
        seconds = time.perf_counter() - began
        time.sleep(_SETTLE_SECONDS)
        after = count()
    return Soak(
        driver=driver,
        runs=runs,
        outcomes=dict(outcomes),
        problems=dict(problems),
        before=before,
        after=after,
        most_memory_mib=max(most, after.memory_mib),
        seconds_per_run=seconds / runs,
        processor_seconds_per_run=(after.processor_seconds - before.processor_seconds) / runs,
    )


@contextmanager
def _own_temporary_folder() -> Iterator[None]:
    """Let this process and what it starts have a temporary folder that nobody else writes to."""
    before = os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="whichlayer-soak-", ignore_cleanup_errors=True) as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = None
            if before is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = before


def _stage(driver: str) -> Any:  # noqa: ANN401  a module of the tests
    root = Path(__file__).parents[2]
    if not (root / "tests" / "stages" / f"{driver}.py").exists():
        raise WhichlayerError(f"there is no tests/stages/{driver}.py: run this in a checkout")
    sys.path.insert(0, str(root))
    return import_module(f"tests.stages.{driver}")


def count() -> Count:
    """Count what this process and everything below it have now."""
    own = psutil.Process()
    processes = open_files = resident = memory_bytes = 0
    processor = 0.0
    for process in [own, *own.children(recursive=True)]:
        try:
            with process.oneshot():
                times, memory = process.cpu_times(), process.memory_full_info()
                open_files += process.num_fds()
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        processes += 1
        # Shared pages count once over all processes, where the system says so (Linux).
        resident, memory_bytes = resident + memory.rss, memory_bytes + getattr(memory, "pss", memory.uss)
        # Of ended children as well: a browser's pages are processes that come and go.
        processor += times.user + times.system + (times.children_user + times.children_system if process != own else 0)
    return Count(
        processes=processes,
        open_files=open_files,
        temporary_files=len(list(Path(tempfile.gettempdir()).iterdir())),
        resident_mib=resident >> 20,
        memory_mib=memory_bytes >> 20,
        processor_seconds=processor,
    )


def main() -> None:
    """Walk and print."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("driver")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = soak(chosen.driver, chosen.runs)
    if chosen.json:
        sys.stdout.write(json.dumps(asdict(found)) + "\n")
    else:
        for name, value in asdict(found).items():
            sys.stdout.write(f"{name:>26} {value}\n")
    sys.exit(0 if found.right else 1)


if __name__ == "__main__":
    main()
