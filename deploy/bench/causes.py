"""The public benchmarks of causes and populations, and what their tables do not ask: padding, and alarms.

The folder holds the evaluators (petshop_eval.py, stall_eval.py) and data/petshop, data/robustspot beside them; it is no
part of this project. Intervals are exact binomial ones, at 95 %.

usage: python -m deploy.bench.causes FOLDER
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from analysis import benchmarks
from analysis.statistics import rate_interval

PADDING = (5, 10, 25)
TAKEN = (0.1, 0.3, 0.5, 0.7, 0.9)  # where in the normal period they are taken from
LENGTHS = (5, 8, 12, 20, 30, 45, 60)
EVERY = 7  # samples from one normal window to the next
LEAST_PAST = 144  # samples, half a day


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    sys.path.insert(0, str(folder))
    causes(import_module("petshop_eval"), folder / "data" / "petshop")
    populations(import_module("stall_eval"), folder / "data" / "robustspot")


def causes(evaluator: Any, data: Path) -> None:  # noqa: ANN401  a module that is no part of this project
    """Print how often the right component is first, named, and named where nothing happened."""
    cases = evaluator.load(data)
    begun = time.process_time()
    answers = [benchmarks.rank(case) for case, _ in cases]
    milliseconds = 1e3 * (time.process_time() - begun) / max(1, len(cases))
    for most in (1, 3):
        right = [truth.node in answer[:most] for answer, (_, truth) in zip(answers, cases, strict=True)]
        told(f"component behind a call, top {most}", right)
    print(f"{milliseconds:.1f} ms of processor a case")  # noqa: T201  the result
    for count in PADDING:
        for place in (0.0, 0.5, 1.0):
            padded = [
                (padded_case(evaluator, case, count, place, t), truth.node) for t in TAKEN for case, truth in cases
            ]
            right = [benchmarks.rank(case)[:1] == [node] for case, node in padded]
            told(f"the same, {count} normal samples added, {place:.0%} of them before it", right)
    lengths: dict[int, list[bool]] = {}
    for length, case in normal_windows(cases):
        lengths.setdefault(length, []).append(bool(benchmarks.rank(case)))
    for length, alarms in lengths.items():
        told(f"alarms in normal windows of {length} samples", alarms)
    told("alarms in all of them", [alarm for alarms in lengths.values() for alarm in alarms])


def padded_case(evaluator: Any, case: Any, count: int, before: float, taken: float = 0.5) -> Any:  # noqa: ANN401
    """Take samples out of the normal period and put them around the incident."""
    begin = int(len(case.normal.t) * taken)
    lead = round(count * before)

    def joined(*frames: Any) -> Any:  # noqa: ANN401
        shared = set.intersection(*(set(frame.cols) for frame in frames))
        columns = {key: np.concatenate([frame.cols[key] for frame in frames]) for key in sorted(shared)}
        return evaluator.Frame(np.concatenate([frame.t for frame in frames]), columns)

    normal = joined(case.normal.rows(0, begin), case.normal.rows(begin + count, None))
    around = case.normal.rows(begin, begin + lead), case.normal.rows(begin + lead, begin + count)
    return replace(case, normal=normal, incident=joined(around[0], case.incident, around[1]))


def normal_windows(cases: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """Give overlapping windows of the normal periods, each against all of its own past."""
    different = {(truth.scenario, case.target, case.metric, case.statistic): case for case, truth in cases}
    for case in different.values():
        for length in LENGTHS:
            for begin in range(LEAST_PAST, len(case.normal.t) - length + 1, EVERY):
                rows = case.normal.rows(0, begin), case.normal.rows(begin, begin + length)
                yield length, replace(case, normal=rows[0], incident=rows[1])


def populations(evaluator: Any, data: Path) -> None:  # noqa: ANN401
    """Print how often the labelled set of attributes is among the first."""
    cases = evaluator.load(data)
    begun = time.process_time()
    rows = evaluator.evaluate(benchmarks.locate, cases)
    milliseconds = 1e3 * (time.process_time() - begun) / max(1, len(cases))
    for most in ("top1", "top3", "top5"):
        told(f"population that is slow, {most}", [row[most] for row in rows])
    print(f"{milliseconds:.1f} ms of processor a case")  # noqa: T201  the result


def told(question: str, right: Sequence[bool]) -> None:
    """Print a count with its interval."""
    count = sum(map(bool, right))
    found = rate_interval(count, len(right), 0.95)
    share = f"{found.estimate:.3f} ({found.low:.3f} to {found.high:.3f})"
    print(f"{question:66} {count:5} of {len(right):5} = {share}")  # noqa: T201  the result


if __name__ == "__main__":
    main()
