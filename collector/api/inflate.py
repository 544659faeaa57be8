"""Bodies inflated to at most a limit: a small one that would become gigabytes costs no more than the limit."""

import zlib
from collections.abc import Iterator

import cramjam

ZLIB = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_CHUNK = 256 << 10
_GZIP_MAGIC = b"\x1f\x8b"
_HIGHEST_RATIO = 1032  # what deflate can reach
_HIGHEST_SNAPPY = 22  # what snappy can reach: 64 bytes of 3
_GOES_ON = 0x80  # on each byte of a number but its last


class NotEncoded(ValueError):
    """The body is not encoded as its headers say."""


class TooLarge(ValueError):
    """The body inflates to more than is allowed."""


def inflated(wire: bytes, encoding: str, limit: int) -> bytes:
    """Inflate a body; ``encoding`` is a key of ``ZLIB`` or identity. Raises TooLarge, NotEncoded."""
    if encoding == "identity":
        return wire
    if encoding != "deflate" and limit < _declared(wire) <= len(wire) * _HIGHEST_RATIO:
        raise _too_large(limit)  # refused without inflating; the size may lie, so the count below decides
    parts = []
    size = 0
    try:
        for part in _members(wire, encoding):
            parts.append(part)
            size += len(part)
            if size > limit:
                raise _too_large(limit)
    except zlib.error:
        raise NotEncoded(f"the body is not {encoding}: check the Content-Encoding header") from None
    return b"".join(parts)


def inflated_snappy(packed: bytes, limit: int) -> bytes:
    """Inflate a snappy block, unless the size it declares is too large, or more than its bytes can become.

    Raises TooLarge, NotEncoded.
    """
    size = 0
    for place, byte in enumerate(packed[:5]):
        size |= (byte & 0x7F) << 7 * place
        if byte < _GOES_ON:
            break
    if limit < size <= len(packed) * _HIGHEST_SNAPPY:
        raise _too_large(limit)
    if size > limit:
        raise NotEncoded("the body is not a block of snappy")
    try:
        return bytes(cramjam.snappy.decompress_raw(packed))
    except cramjam.DecompressionError:
        raise NotEncoded("the body is not a block of snappy") from None


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body inflates to more than {limit} bytes: send smaller batches")


def _declared(wire: bytes) -> int:
    """Give the size gzip declares at its end, in bytes; 0 when it is not gzip."""
    return int.from_bytes(wire[-4:], "little") if wire[:2] == _GZIP_MAGIC else 0


def _members(wire: bytes, encoding: str) -> Iterator[bytes]:
    rest = wire
    while True:
        stream = zlib.decompressobj(ZLIB[encoding])
        while rest and not stream.eof:
            yield stream.decompress(rest, _CHUNK)
            rest = stream.unconsumed_tail
        while not stream.eof:
            tail = stream.decompress(b"", _CHUNK)
            if not tail:
                raise zlib.error
            yield tail
        rest = stream.unused_data
        if not rest:
            return
        if encoding == "deflate":  # only gzip may have several members
            raise zlib.error
