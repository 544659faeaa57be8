"""The messages of Prometheus remote write 1.0 and 2.0, as far as they are read, from the published specification.

Made when the module is loaded, so that no generated file has to fit the protobuf runtime. A field of type BYTES
that the specification gives a message is the same on the wire: it is only counted, or looked at by itself later.
"""

from typing import Any

from google.protobuf.descriptor_pb2 import (  # type: ignore[import-untyped]
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool  # type: ignore[import-untyped]
from google.protobuf.message_factory import GetMessages  # type: ignore[import-untyped]

_PACKAGE = "whichlayer.remote_write"
_BYTES = FieldDescriptorProto.TYPE_BYTES
_STRING = FieldDescriptorProto.TYPE_STRING
_DOUBLE = FieldDescriptorProto.TYPE_DOUBLE
_INT64 = FieldDescriptorProto.TYPE_INT64
_UINT32 = FieldDescriptorProto.TYPE_UINT32
_MESSAGES: dict[str, dict[str, tuple[int, Any]]] = {  # name: number and type; a name with * is repeated
    "Label": {"name": (1, _STRING), "value": (2, _STRING)},
    "Sample": {"value": (1, _DOUBLE), "timestamp": (2, _INT64)},  # milliseconds since 1970
    # prometheus.WriteRequest
    "WriteRequest": {"timeseries*": (1, _BYTES)},
    "TimeSeries": {
        "labels*": (1, "Label"),
        "samples*": (2, "Sample"),
        "exemplars*": (3, _BYTES),
        "histograms*": (4, _BYTES),
    },
    # io.prometheus.write.v2.Request
    "Request": {"symbols*": (4, _STRING), "timeseries*": (5, "TimeSeriesV2")},
    "TimeSeriesV2": {
        "labels_refs*": (1, _UINT32),
        "samples*": (2, "Sample"),
        "histograms*": (3, _BYTES),
        "exemplars*": (4, _BYTES),
    },
}


def _file() -> FileDescriptorProto:
    file = FileDescriptorProto(name="whichlayer_remote_write.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            label = FieldDescriptorProto.LABEL_REPEATED if field.endswith("*") else FieldDescriptorProto.LABEL_OPTIONAL
            made = message.field.add(name=field.rstrip("*"), number=number, label=label)
            if isinstance(kind, str):
                made.type, made.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                made.type = kind
    return file


_CLASSES = GetMessages([_file()], DescriptorPool())
WriteRequest = _CLASSES[f"{_PACKAGE}.WriteRequest"]
TimeSeries = _CLASSES[f"{_PACKAGE}.TimeSeries"]
Request = _CLASSES[f"{_PACKAGE}.Request"]
