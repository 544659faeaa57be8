"""IPP requests to one printer or queue, by pyipp: every error is a StepEnded, the connection is timed.

Imported only when something is to be printed: pyipp and aiohttp come with the extra ``print``.
"""

import math
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import aiohttp
from pyipp import IPP
from pyipp.enums import IppOperation, IppStatus
from pyipp.exceptions import IPPConnectionError, IPPError, IPPResponseError

from collector.model.run import Outcome, Phase
from probes.drivers.http.failure import StepEnded
from probes.drivers.print.failure import refusal
from probes.drivers.print.job import Delivery, Order

Session = aiohttp.ClientSession
USER = "whichlayer"  # a printer lets the user who sent a job take it back


class Queue:
    """An open conversation with one printer."""

    def __init__(self, ipp: IPP, delivery: Delivery) -> None:
        self._ipp = ipp
        self._delivery = delivery

    async def ask(
        self,
        operation: IppOperation,
        attributes: Mapping[str, Any],
        *,
        job: Mapping[str, Any] | None = None,
        document: bytes = b"",
    ) -> dict[str, Any]:
        """Send one request and give the answer. Raises StepEnded."""
        self._delivery.requests += 1
        message: dict[str, Any] = {"operation-attributes-tag": {"requesting-user-name": USER, **attributes}}
        if job is not None:
            message["job-attributes-tag"] = dict(job)
        if document:
            message["data"] = document
        try:
            answer = await self._ipp.execute(operation, message)
        except (IPPError, aiohttp.ClientError, UnicodeDecodeError) as error:
            raise _ended(error) from None
        self._delivery.heard = time.perf_counter_ns()
        return answer


@asynccontextmanager
async def connected(order: Order, delivery: Delivery) -> AsyncIterator[Queue]:
    """Give a conversation that connects at its first request; what connecting took goes into ``delivery``."""
    connector = aiohttp.TCPConnector(ssl=order.trust or False)
    unlimited = aiohttp.ClientTimeout(total=None)  # the step's own deadline counts
    async with aiohttp.ClientSession(
        connector=connector, timeout=unlimited, trace_configs=[_trace(delivery)]
    ) as session:
        ipp = IPP(
            order.uri,
            session=session,
            verify_ssl=order.trust is not None,
            request_timeout=math.ceil(order.timeout) + 60,
            user_agent=f"whichlayer/{version('whichlayer')} (synthetic)",
        )
        yield Queue(ipp, delivery)


def _trace(delivery: Delivery) -> aiohttp.TraceConfig:
    """Take the times of resolving and connecting, TLS included; the one happens inside the other."""

    async def connecting(_session: Session, context: SimpleNamespace, _params: object) -> None:
        context.begin, context.resolved = time.perf_counter_ns(), delivery.phases.get(Phase.RESOLVE, 0)
        delivery.stage = Phase.CONNECT

    async def resolving(_session: Session, context: SimpleNamespace, _params: object) -> None:
        context.asked = time.perf_counter_ns()
        delivery.stage = Phase.RESOLVE

    async def resolved(_session: Session, context: SimpleNamespace, _params: object) -> None:
        delivery.took(Phase.RESOLVE, context.asked)
        delivery.stage = Phase.CONNECT

    async def connected(_session: Session, context: SimpleNamespace, _params: object) -> None:
        resolving = delivery.phases.get(Phase.RESOLVE, 0) - context.resolved
        delivery.took(Phase.CONNECT, context.begin + resolving)
        delivery.stage = Phase.PROCESSING

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(connecting)
    trace.on_dns_resolvehost_start.append(resolving)
    trace.on_dns_resolvehost_end.append(resolved)
    trace.on_connection_create_end.append(connected)
    return trace


def _ended(error: Exception) -> StepEnded:
    cause = error.__cause__ if isinstance(error, IPPConnectionError) else error
    if isinstance(error, IPPResponseError):
        status = error.args[1]["status-code"]
        return refusal(0, f"HTTP {status}", http=status)
    if isinstance(error, IPPError) and not isinstance(error, IPPConnectionError) and len(error.args) > 1:
        status = error.args[1]["status-code"]
        known = status in IppStatus.__members__.values()
        return refusal(status, IppStatus(status).name if known else f"status {status:#06x}")
    kind = _kind(cause)
    return StepEnded(Outcome.FAILED, kind, f"{kind}: {cause or 'the answer is not IPP'}")


def _kind(cause: BaseException | None) -> str:
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return "resolve"
    if isinstance(cause, (aiohttp.ClientSSLError, ssl.SSLError)):
        return "tls"
    if isinstance(cause, aiohttp.ClientConnectorError):
        return "connect"
    if isinstance(cause, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientPayloadError)):
        return "reset"
    return "protocol"
