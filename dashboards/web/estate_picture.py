"""The map of the estate as a picture: layers as rows, components as boxes, what runs on what as lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collector.model.layer import Layer
from dashboards import estate_words as words
from dashboards.facts.estate import Part

WIDE, HIGH = 196, 66  # of a box
_GAP, _BELOW, _TITLE = 20, 34, 22
_ROW = 4  # boxes side by side
_LETTERS = 24  # that fit into a box


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One component: its place, three lines of text, its state as a class of the stylesheet."""

    x: int
    y: int
    name: str
    users: str
    state: str
    heard: str
    shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything the template draws. ``titles`` are (y, words); ``lines`` are paths from a box to what carries it."""

    width: int
    height: int
    titles: Sequence[tuple[int, str]]
    boxes: Sequence[Box]
    lines: Sequence[str]


def drawn(parts: Sequence[Part]) -> Picture:
    """Place every component, what carries others below what it carries."""
    rows = list(_rows(parts))
    titles: list[tuple[int, str]] = []
    boxes: dict[str, Box] = {}
    top, before = 0, None
    for layer, row in rows:
        if layer is not before:
            titles.append((top + 14, layer.words))
            top, before = top + _TITLE, layer
        boxes |= {part.component.name: _box(part, place, top) for place, part in enumerate(row)}
        top += HIGH + _BELOW
    lines = [_line(boxes[part.component.name], boxes[base]) for part in parts for base in part.bases]
    widest = max((len(row) for _, row in rows), default=1)
    width = max(widest * (WIDE + _GAP) - _GAP + 2, 2 * WIDE)
    return Picture(width=width, height=max(0, top - _BELOW + 2), titles=titles, boxes=list(boxes.values()), lines=lines)


def _rows(parts: Sequence[Part]) -> Iterator[tuple[Layer, Sequence[Part]]]:
    for layer in words.ORDER:
        mine = sorted((part for part in parts if part.component.layer is layer), key=lambda part: part.component.name)
        for start in range(0, len(mine), _ROW):
            yield layer, mine[start : start + _ROW]


def _box(part: Part, place: int, top: int) -> Box:
    return Box(
        x=1 + place * (WIDE + _GAP),
        y=top,
        name=_short(part.component.name),
        users=_short(words.users(part)),
        state=words.SHORT[part.heard],
        heard=str(part.heard),
        shared=part.shared,
    )


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def _line(upper: Box, lower: Box) -> str:
    """Draw from what runs to what carries it, from edge to edge; within one row from side to side."""
    if upper.y == lower.y:
        ends = (upper.x + WIDE, lower.x) if upper.x < lower.x else (upper.x, lower.x + WIDE)
        return f"M{ends[0]} {upper.y + HIGH // 2}H{ends[1]}"
    down = upper.y < lower.y
    begin, end = (upper.y + HIGH, lower.y) if down else (upper.y, lower.y + HIGH)
    bend = 26 if down else -26
    x, until = upper.x + WIDE // 2, lower.x + WIDE // 2
    return f"M{x} {begin}C{x} {begin + bend} {until} {end - bend} {until} {end}"
