"""Doors for volume: who asks is found out, then the request goes to the door as it is.

The framework's way of filling in what a door needs costs as much as to check and store a body of 500 rows.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from collector.api.doors import authenticated, doors


class DirectRoute(APIRoute):
    """A route to a function of a request, the collector and who sent it; path and query are left to the function."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Call the door."""

        async def handle(request: Request) -> Response:
            here = doors(request)
            answer = await self.endpoint(request, here, await authenticated(request, here))
            assert isinstance(answer, Response)
            return answer

        return handle
