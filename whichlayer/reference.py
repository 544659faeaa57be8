"""Writes docs/reference.md from the code: settings, metrics, plug-ins and commands cannot drift from it.

usage: python -m whichlayer.reference [FILE]
"""

import sys
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from importlib import import_module
from pathlib import Path

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from collector.model.catalogue import CATALOGUE
from collector.model.layer import Layer
from collector.model.metric import Metric
from collector.plugin import names

FOLDERS = {
    "probes.drivers": "Drivers",
    "probes.samplers": "Samplers",
    "collector.sources": "Sources",
    "collector.importers": "Importers",
    "collector.notifiers": "Channels of alerts",
    "collector.stores": "Stores",
    "collector.registries": "Registries",
    "analysis.methods": "Methods",
    "deploy.lab.faults": "Faults of the lab",
    "whichlayer.commands": "Commands",
}

_WORDS: dict[type, str] = {
    BaseModel: "section",
    bool: "yes or no",
    str: "text",
    int: "whole number",
    float: "number",
    Path: "path",
    Mapping: "mapping",
    tuple: "list",
}


def render() -> str:
    """Give the whole page as Markdown."""
    lines = ["# Reference", "", "Written by `make docs` from the code; a test fails when it is out of date.", ""]
    lines += ["## Settings (`whichlayer.yaml`)", ""]
    lines += ["| key | type | default | meaning |", "|---|---|---|---|", *_settings()]
    lines += ["", "## Layers", "", "| layer | in words |", "|---|---|"]
    lines += [f"| `{layer}` | {layer.words} |" for layer in Layer]
    lines += [
        "",
        "## Metrics",
        "",
        "A limit is a default with its source, never a truth. One kind is never compared with another.",
        "",
    ]
    lines += ["| metric | unit | layer | kind | worse when | smallest shift that counts | limit (whose) | meaning |"]
    lines += ["|---|---|---|---|---|---|---|---|", *(_metric(metric) for metric in CATALOGUE.values())]
    for folder, title in FOLDERS.items():
        lines += ["", f"## {title} (`{folder.replace('.', '/')}/`)", "", "| name | what it is |", "|---|---|"]
        lines += [f"| `{name}` | {_first_line(f'{folder}.{name}')} |" for name in names(import_module(folder))]
    return "\n".join(lines) + "\n"


def _metric(metric: Metric) -> str:
    limit = "" if metric.limit is None else f"{metric.limit:g} ({metric.limit_source})"
    return (
        f"| `{metric.name}` | {metric.unit} | `{metric.layer}` | {metric.kind} | {metric.direction} "
        f"| {metric.minimum_shift:g} | {limit} | {metric.meaning} |"
    )


def _settings() -> Iterator[str]:
    from whichlayer.settings import Settings

    for key, field in _walk(Settings, ""):
        shown = "required" if field.is_required() else _default(field)
        yield f"| `{key}` | {_type(field.annotation, field.metadata)} | {shown} | {_cell(field.description or '')} |"


def _walk(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{name}"
        yield key, field
        for inner, suffix in _models(field.annotation):
            yield from _walk(inner, f"{key}{suffix}.")


def _models(annotation: object, suffix: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, suffix
        return
    origin = typing.get_origin(annotation)
    nested = suffix if origin in (typing.Union, types.UnionType, typing.Annotated) else f"{suffix}[]"
    for part in typing.get_args(annotation):
        yield from _models(part, nested)


def _type(annotation: object, metadata: list[object]) -> str:
    parts = [part for part in typing.get_args(annotation) if part is not type(None)]
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType, typing.Annotated):
        return _type(parts[0], metadata)
    if annotation is float and any(isinstance(one, BeforeValidator) for one in metadata):
        return "duration"
    if origin is typing.Literal:
        return "one of " + ", ".join(f"`{str(one).lower()}`" for one in typing.get_args(annotation))
    kind = origin or annotation
    if not isinstance(kind, type) or kind is typing.Any:
        return "mapping"  # what a plug-in wants to know: it checks that itself
    if issubclass(kind, Enum):
        return "one of " + ", ".join(f"`{one.value}`" for one in kind)
    return next((word for base, word in _WORDS.items() if issubclass(kind, base)), kind.__name__)


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        value = field.get_default(call_default_factory=True)
        return "" if isinstance(value, BaseModel) or not value else f"`{_cell(str(value))}`"
    if field.default in (None, PydanticUndefined):
        return ""
    if isinstance(field.default, BaseModel) or field.default == () or _holds_sections(field.default):
        return ""
    if isinstance(field.default, tuple):
        return ", ".join(f"`{one}`" for one in field.default)
    return f"`{_cell(str(field.default))}`"


def _holds_sections(default: object) -> bool:
    return isinstance(default, tuple) and any(isinstance(one, BaseModel) for one in default)


def _first_line(module: str) -> str:
    text = import_module(module).__doc__
    if not text:
        raise ValueError(f"{module} has no docstring to show on the reference page")
    return _cell(text.strip().splitlines()[0])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    page = render()
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(page, encoding="utf-8")
    else:
        sys.stdout.write(page)
