"""Text of a file that another program wrote: in UTF-8, in UTF-16 as Windows writes it, or in a Western code page."""

import codecs
from pathlib import Path

from collector.model.errors import ConfigError, Mistake

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(path: Path, encoding: str | None = None) -> str:
    """Read a whole file, in ``encoding`` or what it is found to be in.

    Raises ConfigError when there is none, or when it is cut in the middle of a character.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from None
    if encoding is not None:
        return _decode(path, content, encoding)
    for mark, marked in _MARKS:
        if content.startswith(mark):
            return _decode(path, content, marked)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _decode(path, content, "cp1252")


def _decode(path: Path, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _refused(path, f"is not {encoding} text from byte {error.start}: is it cut, or another kind?") from None


def _refused(path: Path, what: str) -> ConfigError:
    return ConfigError([Mistake(file=str(path), line=1, column=1, message=what)])
