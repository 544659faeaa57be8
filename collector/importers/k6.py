"""Points of k6 as it writes them with ``--out json``: an iteration of a scenario is a run, each of its groups a step.

A group failed when one of its checks did. To know which points are of one iteration k6 has to write them with ``vu``
and ``iter``, which it does when asked to (``--system-tags``). Groups inside groups are no steps of their own.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from collector.importer import Asked, Imported
from collector.importers._runs import MOST_MISTAKES, Report, Step
from collector.importers._xml import refused
from collector.text_file import decoded

_RESOLUTION = 1e-9  # k6 counts nanoseconds
_MOST_BYTES = 256 * 2**20


class _Iteration(NamedTuple):
    scenario: str
    vu: str
    number: str


class _Group(NamedTuple):
    ended_at: datetime
    name: str
    seconds: float
    line: int


class _K6:
    def knows(self, name: str, head: bytes) -> bool:  # noqa: ARG002  its first line says it, whatever its name
        """Take lines of JSON that declare a metric."""
        return head.lstrip().startswith(b"{") and b'"type":"Metric"' in head.replace(b" ", b"")

    def read(self, path: Path, asked: Asked) -> Imported:
        """Read all points. Raises ConfigError."""
        report = Report(path, asked, "k6")
        groups: dict[_Iteration, list[_Group]] = defaultdict(list)
        failed: set[tuple[_Iteration, str]] = set()
        for line, metric, data in _points(report):
            tags = {**data.get("metadata", {}), **data["tags"]}
            name = str(tags.get("group", "")).removeprefix("::").partition("::")[0]
            key = _Iteration(*(str(tags.get(word, "")) for word in ("scenario", "vu", "iter")))
            if not name or metric not in {"group_duration", "checks"}:
                continue
            if not (key.vu and key.number):
                report.wrong("does not say vu and iter: run k6 with --system-tags=scenario,group,check,vu,iter", line)
            elif metric == "checks" and data["value"] == 0:
                failed.add((key, name))
            elif metric == "group_duration" and str(tags["group"]).count("::") == 1:
                at = report.time(str(data["time"]), line)
                groups[key] += [_Group(at, name, float(data["value"]) / 1000, line)] if at else []
        for key, of_it in groups.items():
            _add(report, key, of_it, failed)
        return Imported(facts=report.facts(), warnings=report.told())


PLUGIN = _K6()


def _points(report: Report) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    if report.path.exists() and report.path.stat().st_size > _MOST_BYTES:
        raise refused(report.path, f"is larger than {_MOST_BYTES // 2**20} MiB: split it")
    for line, text in enumerate(decoded(report.path).splitlines(), start=1):
        if len(report.mistakes) >= MOST_MISTAKES:
            return
        try:
            point = json.loads(text) if text.strip() else {}
            if point.get("type") == "Point":
                data = point["data"]
                _ = (float(data["value"]), data["time"], data["tags"].get)
                yield line, point["metric"], data
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            report.wrong("is no line of k6 --out json", line)


def _add(report: Report, key: _Iteration, groups: list[_Group], failed: set[tuple[_Iteration, str]]) -> None:
    ordered = sorted(groups, key=lambda group: group.ended_at - timedelta(seconds=group.seconds))
    first = ordered[0]
    steps = [
        Step(
            name=group.name,
            seconds=group.seconds,
            uncertainty_seconds=_RESOLUTION,
            failed="check" if (key, group.name) in failed else None,
        )
        for group in ordered
    ]
    started = (first.ended_at - timedelta(seconds=first.seconds)).astimezone(UTC)
    report.add(key.scenario, started, steps, first.line)
