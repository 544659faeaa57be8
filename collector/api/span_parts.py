"""What the spans of one process say of one step's time: parts that never overlap.

At every moment a request is under way, the time belongs to the spans that are active and have no active child: the
innermost ones, in equal shares where several run at once. So nested spans are not counted twice, and children that
run beside each other never exceed their parent. A request that was recorded twice (spans of the same caller's span, at
the same time) is one request. Times are only compared within one process: one clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise


class Part(StrEnum):
    """Whose time a span is."""

    APP = "app"
    DATABASE = "database"
    STORAGE = "storage"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Piece:
    """One span without anything it says of people: ids, part, and nanoseconds on its process's clock."""

    span_id: bytes
    parent_id: bytes
    part: Part
    start: int
    end: int
    entry: bool  # took a request from another process


@dataclass(slots=True)
class _Moment:
    """Which spans are active, and how many active children each has."""

    active: dict[bytes, Piece] = field(default_factory=dict)
    children: dict[bytes, int] = field(default_factory=dict)
    leaves: dict[Part, int] = field(default_factory=lambda: dict.fromkeys(Part, 0))
    entries: int = 0

    def begin(self, piece: Piece) -> None:
        self.active[piece.span_id] = piece
        self.entries += piece.entry
        self._child(piece, 1)
        self.leaves[piece.part] += not self.children.get(piece.span_id)

    def finish(self, piece: Piece) -> None:
        del self.active[piece.span_id]
        self.entries -= piece.entry
        self.leaves[piece.part] -= not self.children.get(piece.span_id)
        self._child(piece, -1)

    def _child(self, piece: Piece, change: int) -> None:
        parent_id = piece.parent_id
        if parent_id == piece.span_id:
            return
        before = self.children.get(parent_id, 0)
        self.children[parent_id] = before + change
        parent = self.active.get(parent_id)
        if parent is not None and (before == 0) != (before + change == 0):
            self.leaves[parent.part] += 1 if before + change == 0 else -1


def divide(pieces: Sequence[Piece]) -> tuple[float | None, Mapping[Part, float]]:
    """Give the seconds in which a request was under way (None without its span), and the seconds of each part.

    What goes on after the request was answered is nobody's waiting: it is left out.
    """
    known = _once(pieces)
    whole = any(piece.entry for piece in known.values())
    events = sorted((time, begins, piece.span_id) for piece in known.values() for time, begins in _ends(piece))
    moment, last = _Moment(), 0
    under_way, parts = 0, dict.fromkeys(Part, 0.0)
    for time, begins, span_id in events:
        counted = time - last if moment.entries or (moment.active and not whole) else 0
        under_way += counted
        leaves = sum(moment.leaves.values())
        if not leaves:  # spans that are each other's parents
            parts[Part.APP] += counted
        for part, count in moment.leaves.items():
            parts[part] += counted * count / leaves if count else 0.0
        (moment.begin if begins else moment.finish)(known[span_id])
        last = time
    return (under_way / 1e9 if whole else None), {part: value / 1e9 for part, value in parts.items()}


def _once(pieces: Sequence[Piece]) -> dict[bytes, Piece]:
    """Give the spans by id, the spans of one request as one: a framework and a library may both have recorded it."""
    known = {piece.span_id: piece for piece in pieces}
    same: dict[bytes, bytes] = {}
    requests = sorted(
        (piece for piece in known.values() if piece.entry and piece.parent_id),
        key=lambda piece: (piece.parent_id, piece.start, -piece.end, piece.span_id),
    )
    for first, second in pairwise(requests):
        kept = known[same.get(first.span_id, first.span_id)]
        if second.parent_id == kept.parent_id and second.start < kept.end:
            same[second.span_id] = kept.span_id
            known[kept.span_id] = replace(kept, end=max(kept.end, second.end))
    return {
        name: replace(piece, parent_id=same[piece.parent_id]) if piece.parent_id in same else piece
        for name, piece in known.items()
        if name not in same
    }


def _ends(piece: Piece) -> tuple[tuple[int, bool], ...]:
    """Give its two moments; a span that took no time says nothing."""
    return ((piece.start, True), (piece.end, False)) if piece.end > piece.start else ()
