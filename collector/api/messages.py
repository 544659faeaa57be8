"""Protobuf messages made when a module is loaded, so that no generated file has to fit the protobuf runtime.

A field that the specification gives a message may be called BYTES here: on the wire it is the same, and it is only
counted, or looked at by itself later.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor_pb2 import (  # type: ignore[import-untyped]
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool  # type: ignore[import-untyped]
from google.protobuf.message_factory import GetMessages  # type: ignore[import-untyped]

BYTES = FieldDescriptorProto.TYPE_BYTES
STRING = FieldDescriptorProto.TYPE_STRING
BOOL = FieldDescriptorProto.TYPE_BOOL
DOUBLE = FieldDescriptorProto.TYPE_DOUBLE
FIXED64 = FieldDescriptorProto.TYPE_FIXED64
SFIXED64 = FieldDescriptorProto.TYPE_SFIXED64
INT64 = FieldDescriptorProto.TYPE_INT64
INT32 = FieldDescriptorProto.TYPE_INT32
UINT32 = FieldDescriptorProto.TYPE_UINT32


def made(package: str, messages: Mapping[str, Mapping[str, tuple[int, Any]]]) -> dict[str, Any]:
    """Make classes of ``messages``: of each field its number and its type, which may be another message's name.

    A name with ``*`` is repeated; of all names with ``?`` in a message, only the last one on the wire counts.
    """
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        if any(field.endswith("?") for field in fields):
            message.oneof_decl.add(name="one")
        for field, (number, kind) in fields.items():
            _add(message, field, number, f".{package}.{kind}" if isinstance(kind, str) else kind)
    classes = GetMessages([file], DescriptorPool())
    return {name: classes[f"{package}.{name}"] for name in messages}


def _add(message: DescriptorProto, field: str, number: int, kind: str | int) -> None:
    label = FieldDescriptorProto.LABEL_REPEATED if field.endswith("*") else FieldDescriptorProto.LABEL_OPTIONAL
    added = message.field.add(name=field.rstrip("*?"), number=number, label=label)
    if field.endswith("?"):
        added.oneof_index = 0
    if isinstance(kind, str):
        added.type, added.type_name = FieldDescriptorProto.TYPE_MESSAGE, kind
    else:
        added.type = kind
