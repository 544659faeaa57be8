"""One queue as a CUPS server has it: there after logon, usable, its jobs. Prints nothing.

A job of its own, never inside a timed step. Queues that a session makes at logon have names of the session's own,
so the name is given as a pattern.
"""

import asyncio
import fnmatch
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import Field

from collector.document import Document, Seconds, validate
from collector.model.errors import WhichlayerError
from collector.model.sample import Sample
from probes.context.logon import seconds_since_logon
from probes.printer_reasons import hindrance
from probes.samplers._printer_watch import PrinterWatch, Seen

_NOT_FOUND = 0x0406  # what CUPS answers when it has no queue at all
_STOPPED = 5  # printer-state, RFC 8011
_ASKED = [
    "printer-name", "printer-info", "printer-state", "printer-state-reasons", "printer-is-accepting-jobs",
    "queued-job-count",
]  # fmt: skip


class CupsSettings(Document):
    """Which queue of which server."""

    printer: str = Field(min_length=1, description="the queue's name or its info; * and ? stand for anything")
    server: str = Field(
        default="ipp://localhost:631/", pattern=r"^ipps?://[^/\s]+/?$", description="the CUPS server; ipp:// or ipps://"
    )
    timeout: Seconds = Field(default=5.0, description="how long it may take to answer")


class OpenCups:
    """Looks at the first queue that matches; ``since_logon`` gives seconds, None where nobody logged on."""

    def __init__(
        self,
        *,
        site: str,
        component: str,
        settings: CupsSettings,
        since_logon: Callable[[], float | None] = seconds_since_logon,
    ) -> None:
        self._settings = settings
        self._since_logon = since_logon
        self._watch = PrinterWatch(site=site, component=component)

    def read(self) -> Sequence[Sample]:
        """Ask the server once. Raises WhichlayerError when it gives no answer, and without the extra ``print``."""
        queues = sorted(_queues(self._settings), key=lambda queue: str(queue.get("printer-name")))
        found = next((queue for queue in queues if self._matches(queue)), None)
        return self._watch.samples(None if found is None else _seen(found), self._since_logon())

    def close(self) -> None:
        """Nothing is kept open."""

    def _matches(self, queue: Mapping[str, Any]) -> bool:
        names = (str(queue.get(key, "")).casefold() for key in ("printer-name", "printer-info"))
        return any(fnmatch.fnmatchcase(name, self._settings.printer.casefold()) for name in names)


def _seen(queue: Mapping[str, Any]) -> Seen:
    said = queue.get("printer-state-reasons", [])
    reasons = [reason for reason in (said if isinstance(said, list) else [said]) if reason != "none"]
    if queue.get("printer-is-accepting-jobs") is False:
        reasons.append("rejecting")
    stopped = queue.get("printer-state") == _STOPPED
    return Seen(
        usable=not stopped and hindrance(reasons) is None and "rejecting" not in reasons,
        jobs=int(queue.get("queued-job-count", 0)),
        words=reasons or (["stopped"] if stopped else []),
    )


def _queues(settings: CupsSettings) -> Sequence[Mapping[str, Any]]:
    try:
        from pyipp import IPP  # noqa: PLC0415  optional
        from pyipp.enums import IppOperation  # noqa: PLC0415
        from pyipp.exceptions import IPPError  # noqa: PLC0415
    except ModuleNotFoundError as absent:
        raise WhichlayerError(
            f"asking CUPS needs the package {absent.name}: pip install 'whichlayer[print]' on this endpoint"
        ) from None

    async def ask() -> Sequence[Mapping[str, Any]]:
        async with IPP(settings.server, request_timeout=math.ceil(settings.timeout)) as server:
            message = {"operation-attributes-tag": {"requested-attributes": _ASKED}}
            answer: dict[str, Any] = await server.execute(IppOperation.CUPS_GET_PRINTERS, message)
            return list(answer["printers"])

    try:
        return asyncio.run(ask())
    except IPPError as error:
        if len(error.args) > 1 and error.args[1].get("status-code") == _NOT_FOUND:
            return ()
        raise WhichlayerError(
            f"CUPS cannot be asked: {error.args[0] if error.args else type(error).__name__}"
        ) from None


class _Cups:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> OpenCups:
        """Open with CupsSettings. Raises ConfigError."""
        known = validate(settings, CupsSettings, file="agent.samplers")
        return OpenCups(site=site, component=component, settings=known)


PLUGIN = _Cups()
