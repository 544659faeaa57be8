"""Bodies that arrive faster than they can be stored: what has no room is told to come back, and then is taken."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.doors.knock import Collector, collector, runs

_SIZE = 2000  # of a body, in bytes


async def _answer(here: Collector, body: bytes, whole: Callable[[], Any]) -> tuple[int, dict[bytes, bytes]]:
    """Send ``body`` to the door of runs, all but its last byte before ``whole`` returns; give status and headers."""
    parts = [(body[:-1], True), (body[-1:], False)]
    headers = [(name.lower().encode(), value.encode()) for name, value in here.as_agent().items()]
    scope = {"type": "http", "method": "POST", "path": "/v1/runs", "query_string": b"", "headers": headers}
    answered: list[Any] = []

    async def receive() -> dict[str, Any]:
        content, more = parts.pop(0)
        if not more:
            await whole()
        return {"type": "http.request", "body": content, "more_body": more}

    async def send(message: Any) -> None:
        answered.append(message)

    await here.client.app(scope, receive, send)
    return answered[0]["status"], dict(answered[0]["headers"])


async def test_what_has_no_room_is_told_when_to_come_back_and_room_is_given_back(tmp_path: Path) -> None:
    with collector(tmp_path, limits={"body_bytes": _SIZE, "waiting_bytes": _SIZE + 100}) as here:
        bodies = [json.dumps(runs(sequence)).encode().ljust(_SIZE) for sequence in (1, 2)]
        halfway, goes_on = asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            halfway.set()
            await goes_on.wait()

        async def no_wait() -> None:
            pass

        first = asyncio.create_task(_answer(here, bodies[0], wait))
        await halfway.wait()
        status, headers = await _answer(here, bodies[1], no_wait)
        assert (status, headers[b"retry-after"]) == (503, b"1")
        goes_on.set()
        assert (await first)[0] == 204
        assert (await _answer(here, bodies[1], no_wait))[0] == 204
        assert len(here.rows("runs")) == 2
