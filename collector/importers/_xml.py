"""XML of a file that somebody sent: elements with their lines, nothing declared, and no text that was not asked for.

What stands between the tags of a test report is output of the system under test: it may hold anything, and is not kept.
"""

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, Locator

from defusedxml import DefusedXmlException
from defusedxml.sax import parse

from collector.model.errors import ConfigError, Mistake

_MOST_BYTES = 256 * 2**20
_MOST_ELEMENTS = 2_000_000
_DEEPEST = 200
_LONGEST_TEXT = 1000
_DECLARATION = re.compile(r"\A\ufeff?\s*<\?xml[^>]*\?>")


@dataclass(slots=True)
class Node:
    """One element, with the line and column where it begins; ``text`` only of elements it was asked of."""

    name: str
    attributes: dict[str, str]
    line: int
    column: int
    children: list["Node"] = field(default_factory=list)
    text: str = ""

    def every(self, *names: str) -> Iterator["Node"]:
        """Give the children of these names."""
        return (child for child in self.children if child.name in names)

    def first(self, name: str) -> "Node | None":
        """Give the first child of a name."""
        return next(self.every(name), None)


class _TooMuch(Exception):
    pass


class _Tree(ContentHandler):
    def __init__(self, texts: Set[str]) -> None:
        super().__init__()
        self.top = Node("", {}, 1, 1)
        self._open = [self.top]
        self._texts = texts
        self._seen = 0
        self._where: Locator | None = None

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802  the parser calls it so
        self._where = locator

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        self._seen += 1
        if self._seen > _MOST_ELEMENTS or len(self._open) > _DEEPEST:
            raise _TooMuch
        line, column = (self._where.getLineNumber(), self._where.getColumnNumber()) if self._where else (1, 0)
        node = Node(name.rpartition(":")[2], dict(attrs.items()), line or 1, (column or 0) + 1)
        self._open[-1].children.append(node)
        self._open.append(node)

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802
        self._open.pop()

    def characters(self, content: str) -> None:
        node = self._open[-1]
        if node.name in self._texts and len(node.text) < _LONGEST_TEXT:
            node.text += content


def tree(path: Path, texts: Set[str] = frozenset()) -> Node:
    """Read a file; the outermost element. Raises ConfigError, also when it declares entities or is too large."""
    try:
        _bound(path)
        with path.open("rb") as file:
            return _parsed(path, file, texts)
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror}") from None
    except _TooMuch:
        raise _too_much(path) from None


def tree_of(path: Path, text: str, texts: Set[str] = frozenset()) -> Node:
    """Read elements that need not have one around them, of text that was read; one around all. Raises ConfigError."""
    inner = _DECLARATION.sub("", text, count=1)
    return _parsed(path, BytesIO(f"<all>{inner}</all>".encode()), texts)


def _parsed(path: Path, file: IO[bytes], texts: Set[str]) -> Node:
    found = _Tree(texts)
    try:
        parse(file, found, forbid_dtd=True)
    except DefusedXmlException:
        raise refused(path, "declares entities or a document type: no file of this kind needs them") from None
    except SAXParseException as error:
        what = f"is no XML ({error.getMessage()}): is it cut?"
        raise refused(path, what, error.getLineNumber() or 1, (error.getColumnNumber() or 0) + 1) from None
    except _TooMuch:
        raise _too_much(path) from None
    return found.top.children[0]


def _too_much(path: Path) -> ConfigError:
    return refused(path, f"is larger than {_MOST_BYTES // 2**20} MiB or nested too deeply: split it")


def _bound(path: Path) -> None:
    if path.stat().st_size > _MOST_BYTES:
        raise _TooMuch


def refused(path: Path, what: str, line: int = 1, column: int = 1) -> ConfigError:
    """Make the error of a file that cannot be read at all."""
    return ConfigError([Mistake(file=str(path), line=line, column=column, message=what)])
