"""The map of the estate as a picture: layers as rows, components as boxes, what runs on what as lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collector.model.layer import Layer
from dashboards import estate_words as words
from dashboards.facts.estate import Part

WIDE, HIGH = 196, 66  # of a box
_GAP, _BELOW = 20, 36
_NAMES = 146  # for the layers' names, left of everything
_LANE, _LANES = 9, 12  # lines go down between the names and the boxes, those to one component on one lane
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
    carrying = sorted({base for part in parts for base in part.bases})
    left = _NAMES + _LANE * (min(len(carrying), _LANES) + 1)
    rows = list(_rows(parts))
    titles: list[tuple[int, str]] = []
    boxes: dict[str, Box] = {}
    top, before = 20, None
    for layer, row in rows:
        if layer is not before:
            titles.append((top + HIGH // 2 + 4, layer.words.partition(" (")[0]))
            before = layer
        boxes |= {part.component.name: _box(part, left + place * (WIDE + _GAP), top) for place, part in enumerate(row)}
        top += HIGH + _BELOW
    lines = [
        _line(boxes[part.component.name], boxes[base], place, carrying.index(base) % _LANES)
        for part in parts
        for place, base in enumerate(part.bases)
    ]
    width = left + max((len(row) for _, row in rows), default=1) * (WIDE + _GAP) - _GAP + 2
    return Picture(width=width, height=top - _BELOW + 2, titles=titles, boxes=list(boxes.values()), lines=lines)


def _rows(parts: Sequence[Part]) -> Iterator[tuple[Layer, Sequence[Part]]]:
    for layer in words.ORDER:
        mine = sorted((part for part in parts if part.component.layer is layer), key=lambda part: part.component.name)
        for start in range(0, len(mine), _ROW):
            yield layer, mine[start : start + _ROW]


def _box(part: Part, x: int, top: int) -> Box:
    return Box(
        x=x,
        y=top,
        name=_short(part.component.name),
        users=_short(words.users(part)),
        state=words.SHORT[part.heard],
        heard=str(part.heard),
        shared=part.shared,
    )


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def _line(upper: Box, lower: Box, place: int, lane: int) -> str:
    """Draw from the foot of what runs, by the lane of what carries it, to its head: never behind another box."""
    begin, end = upper.x + WIDE // 2 + 12 * place, lower.x + WIDE // 2
    out, across = upper.y + HIGH + 5 + 4 * (lane % 3), lower.y - 5 - 4 * (lane % 3)
    return f"M{begin} {upper.y + HIGH}V{out}H{_NAMES + _LANE * (lane + 1)}V{across}H{end}V{lower.y}"
