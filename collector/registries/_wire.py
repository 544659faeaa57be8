"""How calls of the registry travel: arguments and answers as JSON, shaped by the contract itself."""

import inspect
from collections.abc import Mapping
from typing import Any, get_type_hints

from pydantic import TypeAdapter, create_model

from collector.registry import Registry

OPERATIONS: Mapping[str, inspect.Signature] = {
    name: inspect.signature(member)
    for name, member in vars(Registry).items()
    if inspect.isfunction(member) and not name.startswith("_") and name != "close"
}


def _arguments(name: str) -> TypeAdapter[Any]:
    hints = get_type_hints(getattr(Registry, name))
    fields: dict[str, Any] = {
        parameter.name: (hints[parameter.name], ... if parameter.default is parameter.empty else parameter.default)
        for parameter in OPERATIONS[name].parameters.values()
        if parameter.name != "self"
    }
    return TypeAdapter(create_model(f"Call{name.title().replace('_', '')}", **fields))


ARGUMENTS: Mapping[str, TypeAdapter[Any]] = {name: _arguments(name) for name in OPERATIONS}
ANSWERS: Mapping[str, TypeAdapter[Any]] = {
    name: TypeAdapter(get_type_hints(getattr(Registry, name))["return"]) for name in OPERATIONS
}


def call(registry: Registry, name: str, body: bytes) -> bytes:
    """Do one call that came as JSON. Raises ValidationError, LookupError and what the registry raises."""
    model = ARGUMENTS[name].validate_json(body)
    values = {field: getattr(model, field) for field in type(model).model_fields}
    positional = [
        values.pop(p.name)
        for p in OPERATIONS[name].parameters.values()
        if p.name in values and p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    return ANSWERS[name].dump_json(getattr(registry, name)(*positional, **values))
