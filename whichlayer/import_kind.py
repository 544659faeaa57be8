"""Which importer reads a file: the one that was asked for, or the only one that knows files that begin so."""

from pathlib import Path

import typer

from collector import importers
from collector.importer import Importer
from collector.model.errors import ConfigError, Mistake
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
    all_of_them = {name: load(importers, name, Importer) for name in names(importers)}
    found = [name for name, one in all_of_them.items() if one.knows(file.name, head)]
    if len(found) != 1:
        what = f"it cannot be told from the file: give one of {', '.join(all_of_them)}"
        raise typer.BadParameter(what, param_hint="--kind")
    return found[0], all_of_them[found[0]]
