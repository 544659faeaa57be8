"""``{name}`` in the texts of a journey: which names a text uses, and the text with them filled in."""

import re
from collections.abc import Iterator, Mapping

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
NAME = re.compile(r"[a-z][a-z0-9_]*")


def names(text: str) -> Iterator[str]:
    """Give the names ``text`` uses. ``{{`` and ``}}`` stand for the braces themselves.

    Raises ValueError at a brace that belongs to no placeholder.
    """
    for token in _TOKEN.finditer(text):
        name = token[1]
        if name is not None and NAME.fullmatch(name):
            yield name
        elif token[0] not in {"{{", "}}"}:
            raise ValueError("has a brace that is not a {name}: write {{ and }} for the braces themselves")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put the values in. Raises KeyError with the name that has no value."""

    def one(token: re.Match[str]) -> str:
        if token[1] is not None:
            return values[token[1]]
        return token[0][0]

    return _TOKEN.sub(one, text)
