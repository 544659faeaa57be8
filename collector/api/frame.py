"""What is around every request: the collector's time on each answer, a log line, no leaking error."""

import logging
import time
from typing import Any

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.api.meters import Meters
from collector.api.problem import Problem, respond
from collector.api.room import TAKEN, Room

_LOG = structlog.get_logger("whichlayer.collector")
_ASKED = logging.getLogger("whichlayer.collector")
_REASONS = {400: "malformed", 401: "unauthenticated", 403: "forbidden", 408: "slow", 413: "too_large"}
_REASONS |= {415: "type", 422: "invalid", 500: "mistake", 503: "full"}


class Frame:
    """ASGI middleware. Neither bodies nor headers are logged, so no token can be."""

    def __init__(self, app: ASGIApp, meters: Meters, room: Room) -> None:
        self._app = app
        self._meters = meters
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                stamp = (b"x-whichlayer-time", f"{time.time():.6f}".encode())
                message["headers"] = [*message.get("headers", ()), stamp, (b"x-content-type-options", b"nosniff")]
            await send(message)

        try:
            await self._app(scope, receive, stamped)
        except ClientDisconnect:
            _LOG.info("the sender went away before it had sent all", method=scope["method"], path=scope["path"])
        except Exception:
            _LOG.exception("request failed", method=scope["method"], path=scope["path"])
            if status:
                raise  # half an answer is out: the connection has to break
            problem = Problem(500, "the collector made a mistake: its log says which")
            await respond(problem)(scope, receive, stamped)
        finally:
            self._room.leave(scope.get(TAKEN, 0))
            self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        self._meters.seconds.labels(_method(scope), str(status)).observe(seconds)
        facts: dict[str, Any] = {"method": scope["method"], "path": scope["path"], "status": status}
        if status in _REASONS:
            self._meters.rejected.labels(_REASONS[status]).inc()
            _LOG.warning("request refused", **facts, seconds=round(seconds, 6))
        elif _ASKED.isEnabledFor(logging.DEBUG):  # what nobody asked for would cost as much as to keep a small body
            _LOG.debug("request", **facts, seconds=round(seconds, 6))


def _method(scope: Scope) -> str:
    known = scope["method"] in {"GET", "HEAD", "POST", "PUT", "DELETE"}
    return str(scope["method"]) if known else "other"
