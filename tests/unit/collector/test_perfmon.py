"""Performance logs as relog and typeperf write them: zone, blanks, encodings, and everything that can be wrong."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from collector import importers
from collector.importer import Asked, Imported, Importer
from collector.model.errors import ConfigError
from collector.plugin import load

ROMANCE = "(PDH-CSV 4.0) (Romance Standard Time)(-60)"
READ = r"\\APP01\LogicalDisk(D:)\Avg. Disk sec/Read"
TOTAL = r"\\APP01\LogicalDisk(_Total)\Avg. Disk sec/Read"
MEMORY = r"\\APP01\Memory\Available MBytes"
OTHER = r"\\APP01\Print Spooler\Nobody Maps This"


def log(*rows: str, heading: str = ROMANCE, counters: tuple[str, ...] = (READ, MEMORY)) -> str:
    first = ",".join(f'"{name}"' for name in (heading, *counters))
    return "\r\n".join([first, *rows]) + "\r\n"


ROWS = ('"11/26/2026 10:40:00.000","0.0042","2048"', '"11/26/2026 10:40:15.000","0.0050"," "')


def read(folder: Path, text: str, *, encoding: str = "utf-8", **asked: Any) -> Imported:
    path = folder / "log.csv"
    path.write_bytes(text.encode(encoding))
    return load(importers, "perfmon", Importer).read(path, Asked(site="s", **asked))


def mistakes(folder: Path, text: str, **asked: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text, **asked)
    return [str(mistake).removeprefix(f"{folder}/") for mistake in caught.value.mistakes]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_times_become_utc_and_values_si(tmp_path: Path, encoding: str) -> None:
    found = read(tmp_path, log(*ROWS), encoding=encoding)
    assert [(one.component, one.metric, one.value) for one in found.facts.samples] == [
        ("app01-d", "storage.host.read.latency", 0.0042),
        ("app01", "system.memory.available", 2048 * 2.0**20),
        ("app01-d", "storage.host.read.latency", 0.0050),
    ]
    assert found.facts.samples[0].at == datetime(2026, 11, 26, 9, 40, tzinfo=UTC)
    assert {one.period_seconds for one in found.facts.samples} == {15.0}
    assert not found.warnings


def test_what_no_row_speaks_of_and_totals_are_named_not_read(tmp_path: Path) -> None:
    found = read(tmp_path, log('"11/26/2026 10:40:00.000","1","2"', counters=(TOTAL, OTHER)))
    assert (list(found.facts.samples), list(found.unused)) == ([], [TOTAL, OTHER])


def test_typeperf_says_no_zone_and_ends_with_words(tmp_path: Path) -> None:
    text = log(*ROWS, "Exiting, please wait...", heading="(PDH-CSV 4.0)")
    assert "give --zone" in mistakes(tmp_path, text)[0]
    found = read(tmp_path, text, zone=ZoneInfo("Europe/Paris"))
    assert found.facts.samples[0].at == datetime(2026, 11, 26, 9, 40, tzinfo=UTC)
    assert len(found.facts.samples) == 3


def test_a_change_of_the_clocks_within_the_file_is_a_warning(tmp_path: Path) -> None:
    rows = ('"10/24/2026 10:00:00.000","1",""', '"10/26/2026 10:00:00.000","1",""')
    (warning,) = read(tmp_path, log(*rows, heading="(PDH-CSV 4.0) (Romance Standard Time)(-120)")).warnings
    assert "clocks of Romance Standard Time changed" in warning


def test_times_that_go_back_are_a_warning(tmp_path: Path) -> None:
    (warning,) = read(tmp_path, log(*reversed(ROWS))).warnings
    assert "go back" in warning


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "log.csv:1:1 is no performance log"),
        ("time,value\n1,2\n", "log.csv:1:1 is no performance log"),
        (log(ROWS[0], '"11/26/2026 10:40:15.000","x","1"'), "log.csv:3:2 is no number"),
        (log(ROWS[0], '"11/26/2026 10:40:15.000","-1.#IND","1"'), "log.csv:3:2 is no number"),
        (log(ROWS[0], '"11/26/2026 10:40:15.000","1.#INF","nan"'), "log.csv:3:2 is no number"),
        (log(ROWS[0], '"26.11.2026 10:40","1","1"', ROWS[1], ROWS[1]), "log.csv:3:1 is no time"),
        (log('"11/26/2026 10:40:00.000","1"'), "log.csv:2:1 has 2 columns, the headings are 3"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_nothing_is_kept(tmp_path: Path, text: str, expected: str) -> None:
    assert mistakes(tmp_path, text)[0].startswith(expected)


def test_every_mistake_is_told_at_once_up_to_twenty(tmp_path: Path) -> None:
    assert len(mistakes(tmp_path, log(*['"11/26/2026 10:40:00.000","x","y"'] * 15))) == 20


def test_a_file_cut_in_a_character_and_one_that_is_not_there_say_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv"
    path.write_bytes(log(*ROWS).encode("utf-16")[:-1])
    for name, words in (("cut.csv", "is it cut"), ("absent.csv", "No such file")):
        with pytest.raises(ConfigError, match=words):
            load(importers, "perfmon", Importer).read(tmp_path / name, Asked(site="s"))
