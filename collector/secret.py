"""Secrets by reference: where a value is kept, never the value itself.

A reference is ``keyring:SERVICE/NAME``, ``file:PATH`` or ``env:NAME``. Values that were resolved in
this process are known to ``hide``, which takes them out of any text before it is kept or shown.
"""

import os
import stat
from pathlib import Path

import keyring
import keyring.errors

from collector.model.errors import SecretError

_known: set[str] = set()
_SHORTEST_HIDDEN = 4  # hiding a shorter value would eat ordinary words


def resolve(reference: str, *, base: Path | None = None) -> str:
    """Give the value behind ``reference``; ``file:`` paths are relative to ``base``.

    Raises SecretError, which names the reference and what to do, never the value.
    """
    kind, _, rest = reference.partition(":")
    readers = {"env": _from_environment, "file": _from_file, "keyring": _from_keyring}
    if kind not in readers or not rest:
        raise SecretError("a secret is given by reference: write keyring:SERVICE/NAME, file:PATH or env:NAME")
    value = readers[kind](rest, base or Path())
    if not value:
        raise SecretError(f"the secret {reference} is empty: give it a value")
    _known.add(value)
    return value


def hide(text: str) -> str:
    """Replace every secret this process has resolved by ``•••``, longest first."""
    for value in sorted(_known, key=len, reverse=True):
        if len(value) >= _SHORTEST_HIDDEN:
            text = text.replace(value, "•••")
    return text


def remember(value: str) -> None:
    """Make ``hide`` know a secret that did not come through ``resolve`` (a token, a captured cookie)."""
    _known.add(value)


def _from_environment(name: str, _base: Path) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise SecretError(f"the secret env:{name} is not set: export {name} before you start") from None


def _from_file(name: str, base: Path) -> str:
    path = base / Path(name).expanduser()
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SecretError(f"others may read the secret file {name}: run chmod 600 on it")
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise SecretError(f"the secret file {name} cannot be read: {error.strerror}") from None


def _from_keyring(rest: str, _base: Path) -> str:
    service, _, name = rest.partition("/")
    try:
        value = keyring.get_password(service, name)
    except keyring.errors.KeyringError as error:
        raise SecretError(f"the keyring cannot be opened for {service}/{name}: {error}") from None
    if value is None:
        raise SecretError(f"the keyring has no {service}/{name}: run keyring set {service} {name}")
    return value
