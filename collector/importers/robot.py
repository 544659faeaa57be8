"""``output.xml`` of Robot Framework, of version 4 and later: a test is a journey, each of its own keywords a step.

Set-ups, tear-downs and what keywords call are no steps. Names are those of keywords as they are defined: what stands
in for an embedded argument, arguments and messages are not kept.
"""

from datetime import datetime
from pathlib import Path

from collector.importer import Asked, Imported
from collector.importers._runs import Report, Step, seconds
from collector.importers._xml import Node, refused, tree

_BLOCKS = ("for", "while", "if", "try", "group")
_OLD_TIME = "%Y%m%d %H:%M:%S.%f"
_OLD_RESOLUTION = 0.001  # begin and end, each cut to a millisecond


class _Robot:
    def knows(self, name: str, head: bytes) -> bool:
        """Take XML that begins as Robot Framework's does."""
        return name.lower().endswith(".xml") and b"<robot " in head

    def read(self, path: Path, asked: Asked) -> Imported:
        """Read a whole output. Raises ConfigError."""
        top = tree(path)
        if top.name != "robot":
            raise refused(path, "is no output.xml of Robot Framework: it begins with robot")
        report = Report(path, asked, "robot")
        for suite in top.every("suite"):
            _suite(report, suite)
        return Imported(facts=report.facts(), warnings=report.told())


PLUGIN = _Robot()


def _suite(report: Report, suite: Node) -> None:
    for child in suite.every("suite"):
        _suite(report, child)
    for test in suite.every("test"):
        _test(report, test)


def _test(report: Report, test: Node) -> None:
    status = test.first("status")
    if status is None or status.attributes.get("status") not in {"PASS", "FAIL"}:
        report.warnings["a test was not run, and is no run"] += 1
        return
    started = report.time(_start(status), status.line, status.column)
    if any(test.every(*_BLOCKS)):
        report.warnings["a test has blocks (for, while, if, try, group), which are no steps"] += 1
    steps = list(filter(None, (_step(report, keyword) for keyword in test.every("kw"))))
    if status.attributes["status"] == "FAIL" and not any(step.failed for step in steps):
        report.warnings["a test failed outside of its steps, and is no run"] += 1
    elif started is not None and steps:
        report.add(test.attributes.get("name", ""), started, steps, test.line)


def _step(report: Report, keyword: Node) -> Step | None:
    status = keyword.first("status")
    if keyword.attributes.get("type", "KEYWORD").upper() != "KEYWORD" or status is None:
        return None
    if status.attributes.get("status") not in {"PASS", "FAIL"}:
        return None  # not run: absent, not 0
    try:
        took, uncertainty = _elapsed(status)
    except ValueError:
        report.wrong("has no elapsed time", status.line, status.column)
        return None
    failed = "keyword" if status.attributes["status"] == "FAIL" else None
    name = keyword.attributes.get("source_name") or keyword.attributes.get("sourcename") or keyword.attributes["name"]
    return Step(name=name, seconds=took, uncertainty_seconds=uncertainty, failed=failed)


def _start(status: Node) -> str:
    """Give when it began, as version 7 writes it."""
    old = status.attributes.get("starttime")
    try:
        return _old(old).isoformat() if old else status.attributes.get("start", "")
    except ValueError:
        return ""


def _elapsed(status: Node) -> tuple[float, float]:
    if "elapsed" in status.attributes:
        return seconds(status.attributes["elapsed"])
    begin, end = (_old(status.attributes.get(name, "")) for name in ("starttime", "endtime"))
    if end < begin:
        raise ValueError("the clock was set")
    return (end - begin).total_seconds(), _OLD_RESOLUTION


def _old(written: str) -> datetime:
    return datetime.strptime(written, _OLD_TIME)  # noqa: DTZ007  a local time; the zone is the report's
