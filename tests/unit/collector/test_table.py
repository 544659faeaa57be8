"""Tables that suppliers send: the shipped example, other shapes, and everything that can be wrong in one."""

import zipfile
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from collector import importers
from collector.importer import Asked, Imported, Importer
from collector.importers.table import sheet
from collector.model.errors import ConfigError
from collector.plugin import load

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
PLAIN = """
product: array
time: {columns: [time]}
period: 1 min
metrics: [{name: read, metric: storage.lun.read.latency, unit: ms}]
"""
UTC_ZONE = ZoneInfo("UTC")
AT = datetime(2026, 11, 26, 9, 40, tzinfo=UTC)


def read(folder: Path, content: str | bytes, mapping: str = PLAIN, *, name: str = "t.csv", **asked: Any) -> Imported:
    (folder / "map.yaml").write_text(mapping)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    given: dict[str, Any] = {"component": "lun-7", "zone": UTC_ZONE} | asked
    return load(importers, "table", Importer).read(
        folder / name, Asked(site="s", mapping=str(folder / "map.yaml"), **given)
    )


def mistakes(folder: Path, content: str | bytes, mapping: str = PLAIN, **asked: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, content, mapping, **asked)
    return [str(mistake).removeprefix(f"{folder}/") for mistake in caught.value.mistakes]


def workbook(folder: Path, *rows: list[Any], merge: str | None = None) -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in rows:
        page.append(row)
    if merge:
        page.merge_cells(merge)
    book.save(folder / "made.xlsx")
    return (folder / "made.xlsx").read_bytes()


def values(found: Imported) -> list[tuple[str, float]]:
    return [(one.component, round(one.value, 9)) for one in found.facts.samples]


def test_the_shipped_example_is_read_as_its_mapping_says() -> None:
    asked = Asked(site="s", mapping=str(EXAMPLES / "array.yaml"))
    found = load(importers, "table", Importer).read(EXAMPLES / "array.csv", asked)
    reads = [one for one in found.facts.samples if one.metric == "storage.lun.read.latency"]
    assert [(one.component, round(one.value, 6), one.at.minute) for one in reads] == [
        ("lun-7", 0.0042, 40), ("lun-7", 0.01875, 45), ("lun-8", 0.0039, 40), ("lun-8", 0.005, 45)
    ]  # fmt: skip
    assert reads[0].at == AT
    assert {one.period_seconds for one in reads} == {300.0}
    assert len(found.facts.samples) == 14  # 16 cells, two of them blank: no sample, not 0
    assert [one.value for one in found.facts.samples if one.metric == "storage.lun.operations"] == [
        1250.5,
        980.0,
        310.0,
    ]
    assert max(one.value for one in found.facts.samples if one.metric == "storage.array.utilization") == 0.97
    assert (found.unused, found.warnings) == (["Bemerkung"], [])
    assert found.preview[1][:3] == ["LUN-7", "26.11.2026 10:40", "4,2"]


def test_a_long_table_has_a_column_of_names(tmp_path: Path) -> None:
    mapping = PLAIN + "long: {name: counter, value: value}\ncomponent: {column: where}\n"
    rows = "time,where,counter,value\n2026-11-26T09:40:00,LUN 7,read,4\n2026-11-26T09:40:00,LUN 7,cache,1\n"
    found = read(tmp_path, rows, mapping)
    assert values(found) == [("lun-7", 0.004)]
    assert found.unused == ["cache"]


@pytest.mark.parametrize(
    ("form", "written"),
    [("iso", "2026-11-26T10:40:00+01:00"), ("unix", "1795686000"), ("unix ms", "1795686000000"),
     ("excel", "46352.402777777781"), ("'%d/%m/%y %H:%M'", "26/11/26 09:40")],
)  # fmt: skip
def test_times_are_read_as_the_mapping_says(tmp_path: Path, form: str, written: str) -> None:
    mapping = PLAIN.replace("[time]", f"[time], format: {form}")
    assert read(tmp_path, f"time;read\n{written};1\n", mapping).facts.samples[0].at == AT


def test_hours_that_the_clocks_had_twice_or_left_out_are_warnings(tmp_path: Path) -> None:
    rows = "time,read\n2026-10-25T02:30:00,1\n2026-03-29T02:30:00,1\n2026-06-01T02:30:00,1\n"
    found = read(tmp_path, rows, zone=ZoneInfo("Europe/Berlin"))
    assert [one.at.hour for one in found.facts.samples] == [0, 1, 0]
    assert ["twice" in found.warnings[0], "left out" in found.warnings[1], len(found.warnings)] == [True, True, 2]


@pytest.mark.parametrize(
    ("content", "mapping", "expected"),
    [
        ("a,b\n1,2\n", PLAIN, "t.csv:1:1 has no heading 'time' in any row"),
        ("time,write\n", PLAIN, "t.csv:1:1 there is no column 'read': headings are time, write"),
        ("time,read,read\n", PLAIN, "t.csv:1:1 there is more than one column 'read'"),
        ("title\n\ntime;read\n2026-11-26T09:40:00;4,2\n", PLAIN, "t.csv:4:2 is no number: if the comma"),
        ("time,read\n2026-11-26T09:40:00,nan\n", PLAIN, "t.csv:2:2 is no number: if it means no value"),
        ("time,read\n26.11.2026,1\n", PLAIN, "t.csv:2:1 is no time as 2026-11-26T10:40:00"),
        ("time,read\n46352.4,1\n", PLAIN, "t.csv:2:1 is no time as 2026-11-26T10:40:00; a number in Excel"),
        ('time,read\n"2026-11-26T09:40:00,1\n' + "x" * 200_000, PLAIN, "t.csv:2:1 is no CSV from here on"),
        ("time,read\n", PLAIN.replace("ms", "By"), "map.yaml:5:11 metrics.0: 'By' cannot be turned into s"),
        ("time,read\n", PLAIN.replace("period: 1 min\n", ""), "map.yaml:1:1 : period is missing"),
        ("time,read\n", PLAIN + "encoding: klingon\n", "t.csv:1:1 has no such encoding"),
        (b"\xd0\xcf\x11\xe0old", PLAIN, "t.csv:1:1 is an Excel file of the old kind (.xls)"),
        (b"PK\x03\x04 and no more", PLAIN, "t.csv:1:1 is damaged, or no Excel workbook"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, content: str, mapping: str, expected: str) -> None:
    assert mistakes(tmp_path, content, mapping)[0].startswith(expected)


def test_what_is_not_said_is_asked_for(tmp_path: Path) -> None:
    row = "time,read\n2026-11-26T09:40:00,1\n"
    assert "give --zone" in mistakes(tmp_path, row, zone=None)[0]
    assert "is of nothing: name it" in mistakes(tmp_path, row, component=None)[0]
    with pytest.raises(ConfigError, match="give --map"):
        load(importers, "table", Importer).read(tmp_path / "t.csv", Asked(site="s"))
    assert len(mistakes(tmp_path, "time,read\n" + "2026-11-26T09:40:00,x\n" * 30)) == 20


def test_of_a_workbook_dates_count_and_merged_titles_do_not(tmp_path: Path) -> None:
    mapping = PLAIN.replace("[time]", "[day, time]") + "component: {column: lun, fill_down: true}\n"
    day = datetime(2026, 11, 26)  # noqa: DTZ001  as Excel has it
    rows: list[list[Any]] = [["Report of 2026", None, None, None], ["lun", "day", "time", "read"],
            ["LUN 7", day, time(9, 40), 4.2], [None, day, time(9, 41), None], [None, day, time(9, 42), 5]]  # fmt: skip
    found = read(tmp_path, workbook(tmp_path, *rows, merge="A3:A5"), mapping, name="t.xlsx")
    assert values(found) == [("lun-7", 0.0042), ("lun-7", 0.005)]
    assert found.facts.samples[0].at == AT


def test_a_formula_that_was_never_calculated_and_a_number_for_a_date_are_told(tmp_path: Path) -> None:
    rows = workbook(tmp_path, ["time", "read"], ["2026-11-26T09:40:00", "=1+1"], [46352.4, 1])
    formula, number = mistakes(tmp_path, rows, name="t.xlsx")
    assert formula.startswith("t.xlsx:2:2 is a formula that Excel has not calculated")
    assert number.startswith("t.xlsx:3:1 is no time")
    assert number.endswith("write format: excel")


def test_a_workbook_that_unpacks_to_too_much_or_has_entities_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = workbook(tmp_path, ["time", "read"])
    with zipfile.ZipFile(tmp_path / "made.xlsx") as old, zipfile.ZipFile(tmp_path / "evil.xlsx", "w") as new:
        for part in old.namelist():
            text = old.read(part)
            if part.endswith("sheet1.xml"):
                text = b'<!DOCTYPE a [<!ENTITY x "boom">]>' + text.replace(b"<sheetData", b"&x;<sheetData")
            new.writestr(part, text)
    assert "is damaged" in mistakes(tmp_path, (tmp_path / "evil.xlsx").read_bytes(), name="t.xlsx")[0]
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/worksheets/sheet1.xml", b"0" * 2**20)
    monkeypatch.setattr(sheet, "MOST_BYTES", 2**19)
    assert "unpacks to more than" in mistakes(tmp_path, (tmp_path / "bomb.xlsx").read_bytes(), name="t.xlsx")[0]
    monkeypatch.setattr(sheet, "MOST_BYTES", len(good) - 1)
    assert "split it" in mistakes(tmp_path, good, name="t.xlsx")[0]
