"""Reports of other test tools: what their own programs wrote becomes runs, and nothing of what they printed."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from collector import importers
from collector.importer import Asked, Imported, Importer
from collector.model.access import Access, Link, Presentation
from collector.model.errors import ConfigError
from collector.model.run import Run
from collector.plugin import load
from collector.store import Batch, Slice
from collector.stores.memory import MemoryStore

RECORDINGS = Path(__file__).parents[2] / "recordings"
ACCESS = Access(link=Link.WIRED, presentation=Presentation.CITRIX, confidence=1.0)
AT = datetime(2026, 11, 26, 9, 40, tzinfo=UTC)
SUITE = '<testsuite name="Records" timestamp="{at}">{cases}</testsuite>'


def read(kind: str, path: Path, **asked: Any) -> Imported:
    given: dict[str, Any] = {"endpoint": "ward-3", "access": ACCESS, "zone": ZoneInfo("UTC")} | asked
    return load(importers, kind, Importer).read(path, Asked(site="s", **given))


def written(kind: str, folder: Path, content: str, **asked: Any) -> Imported:
    (folder / "report").write_text(content)
    return read(kind, folder / "report", **asked)


def mistakes(kind: str, folder: Path, content: str, **asked: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        written(kind, folder, content, **asked)
    return [str(mistake).removeprefix(f"{folder}/") for mistake in caught.value.mistakes]


def told(runs: tuple[Run, ...]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    return [(run.journey, str(run.outcome), [(step.step, str(step.outcome)) for step in run.steps]) for run in runs]


@pytest.mark.parametrize("version", [6, 7])
def test_a_test_of_robot_framework_is_a_run_of_its_keywords(version: int) -> None:
    found = read("robot", RECORDINGS / f"robot-{version}.xml")
    assert told(found.facts.runs) == [
        ("open-a-record", "ok", [("sign-in-as---who", "ok"), ("sleep", "ok"), ("log", "ok")]),
        ("save-a-record", "failed", [("sleep", "ok"), ("fail", "failed")]),
        ("loop", "ok", [("no-operation", "ok")]),
    ]
    slept = found.facts.runs[0].steps[1]
    assert slept.seconds is not None
    assert 0.02 <= slept.seconds < 0.1
    assert slept.uncertainty_seconds == (0.001 if version == 6 else 5e-7)
    assert found.facts.runs[0].started_at.date().isoformat() == "2026-11-27"
    assert sorted(what.partition(":")[0] for what in found.warnings) == [
        "a test has blocks (for, while, if, try, group), which are no steps",
        "a test was not run, and is no run",
    ]
    assert "canary" in (RECORDINGS / f"robot-{version}.xml").read_text()
    assert "canary" not in repr(found)


def test_what_pytest_writes_as_junit_is_a_run(tmp_path: Path) -> None:
    (tmp_path / "test_records.py").write_text(
        "import time, pytest\ndef test_open(): time.sleep(0.02)\ndef test_save(): assert not 'canary'\n"
        "@pytest.mark.skip\ndef test_print(): pass\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "--junitxml=report.xml"]
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, env=alone)
    found = read("junit", tmp_path / "report.xml", zone=None)
    assert told(found.facts.runs) == [("pytest", "failed", [("test_open", "ok"), ("test_save", "failed")])]
    (run,) = found.facts.runs
    assert abs(datetime.now(UTC) - run.started_at) < timedelta(minutes=5)
    assert run.steps[0].seconds is not None
    assert run.steps[0].seconds >= 0.02
    assert run.steps[0].uncertainty_seconds == 0.0005
    assert (run.steps[1].error_kind, run.driver, run.synthetic, run.access) == ("failure", "junit", True, ACCESS)
    assert list(found.warnings) == ["a test was skipped, and is no step: 1 times"]
    assert "canary" in (tmp_path / "report.xml").read_text()
    assert "canary" not in repr(found)


def point(metric: str, value: float, group: str, second: float, **tags: str) -> str:
    at = (AT + timedelta(seconds=second)).isoformat()
    known = {"scenario": "Ward round", "group": group} | tags
    data = {"time": at, "value": value, "tags": known, "metadata": {"vu": "1", "iter": "0"}}
    return json.dumps({"metric": metric, "type": "Point", "data": data})


def test_an_iteration_of_k6_is_a_run_of_its_groups(tmp_path: Path) -> None:
    lines = [
        '{"type":"Metric","data":{"name":"checks"},"metric":"checks"}',
        point("checks", 0, "::save", 2.0, check="canary"),
        point("http_req_duration", 99, "::open", 0.4),
        point("group_duration", 100, "::open::inner", 0.4),
        point("group_duration", 1000, "::save", 2.0),  # a point is of the end of its group
        point("group_duration", 500, "::open", 0.5),
    ]
    found = written("k6", tmp_path, "\n".join(lines))
    assert told(found.facts.runs) == [("ward-round", "failed", [("open", "ok"), ("save", "failed")])]
    (run,) = found.facts.runs
    assert (run.started_at, run.seconds, run.steps[1].seconds) == (AT, 1.5, 1.0)
    assert "canary" not in repr(found)


def test_the_same_result_is_the_same_run_and_the_store_keeps_it(tmp_path: Path) -> None:
    cases = '<testcase name="open" time="1.5"/>\n<testcase name="open" time="1,002.5"/>'
    content = SUITE.format(at="2026-11-26T10:40:00", cases=cases)
    first, again, moved = (
        written("junit", tmp_path, text, zone=ZoneInfo("Europe/Berlin")).facts.runs[0]
        for text in (content, f"<testsuites>{content}</testsuites>", content.replace("1.5", "1.6"))
    )
    assert first.run_id == again.run_id != moved.run_id
    assert (first.started_at, [step.step for step in first.steps]) == (AT, ["open", "open-2"])
    store = MemoryStore()
    found = written("junit", tmp_path, content, zone=ZoneInfo("Europe/Berlin"))
    store.append(Batch.of(found.facts, batch_id="import:1", sender="import"))
    kept = store.scan("steps", Slice(start=AT, end=AT + timedelta(hours=1)), columns=["step", "seconds"])
    assert kept.to_pylist() == [{"step": "open", "seconds": 1.5}, {"step": "open-2", "seconds": 1002.5}]


CASE = '<testcase name="open" time="1"/>'


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("junit", SUITE.format(at="", cases=CASE), "report:1:1 has no time as"),
        (
            "junit",
            SUITE.format(at=AT.isoformat(), cases='\n<testcase name="a" time="x"/>'),
            "report:2:1 has no time in",
        ),
        ("junit", SUITE.format(at=AT.isoformat(), cases=CASE.replace("open", "€")), "report:1:1 has a name of which"),
        ("junit", "<robot/>", "report:1:1 is no report of JUnit"),
        ("robot", "<html/>", "report:1:1 is no output.xml"),
        ("robot", "<robot>\n<suite>", "report:2:8 is no XML"),
        ("junit", "<testsuites>" + "<a>" * 300, "report:1:1 is larger than 256 MiB or nested too deeply"),
        (
            "junit",
            '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><testsuite/>',
            "report:1:1 declares entities",
        ),
        ("k6", '{"type":"Metric"}\nno json', "report:2:1 is no line of k6"),
        (
            "k6",
            point("group_duration", 1, "::a", 0).replace('"iter"', '"other"'),
            "report:1:1 does not say vu and iter",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, kind: str, content: str, expected: str) -> None:
    assert mistakes(kind, tmp_path, content)[0].startswith(expected)


def test_from_where_and_when_is_asked_for_and_an_access_not_said_is_unknown(tmp_path: Path) -> None:
    content = SUITE.format(at="2026-11-26T10:40:00", cases=CASE)
    endpoint, zone = mistakes("junit", tmp_path, content, endpoint=None, zone=None)
    assert "give --endpoint" in endpoint
    assert "give --zone" in zone
    found = load(importers, "junit", Importer).read(
        tmp_path / "report", Asked(site="s", endpoint="ward-3", zone=ZoneInfo("UTC"))
    )
    assert found.facts.runs[0].access.link is Link.UNKNOWN
    assert "give --link" in found.warnings[0]
