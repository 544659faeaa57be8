"""Which importer reads a file: the one that was asked for, or the only one that knows files that begin so."""

from pathlib import Path

import typer

from collector import importers
from collector.importer import Importer
from collector.model.errors import ConfigError, Mistake, PluginError
from collector.plugin import load, names

_HEAD = 4096  # bytes


def importer(file: Path, kind: str | None) -> tuple[str, Importer]:
    """Give the kind of a file and what reads it. Raises BadParameter, ConfigError and PluginError."""
    if kind is not None:
        return kind, load(importers, kind, Importer)
    try:
        with file.open("rb") as opened:
            head = opened.read(_HEAD)
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise ConfigError([Mistake(file=str(file), line=1, column=1, message=what)]) from None
    found, missing = {}, []
    for name in names(importers):
        try:
            one = load(importers, name, Importer)
        except PluginError as error:  # its library is not installed: that matters if no other knows the file
            missing.append(f"{error}")
            continue
        if one.knows(file.name, head):
            found[name] = one
    if len(found) != 1:
        what = f"it cannot be told from the file: give one of {', '.join(names(importers))}"
        raise typer.BadParameter("; ".join([what, *missing]), param_hint="--kind")
    return found.popitem()
