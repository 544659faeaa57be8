"""The one reader of request bodies: type, encoding, size before and after inflating, in this order."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from collector.api.doors import authenticated, doors
from collector.api.inflate import ZLIB, NotEncoded, TooLarge, inflated
from collector.api.problem import Problem
from collector.api.room import TAKEN, Room
from collector.settings import LimitSettings

_INLINE = 64 << 10  # a larger body is inflated in a thread, so that the event loop keeps answering
JSON = "application/json"
IDENTITY = "identity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A body that has been read, with its type, and how it is still encoded."""

    content: bytes
    media_type: str
    encoding: str


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
    sent = await read_packed(request, limits, accept=accept)
    with refusing():
        if len(sent.content) < _INLINE:
            content = inflated(sent.content, sent.encoding, limits.inflated_bytes)
        else:
            content = await asyncio.to_thread(inflated, sent.content, sent.encoding, limits.inflated_bytes)
    return replace(sent, content=content, encoding=IDENTITY)


async def read_packed(
    request: Request, limits: LimitSettings, *, accept: tuple[str, ...], encodings: tuple[str, ...] = (IDENTITY, *ZLIB)
) -> Body:
    """Read the body of ``request`` and leave it to another to inflate it. Raises Problem 408, 413 or 415."""
    media_type = _media_type(request, accept)
    encoding = request.headers.get("content-encoding", IDENTITY).strip().lower() or IDENTITY
    if encoding not in encodings:
        known = " or ".join(encodings).replace(IDENTITY, "none")
        raise Problem(415, f"content encoding {encoding[:40]!r} is not known: use {known}")
    wire = await _receive(request, limits)
    return Body(content=wire, media_type=media_type, encoding=encoding)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what cannot be inflated into Problem 400 or 413."""
    try:
        yield
    except NotEncoded as error:
        raise Problem(400, str(error)) from None
    except TooLarge as error:
        raise Problem(413, str(error)) from None


def _media_type(request: Request, accept: tuple[str, ...]) -> str:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in accept:
        raise Problem(415, f"send {' or '.join(accept)}, and say so in Content-Type", field="Content-Type")
    return given


async def _receive(request: Request, limits: LimitSettings) -> bytes:
    try:
        async with asyncio.timeout(limits.read_seconds):
            return await _received(request, limits.body_bytes, doors(request).room)
    except TimeoutError:
        raise Problem(408, "the body did not arrive in time: send smaller batches") from None


async def _received(request: Request, limit: int, room: Room) -> bytes:
    too_much = Problem(413, f"the body is larger than {limit} bytes: send smaller batches")
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit():
        raise Problem(400, "Content-Length is not a number")
    if int(declared) > limit:
        raise too_much
    received = bytearray()
    async for chunk in request.stream():
        room.take(len(chunk))
        request.scope[TAKEN] = request.scope.get(TAKEN, 0) + len(chunk)
        received += chunk
        if len(received) > limit:
            raise too_much
    return bytes(received)
