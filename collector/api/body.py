"""The one reader of request bodies: type, encoding, size before and after inflating, in this order."""

import asyncio
import zlib
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from collector.api.doors import authenticated, doors
from collector.api.problem import Problem
from collector.settings import LimitSettings

_CHUNK = 256 << 10
_INLINE = 64 << 10  # a larger body is inflated in a thread, so that the event loop keeps answering
_WINDOW = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_GZIP_MAGIC = b"\x1f\x8b"
_HIGHEST_RATIO = 1032  # what deflate can reach
JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A body that has been read and inflated, with its type and its size on the wire in bytes."""

    content: bytes
    media_type: str
    wire_bytes: int


class BodyRoute(APIRoute):
    """A route whose JSON body the framework validates: it too comes through the one reader."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Ask who it is where the door asks, read the body, then hand over: nobody's body is inflated unasked."""
        validate = super().get_route_handler()
        asks_who = _asks_who(self.dependant)

        async def handle(request: Request) -> Response:
            if self.body_field is not None:
                here = doors(request)
                if asks_who:
                    await authenticated(request, here)
                content = (await read(request, here.settings.limits)).content
                request._body = content  # where the framework keeps a body that was read already
            return await validate(request)

        return handle


def _asks_who(door: Dependant) -> bool:
    return any(needed.call is authenticated or _asks_who(needed) for needed in door.dependencies)


async def read(request: Request, limits: LimitSettings, *, accept: tuple[str, ...] = (JSON,)) -> Body:
    """Read the body of ``request`` and inflate it. Raises Problem 400, 408, 413 or 415."""
    media_type, encoding = _media_type(request, accept), _encoding(request)
    if encoding != "identity" and encoding not in _WINDOW:
        raise Problem(415, f"content encoding {encoding[:40]!r} is not known: use gzip, deflate or none")
    wire = await _receive(request, limits)
    if encoding == "identity":
        return Body(content=wire, media_type=media_type, wire_bytes=len(wire))
    if len(wire) < _INLINE:
        content = inflate(wire, encoding, limits.inflated_bytes)
    else:
        content = await asyncio.to_thread(inflate, wire, encoding, limits.inflated_bytes)
    return Body(content=content, media_type=media_type, wire_bytes=len(wire))


async def read_packed(request: Request, limits: LimitSettings, *, accept: tuple[str, ...], encoding: str) -> Body:
    """Read a body that a worker process inflates. Raises Problem 400, 408, 413 or 415."""
    media_type = _media_type(request, accept)
    if _encoding(request) != encoding:
        raise Problem(415, f"the body must be encoded with {encoding}, and Content-Encoding say so")
    wire = await _receive(request, limits)
    return Body(content=wire, media_type=media_type, wire_bytes=len(wire))


def inflate(wire: bytes, encoding: str, limit: int) -> bytes:
    """Inflate at most ``limit`` bytes. Raises Problem 413 beyond, 400 when it is not ``encoding``.

    Stops at the limit, so a small body that would inflate to gigabytes costs no more than the limit.
    """
    too_much = Problem(413, f"the body inflates to more than {limit} bytes: send smaller batches")
    if encoding != "deflate" and limit < _declared(wire) <= len(wire) * _HIGHEST_RATIO:
        raise too_much  # refused without inflating; the size may lie, so the count below decides
    parts = []
    size = 0
    try:
        for part in _members(wire, encoding):
            parts.append(part)
            size += len(part)
            if size > limit:
                raise too_much
    except zlib.error:
        raise Problem(400, f"the body is not {encoding}: check the Content-Encoding header") from None
    return b"".join(parts)


def _declared(wire: bytes) -> int:
    """Give the size gzip declares at its end, in bytes; 0 when it is not gzip."""
    return int.from_bytes(wire[-4:], "little") if wire[:2] == _GZIP_MAGIC else 0


def _members(wire: bytes, encoding: str) -> Iterator[bytes]:
    rest = wire
    while True:
        stream = zlib.decompressobj(_WINDOW[encoding])
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


def _media_type(request: Request, accept: tuple[str, ...]) -> str:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in accept:
        raise Problem(415, f"send {' or '.join(accept)}, and say so in Content-Type", field="Content-Type")
    return given


def _encoding(request: Request) -> str:
    return request.headers.get("content-encoding", "identity").strip().lower() or "identity"


async def _receive(request: Request, limits: LimitSettings) -> bytes:
    try:
        async with asyncio.timeout(limits.read_seconds):
            return await _received(request, limits.body_bytes)
    except TimeoutError:
        raise Problem(408, "the body did not arrive in time: send smaller batches") from None


async def _received(request: Request, limit: int) -> bytes:
    too_much = Problem(413, f"the body is larger than {limit} bytes: send smaller batches")
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit():
        raise Problem(400, "Content-Length is not a number")
    if int(declared) > limit:
        raise too_much
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > limit:
            raise too_much
    return bytes(received)
