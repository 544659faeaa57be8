"""Test reports in the XML of JUnit, which most test tools write: a suite is a journey, each test of it a step.

A suite without ``timestamp`` cannot be compared with anything and is a mistake. Skipped tests are no steps.
"""

from collections.abc import Iterator
from pathlib import Path

from collector.importer import Asked, Imported
from collector.importers._runs import Report, Step, seconds
from collector.importers._xml import Node, refused, tree


class _JUnit:
    def knows(self, name: str, head: bytes) -> bool:
        """Take XML that begins with a suite."""
        return name.lower().endswith(".xml") and b"<testsuite" in head

    def read(self, path: Path, asked: Asked) -> Imported:
        """Read a whole report. Raises ConfigError."""
        top = tree(path)
        if top.name not in {"testsuites", "testsuite"}:
            raise refused(path, "is no report of JUnit: it begins with testsuites or testsuite")
        report = Report(path, asked, "junit")
        for suite in _suites(top):
            _add(report, suite)
        return Imported(facts=report.facts(), warnings=report.told())


PLUGIN = _JUnit()


def _suites(node: Node) -> Iterator[Node]:
    """Give every suite that has tests of its own."""
    if node.name == "testsuite" and node.first("testcase"):
        yield node
    for child in node.every("testsuite"):
        yield from _suites(child)


def _add(report: Report, suite: Node) -> None:
    started = report.time(suite.attributes.get("timestamp", ""), suite.line, suite.column)
    steps = list(filter(None, (_step(report, case) for case in suite.every("testcase"))))
    if started is not None and steps:
        report.add(suite.attributes.get("name", ""), started, steps, suite.line)


def _step(report: Report, case: Node) -> Step | None:
    if case.first("skipped"):
        report.warnings["a test was skipped, and is no step"] += 1
        return None
    try:
        took, uncertainty = seconds(case.attributes.get("time", ""))
    except ValueError:
        report.wrong("has no time in seconds", case.line, case.column)
        return None
    failed = next((kind for kind in ("failure", "error") if case.first(kind)), None)
    name = case.attributes.get("name", "")
    return Step(name=name, seconds=took, uncertainty_seconds=uncertainty, failed=failed)
