"""Statements of a database by kind: which of them took most of an interval. Of a text its shape is kept, and no value.

A value can be a person's name or a password, and databases keep texts as they were written: PostgreSQL replaces values
in queries by itself but not in commands (CREATE ROLE … PASSWORD '…'), SQL Server keeps those of what was sent without
parameters. So every literal becomes ``?``, comments go, of a command the first word is kept, and a text is cut where it
cannot be told for certain where a literal ends.
"""

import hashlib
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
_LONGEST = 300
_MOST_KNOWN = 50_000  # statements; a server with more begins anew
_ASKS = {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES"}
_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
      | (?P<comment>/\*)
      | (?P<escaped>[eE]'(?:[^'\\]|''|\\.)*')
      | (?P<text>(?:[bBxXnN]|[uU]&)?'(?:[^'\\]|'')*')
      | (?P<dollar>\$\$.*?\$\$|\$(?P<tag>[A-Za-z_]\w*)\$.*?\$(?P=tag)\$)
      | (?P<name>"(?:[^"]|"")*")
      | (?P<bracketed>\[[^\W\d][\w .$-]*\])
      | (?P<value>[$@:?]?\d[\w.]*|\?)
      | (?P<word>[@\#]{0,2}[^\W\d][\w$]*)
      | (?P<other>::|<>|<=|>=|!=|\|\||[^'"$])""",
    re.VERBOSE | re.DOTALL,
)
_LIST = re.compile(r"\?(?:, \?)+")


def shape(text: str, *, quoted_names: bool = True) -> str:
    """Give a statement without values, at most 300 characters; ``…`` is what was left out.

    ``quoted_names``: what stands in double quotes is a name; else it may be a value, and is one.
    """
    words = list(_words(text, quoted_names=quoted_names))
    first = next((word for word in words if word != "("), "…")
    if first.upper() not in _ASKS:
        return f"{first.upper()} …" if first.isalpha() else "…"
    said = _LIST.sub("?, …", _joined(words))
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"


def digest(said: str) -> str:
    """Name a kind of statement by its shape; the same on every server."""
    return hashlib.blake2b(said.encode(), digest_size=5).hexdigest()


def _words(text: str, *, quoted_names: bool) -> Iterator[str]:
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        kind = found.lastgroup if found else None
        if found is None or (kind == "comment" and (place := _after_comment(text, place)) < 0):
            yield "…"
            return
        if kind == "comment":
            continue
        place = found.end()
        if kind in {"word", "bracketed", "other"} or (kind == "name" and quoted_names):
            yield found[0]
        elif kind != "space":
            yield "?"


def _after_comment(text: str, place: int) -> int:
    """Give where a comment ends, which may have others in it; -1 where it does not."""
    depth = 0
    for mark in re.finditer(r"/\*|\*/", text[place:]):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return place + mark.end()
    return -1


def _joined(words: Iterable[str]) -> str:
    """Set words as people write them; the same words always give the same text."""
    text = " ".join(words)
    for spaced, written in ((r" ([,;)\]])", r"\1"), (r"([(\[]) ", r"\1"), (r" (\.|::) ", r"\1")):
        text = re.sub(spaced, written, text)
    return text


@dataclass(frozen=True, slots=True)
class Cost:
    """How often statements ran, and how long in all."""

    calls: float
    seconds: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.calls + other.calls, self.seconds + other.seconds)


class Costs(Generic[K]):
    """What each statement had cost when it was last looked at."""

    def __init__(self) -> None:
        self._last: Mapping[K, Cost] | None = None

    def grown(self, now: Mapping[K, Cost], *, whole: bool = True) -> dict[K, Cost]:
        """Give what each cost since; nothing the first time. One that fell, or is new, began at nothing in between.

        Unless ``whole``, ``now`` leaves out what did not run: what was known of that stays known.
        """
        last, self._last = self._last, now
        if last is None:
            return {}
        if not whole:
            self._last = {**last, **now}
        grown = {key: cost for key, total in now.items() if (cost := _since(last.get(key), total)).calls > 0}
        if len(self._last) > _MOST_KNOWN:
            self._last = None
        return grown

    @property
    def known(self) -> bool:
        """Say whether it knows what came before; if not, the next look must be at everything."""
        return self._last is not None


def _since(last: Cost | None, now: Cost) -> Cost:
    if last is None or now.calls < last.calls or now.seconds < last.seconds:
        return now
    return Cost(now.calls - last.calls, now.seconds - last.seconds)


def most(costs: Iterable[tuple[K, Cost]], count: int) -> dict[K, Cost]:
    """Put the costs of each key together; give those that took the most time, the most first."""
    found: dict[K, Cost] = {}
    for key, cost in costs:
        found[key] = found[key] + cost if key in found else cost
    return dict(sorted(found.items(), key=lambda one: one[1].seconds, reverse=True)[:count])
