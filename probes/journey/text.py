"""The kinds of text a journey is written in: each type says what is right, and what to write instead."""

import re
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from collector.model.checks import named
from probes.journey import placeholder

T = TypeVar("T")

_REFERENCE = re.compile(r"(keyring:[^/]+/.+|file:.+|env:\w+)")
_SENSITIVE = re.compile(r"passw|passphrase|secret|token|api[-_]?key|authorization|cookie|^pin$|csrf", re.IGNORECASE)


def looks_sensitive(key: str) -> bool:
    """Say whether a form field or header of this name holds a secret or a token."""
    return _SENSITIVE.search(key) is not None


def _scalar(value: object) -> object:
    """Take numbers as they are written: ``page: 2`` is the text "2"."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _template(text: str) -> str:
    list(placeholder.names(text))
    return text


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    return text


def _reference(text: str) -> str:
    if not _REFERENCE.fullmatch(text):
        raise ValueError(
            "must say where the secret is kept, not what it is: write keyring:SERVICE/NAME, file:PATH or env:NAME"
        )
    return text


def _named(text: str) -> str:
    try:
        named("name", text)
    except ValueError as error:
        raise ValueError(str(error).removeprefix("name ")) from None
    return text


def _word(text: str) -> str:
    if not placeholder.NAME.fullmatch(text):
        raise ValueError("must be lower-case letters, digits or '_', and begin with a letter")
    return text


def _not_empty(items: tuple[T, ...]) -> tuple[T, ...]:
    if not items:
        raise ValueError("is empty: it needs at least one entry")
    return items


NonEmpty = Annotated[tuple[T, ...], AfterValidator(_not_empty)]
"""At least one of them; unlike ``min_length`` it is silent about entries that are themselves wrong."""

Name = Annotated[str, AfterValidator(_named)]
"""A journey's or step's name: survives file names, metric labels and addresses."""

Word = Annotated[str, AfterValidator(_word)]
"""The name of a variable, secret, capture or fact: what stands between the braces of ``{name}``."""

Text = Annotated[str, BeforeValidator(_scalar)]
"""Plain text, or a number taken as text."""

Template = Annotated[str, BeforeValidator(_scalar), AfterValidator(_template)]
"""Text with ``{name}`` placeholders."""

Regex = Annotated[str, StringConstraints(min_length=1), AfterValidator(_regex)]
"""A regular expression of Python's ``re``; braces in it are its own, never placeholders."""

Origin = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+$")]
"""Scheme, host and port of a server."""

SecretReference = Annotated[str, AfterValidator(_reference)]
"""Where a secret is kept."""
