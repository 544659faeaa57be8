"""The document index finds what is in it, and prints are files a PDF reader can follow."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

from deploy.lab.casebook import documents
from deploy.lab.casebook.database import Case, Note
from deploy.lab.casebook.printing import print_case


def test_index_never_misses_a_document(tmp_path: Path) -> None:
    written = [["smith", "letter"] if number % 16 == 0 else ["jones"] for number in range(64)]
    documents.build(tmp_path / "index", written)
    index = documents.DocumentIndex(tmp_path / "index")
    assert index.mentions("Smith", 0) == 4  # of the eight documents of team 0, every other one
    assert index.mentions("smith", 1) == 0
    assert index.mentions("jones", 0) == 4


def test_print_has_its_objects_where_its_table_says() -> None:
    case = Case(7, "Smith (junior), case \\ 7", "Smith", 3, date(2020, 2, 3), "word " * 100)
    notes = [Note("probe", "seen, and “signed” 漢", datetime(2026, 1, 2, 3, 4, tzinfo=UTC))]
    pdf = print_case(case, notes, mentions=5)
    assert 20_000 < len(pdf) < 60_000
    start = int(re.findall(rb"startxref\n(\d+)", pdf)[0])
    assert pdf[start:].startswith(b"xref")
    offsets = [int(line) for line in re.findall(rb"(\d{10}) 00000 n", pdf[start:])]
    for number, offset in enumerate(offsets, start=1):
        assert pdf[offset:].startswith(b"%d 0 obj" % number)
    assert rb"Smith \(junior\), case \\ 7" in pdf
    for length, stream in re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", pdf, flags=re.DOTALL):
        assert len(stream) == int(length)
