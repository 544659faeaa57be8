"""Work of the doors that others do: worker processes, and threads that wait for the disk."""

import asyncio
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from collector.api.doors import Doors
from collector.api.problem import RETRY_SECONDS, Problem

T = TypeVar("T")


async def in_worker(here: Doors, work: Callable[[], T]) -> T:
    """Let a worker process do ``work``, which has to be picklable. Raises Problem 503 when it ends meanwhile."""
    try:
        return await asyncio.get_running_loop().run_in_executor(here.decoders, work)
    except BrokenProcessPool:
        detail = "the process that decodes this ended: send this again, another one takes over"
        raise Problem(503, detail, headers={"Retry-After": str(RETRY_SECONDS)}) from None


async def in_thread(here: Doors, work: Callable[..., T], *values: object) -> T:
    """Let a thread do ``work``, which may wait for the disk."""
    return await asyncio.get_running_loop().run_in_executor(here.writers, work, *values)
