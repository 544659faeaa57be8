"""A case as PDF: plain text pages, written by hand since the lab needs no layout."""

import textwrap
from collections.abc import Sequence

from deploy.lab.casebook.database import Case, Note

_LINES_PER_PAGE = 58
_PAGE = (
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>"
)


def print_case(case: Case, notes: Sequence[Note], mentions: int) -> bytes:
    """Lay out one case with its notes and its document register."""
    lines = [case.title, "", f"Case {case.id}, team {case.team}, opened {case.opened_on}", ""]
    lines += textwrap.wrap(case.summary, 95) + ["", f"Mentioned in {mentions} documents", "", "Notes"]
    for note in notes:
        lines += [f"{note.written_at:%Y-%m-%d %H:%M} {note.account}"] + textwrap.wrap(note.body, 95)
    lines += ["", "Document register"]
    lines += [
        f"{case.id:06d}-{number:03d}  letter received, scanned, indexed, filed under team {case.team}, "
        f"reference {case.id * 7919 + number * 104729:012d}"
        for number in range(1, 301)
    ]
    return _document(lines)


def _document(lines: Sequence[str]) -> bytes:
    pages = [lines[start : start + _LINES_PER_PAGE] for start in range(0, len(lines), _LINES_PER_PAGE)]
    first = 4  # objects 1 to 3 are the catalogue, the page tree and the font
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        objects.append((_PAGE % (first + 2 * number + 1)).encode())
        text = b"BT /F1 9 Tf 40 800 Td 13 TL\n" + b"".join(b"(" + _escape(line) + b") Tj T*\n" for line in page) + b"ET"
        objects.append(b"<< /Length %d >>\nstream\n" % len(text) + text + b"\nendstream")
    return _file(objects)


def _file(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _escape(line: str) -> bytes:
    escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return escaped.encode("cp1252", errors="replace")
