"""Bodies of remote write, made by hand from the published specification."""

import struct
from typing import Any

import cramjam

ONE = "application/x-protobuf"
TWO = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
Labels = dict[str, str]


def number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def part(field: int, content: bytes) -> bytes:
    return number(field << 3 | 2) + number(len(content)) + content


def sample(value: float, at: int) -> bytes:
    """A sample as Prometheus writes it: a zero is left out."""
    packed = struct.pack("<d", value)
    return (b"\x09" + packed if any(packed) else b"") + (b"\x10" + number(at) if at else b"")


def series(labels: Labels, *points: tuple[float, int], more: bytes = b"") -> bytes:
    told = b"".join(part(1, part(1, name.encode()) + part(2, value.encode())) for name, value in sorted(labels.items()))
    return told + b"".join(part(2, sample(*point)) for point in points) + more


def first(*written: bytes) -> bytes:
    """A body of 1.0."""
    return packed(b"".join(part(1, one) for one in written))


def second(
    *written: tuple[Labels, list[tuple[float, int]]], symbols: list[str] | None = None, more: bytes = b""
) -> bytes:
    """A body of 2.0: labels are numbers of symbols."""
    words = symbols or ["", *sorted({word for labels, _ in written for pair in labels.items() for word in pair})]
    body = b"".join(part(4, word.encode()) for word in words)
    for labels, points in written:
        refs = b"".join(number(words.index(word)) for pair in sorted(labels.items()) for word in pair)
        body += part(5, part(1, refs) + b"".join(part(2, sample(*point)) for point in points) + more)
    return packed(body)


def packed(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(body))


def headers(kind: str = ONE) -> dict[str, Any]:
    return {"Content-Type": kind, "Content-Encoding": "snappy"}
