"""How far the driver's time to completed is from the printer's own, at the printer and through a CUPS queue.

The printer is CUPS's ippeveprinter, which logs its processing time; each job takes another time.

usage: python -m deploy.bench.print_accuracy [--jobs 20] [--json]
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from collector.model.run import Phase, StepTiming
from deploy.lab import print_queue, printer
from deploy.lab.printer import Manner, Printer
from probes.driver import WalkContext
from probes.drivers.print.plugin import PLUGIN
from probes.journey.file import parse

_PAGE = b"%PDF-1.4\n% a test page\n%%EOF\n"
_JOURNEY = """
name: paper
steps:
  - step: paper
    action: print
    printer: {{uri: "{uri}", printer_name: {name}, file: page.pdf}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One row: difference between spool time and the printer's own, in seconds, and the ± the driver gave."""

    where: str
    jobs: int
    median: float
    largest: float
    stated: float
    outside: int


def measure(where: str, uri: str, name: str, paper: Printer, jobs: int) -> Result:
    """Print ``jobs`` times; the engine takes between 0 and 2 s."""
    dice, differences, stated = random.Random(1), list[float](), list[float]()
    for _ in range(jobs):
        paper.behave(Manner(seconds=dice.uniform(0, 2)))
        timing = _print(uri, name)
        paper.settle()
        differences.append(abs(timing.phases[Phase.SPOOL] - paper.processing_seconds()[-1]))
        stated.append(timing.uncertainty_seconds or 0.0)
    outside = sum(difference > limit for difference, limit in zip(differences, stated, strict=True))
    return Result(
        where=where,
        jobs=jobs,
        median=statistics.median(differences),
        largest=max(differences),
        stated=statistics.median(stated),
        outside=outside,
    )


def _print(uri: str, name: str) -> StepTiming:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "page.pdf").write_bytes(_PAGE)
        journey = parse(_JOURNEY.format(uri=uri, name=name), Path(folder, "paper.yaml"))
        session = PLUGIN.open(WalkContext(run_id="0" * 32, journey=journey))
        try:
            return session.perform(journey.steps[0])
        finally:
            session.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if lost := printer.missing() or print_queue.missing():
        sys.exit(lost)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        (folder / "printer").mkdir()
        (folder / "queue").mkdir()
        with printer.printing(folder / "printer") as paper:
            rows = [measure("printer", paper.uri, printer.NAME, paper, given.jobs)]
            with print_queue.queueing(folder / "queue", paper.uri) as queue:
                rows.append(measure("queue", queue.uri, print_queue.NAME, paper, given.jobs))
    if given.json:
        sys.stdout.write(json.dumps([asdict(row) for row in rows]) + "\n")
        return
    sys.stdout.write(f"{'where':8} {'jobs':>4} {'median':>8} {'largest':>8} {'± stated':>9} {'outside ±':>9}\n")
    for row in rows:
        numbers = f"{row.median:>8.3f} {row.largest:>8.3f} {row.stated:>9.3f} {row.outside:>9}"
        sys.stdout.write(f"{row.where:8} {row.jobs:>4} {numbers}\n")


if __name__ == "__main__":
    main()
