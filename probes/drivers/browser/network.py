"""What the browser asked servers during a step, as its own network log tells it (Chrome DevTools Protocol).

Times are seconds on the browser's clock, which ``BrowserClock`` joins with ours.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import CDPSession

from collector.model.run import Phase

_BLOCKING = frozenset({"VeryHigh", "High", "Medium"})
_PAGE = frozenset({"Document", "XHR", "Fetch"})
_PARTS = frozenset({"Script", "Stylesheet"})


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request and its answer; every redirect is one of its own."""

    url: str
    kind: str
    priority: str
    main: bool  # the document of the window itself
    method: str
    started: float
    timing: Mapping[str, float] | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    reused: bool = False
    cached: bool = False
    sent: bool = False  # its connection was there, and the request went out
    ended: float | None = None
    error: str | None = None
    cancelled: bool = False
    received: int = 0

    @property
    def critical(self) -> bool:
        """Say whether a page waits for it: documents, what scripts fetch, and files that block rendering."""
        return self.kind in _PAGE or (self.kind in _PARTS and self.priority in _BLOCKING)

    @property
    def stage(self) -> Phase:
        """Give the phase it is in; before it was sent, everything up to the connection counts as that."""
        if self.status is not None:
            return Phase.TRANSFER
        return Phase.PROCESSING if self.sent else Phase.CONNECT


class NetworkLog:
    """The exchanges of the windows of one run, since the step began."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.document: Exchange | None = None  # the last document a window got, of any step
        self.changed_at = 0.0
        self._open: dict[str, Exchange] = {}

    def begin(self) -> None:
        """Forget what went before: a request that is still open then belongs to an earlier step."""
        self.exchanges.clear()
        self._open.clear()
        self.changed_at = time.perf_counter()

    def attach(self, session: CDPSession) -> None:
        """Listen to one window."""
        frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        session.on("Network.requestWillBeSent", lambda event: self._asked(event, frame))
        session.on("Network.requestWillBeSentExtraInfo", self._sent)
        session.on("Network.responseReceived", self._answered)
        session.on("Network.requestServedFromCache", self._cached)
        session.on("Network.loadingFinished", self._finished)
        session.on("Network.loadingFailed", self._failed)
        session.send("Network.enable")

    @property
    def waiting(self) -> list[Exchange]:
        """Give what a page waits for and has not got."""
        return [one for one in self._open.values() if one.critical]

    @property
    def documents(self) -> list[Exchange]:
        """Give the documents the windows asked for in this step, in order."""
        return [one for one in self.exchanges if one.main]

    @property
    def unanswered(self) -> bool:
        """Say whether the last document a window asked for in this step never came: it shows the one before."""
        last = self.documents[-1] if self.documents else None
        return last is not None and last.status is None and not last.cancelled  # one that became a file is cancelled

    def note_download(self, url: str, clicked: float, begun: float, ended: float, *, received: int) -> None:
        """Add a download that the browser made beside the page: no log tells more of it than these moments."""
        if any(one.url == url and one.status is not None for one in self.exchanges):
            return
        timing = {"requestTime": clicked, "sendEnd": 0.0, "receiveHeadersStart": (begun - clicked) * 1e3}
        asked = Exchange(url=url, kind="Document", priority="", main=False, method="GET", started=clicked)
        asked.timing, asked.status, asked.reused, asked.ended, asked.received = timing, 200, True, ended, received
        self.exchanges.append(asked)

    def _asked(self, event: Mapping[str, Any], main_frame: str) -> None:
        before = self._open.pop(event["requestId"], None)
        if before is not None and "redirectResponse" in event:
            _answer(before, event["redirectResponse"])
            before.ended = event["timestamp"]
        request = event["request"]
        if not request["url"].startswith(("http:", "https:")):
            return
        kind = event.get("type", "Other")
        asked = Exchange(
            url=request["url"],
            kind=kind,
            priority=request.get("initialPriority", ""),
            main=kind == "Document" and event.get("frameId") == main_frame,
            method=request["method"],
            started=event["timestamp"],
        )
        self.exchanges.append(asked)
        self._open[event["requestId"]] = asked
        self.changed_at = time.perf_counter()

    def _sent(self, event: Mapping[str, Any]) -> None:
        if asked := self._open.get(event["requestId"]):
            asked.sent = True

    def _cached(self, event: Mapping[str, Any]) -> None:
        if asked := self._open.get(event["requestId"]):
            asked.cached = True

    def _answered(self, event: Mapping[str, Any]) -> None:
        if asked := self._open.get(event["requestId"]):
            _answer(asked, event["response"])
            if asked.main:
                self.document = asked

    def _finished(self, event: Mapping[str, Any]) -> None:
        if asked := self._open.pop(event["requestId"], None):
            asked.ended = event["timestamp"]
            asked.received = int(event["encodedDataLength"])
            self.changed_at = time.perf_counter()

    def _failed(self, event: Mapping[str, Any]) -> None:
        if asked := self._open.pop(event["requestId"], None):
            asked.ended = event["timestamp"]
            asked.error = event["errorText"]
            asked.cancelled = bool(event.get("canceled"))
            self.changed_at = time.perf_counter()


def _answer(asked: Exchange, response: Mapping[str, Any]) -> None:
    asked.status = response["status"]
    asked.headers = {name.lower(): value for name, value in response["headers"].items()}
    asked.timing = response.get("timing")
    asked.reused = bool(response.get("connectionReused"))
    asked.cached = asked.cached or bool(response.get("fromDiskCache")) or bool(response.get("fromServiceWorker"))
    asked.received = int(response.get("encodedDataLength", 0))
