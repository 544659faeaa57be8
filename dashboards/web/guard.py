"""Who may read the pages, and the headers every answer carries."""

import base64
import binascii
from collections.abc import Callable, Coroutine
from ipaddress import ip_address
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope as AsgiScope

from collector.model.errors import WhichlayerError
from collector.registry import Registry, Scope

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


class PageRoute(APIRoute):
    """A route whose answers carry ``HEADERS`` and whose errors are pages (JSON under ``/api/``)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler: headers on every answer, errors in the reader's format."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except HTTPException as error:
                response = _explain(request, error.status_code, str(error.detail), error.headers)
            except WhichlayerError as error:
                response = _explain(request, 503, f"The data could not be read: {error}", None)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return answer


class Assets(StaticFiles):
    """Our own and the vendored static files, with the same headers."""

    async def get_response(self, path: str, scope: AsgiScope) -> Response:
        """Answer with the file and the headers."""
        response = await super().get_response(path, scope)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-cache")
        return response


def reader(registry: Registry) -> Callable[[Request], None]:
    """Give the check that runs before every page.

    A browser on this machine reads without signing in; it must have asked for this machine by a
    loopback name, so that no foreign site can be resolved to it. Everybody else, and everybody who
    comes through a proxy, gives an operator's token as the password.
    """

    def check(request: Request) -> None:
        if _is_local(request) or _has_token(request, registry):
            return
        raise HTTPException(
            401,
            "Sign in with any user name and an operator's token as the password.",
            headers={"WWW-Authenticate": 'Basic realm="whichlayer", charset="UTF-8"'},
        )

    return check


def _is_local(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    return _is_loopback(request.client.host) and _is_loopback(request.url.hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _has_token(request: Request, registry: Registry) -> bool:
    token = _token(request.headers)
    agent = registry.agent_of(token) if token else None
    return agent is not None and agent.scope is Scope.OPERATOR


def _token(headers: Headers) -> str | None:
    kind, _, rest = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return rest.strip() or None
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _explain(request: Request, status: int, detail: str, headers: Any) -> Response:  # noqa: ANN401  as starlette has it
    if request.url.path.startswith("/api/"):
        body = {"type": "about:blank", "status": status, "detail": detail}
        return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")
    response: Response = request.app.state.pages.page(request, "error.html", status=status, detail=detail)
    response.status_code = status
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response
