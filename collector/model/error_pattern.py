"""Error texts as data: what stays the same in them names the error, what changes from run to run is taken out.

Quoted texts, addresses, numbers and identifiers change; words stay. So do numbers that say what went wrong:
HTTP statuses, errno, SQLSTATE, Oracle's and Windows' codes.
"""

import hashlib
import re
from dataclasses import dataclass

NUMBER, ADDRESS, QUOTED = "#", "‹address›", "‹text›"
_PASSES = 20  # never seen to need more than three; a bound, because the text comes from elsewhere

_ENDINGS = "com|corp|de|edu|eu|example|fr|gov|home|ie|int|internal|invalid|lan|local|net|nl|org|test|uk"
_CODES = (
    r"\b(?:answered|status|HTTP|code)[ :=]\d{3}\b",
    r"\berrno:? ?-?\d{1,5}\b",
    r"\bSQLSTATE\W{0,2}\w{5}\b",
    r"\bORA-\d{5}\b",
    r"\b0x8[0-9a-f]{7}\b",
)
_QUOTES = (
    r"(?<![^\s(\[{=:,])(?P<quote>['\"`])[^'\"`]*?(?:(?P=quote)(?!\w)|…$)",  # an apostrophe in a word opens nothing
    r"[«“‘„][^»”’“]*(?:[»”’“]|…$)",
)
_ADDRESSES = (
    r"(?<![\w.+-])[a-z][a-z0-9+.-]*://[^\s'\"<>)\]]+",
    r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    r"\[[0-9a-f:]*:[0-9a-f:.]+\](?::\d+)?",
    r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b",
    rf"(?<![\w.-])(?:localhost|(?:[a-z0-9_-]+\.)+(?:{_ENDINGS}))(?::\d+|\b)",  # others with dots are names of the code
)
_NUMBERS = (
    r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?",
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    r"\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b",
    r"\b(?:0x[0-9a-f]+|[0-9a-f]{8,})\b",
    r"\b(?=\w*\d[^\W\d]+\d|\w*[^\W\d_]\d+[^\W\d_])\w+\b",  # letters and digits mixed: no word, an identifier
    r"\d+(?:[.,:]\d+)*",
)


_CHANGING = re.compile(
    "|".join(
        f"(?P<{name}>{'|'.join(parts)})"
        for name, parts in (("code", _CODES), ("quoted", _QUOTES), ("address", _ADDRESSES), ("number", _NUMBERS))
    ),
    re.IGNORECASE,
)
_IN_PLACE_OF = {"quoted": QUOTED, "address": ADDRESS, "number": NUMBER}


@dataclass(frozen=True, slots=True, order=True)
class ErrorPattern:
    """What errors of one kind have in common. ``id`` is 8 hexadecimal digits of ``kind`` and ``template``."""

    kind: str
    template: str

    @property
    def id(self) -> str:
        """Give the short name under which it is found again, in any store and on any day."""
        return hashlib.sha256(f"{self.kind}\n{self.template}".encode()).hexdigest()[:8]


def pattern(kind: str, text: str | None) -> ErrorPattern:
    """Give the pattern of one error; without a text there is only its kind."""
    return ErrorPattern(kind=kind, template=template(text) if text else "")


def template(text: str) -> str:
    """Take out what changes. Doing it again changes nothing."""
    said = " ".join(text.split())
    for _ in range(_PASSES):
        shorter = _CHANGING.sub(_in_place_of, said)
        if shorter == said:
            break
        said = shorter
    return said


def _in_place_of(found: re.Match[str]) -> str:
    kind = next(name for name, part in found.groupdict().items() if part is not None and name != "quote")
    return _IN_PLACE_OF.get(kind, found[0])
