"""The life of one session held open: a machine without clock, network or disk, fed with looks.

A look is one use of the session and what was seen of it. An end that was said, or a page that asks for
the password again, ends the session at once. When nothing usable comes back it is in trouble: it may
come back within a grace (then it ``reconnected``), or is lost from the first look that failed.

Where the evidence of two causes is the same, the cause is ``unknown``: ``docs/sessions.md`` has the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from collector.model.access import Access
from collector.model.session import EndCause, Kept, SessionEvent, SessionEventKind
from probes.error_text import short

LOOKS_AT_LEAST = 2  # the first may have used a connection that was opened before: it proves little alone


class Sign(StrEnum):
    """What one look saw."""

    ALIVE = "alive"
    SAID = "said"  # the system, or the client, said that the session has ended and why
    SIGN_IN = "sign_in"  # the password is asked for again, without a reason
    REFUSED = "refused"  # the host refused or reset the connection
    SILENT = "silent"  # nothing answered at all
    UNANSWERED = "unanswered"  # the host took a new connection, and no answer came over it
    ERROR = "error"  # an answer, but an error or not that of the step; or from the host, and not from the session
    UNCLEAR = "unclear"  # no answer over a connection that was open before, or a failure of another kind
    PROBE = "probe"  # the probe itself could not look


_BLAMES: Mapping[Sign, EndCause] = {
    Sign.REFUSED: EndCause.HOST,
    Sign.SILENT: EndCause.NETWORK,
    Sign.UNANSWERED: EndCause.APPLICATION,
    Sign.ERROR: EndCause.APPLICATION,
}
_SERVER_SIDE = frozenset({EndCause.HOST, EndCause.APPLICATION})


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on two clocks: ``wall`` (aware) for people, ``seconds`` (monotonic) for durations."""

    wall: datetime
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One use of the session. ``cause`` is set when the end was said; ``text`` is the evidence."""

    at: Moment
    sign: Sign
    text: str = ""
    cause: EndCause | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Which session is held, as its events will say."""

    session_id: str
    site: str
    endpoint: str
    access: Access
    journey: str
    environment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Looks in a row that brought nothing usable: the first of them, and what all of them saw."""

    first: Look
    signs: frozenset[Sign]
    looks: int = 1

    @property
    def blames(self) -> frozenset[EndCause]:
        """Give the causes the looks speak for."""
        return frozenset(_BLAMES[sign] for sign in self.signs if sign in _BLAMES)

    def and_(self, look: Look) -> "Trouble":
        """Give the trouble with one more look."""
        return replace(self, signs=self.signs | {look.sign}, looks=self.looks + 1)

    def seconds(self, until: Moment) -> float:
        """Say how long it has lasted."""
        return max(until.seconds - self.first.at.seconds, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One session from its log-on on. Every transition gives the life after it, and the event to tell if any.

    ``open_seconds`` and ``told_at`` only grow, whatever the clock of the machine does. After the end nothing
    is told any more, except ``read_back``.
    """

    held: Held
    started: Moment
    grace: float
    open_seconds: float = 0.0
    told_at: datetime | None = None
    trouble: Trouble | None = None
    ended: EndCause | None = None

    def begin(self) -> tuple["Life", SessionEvent]:
        """Tell that it was opened."""
        return self._tell(self.started, SessionEventKind.STARTED)

    def after(self, look: Look) -> tuple["Life", SessionEvent | None]:
        """Give the life after one more look."""
        if self.ended is not None:
            return self, None
        if look.sign is Sign.ALIVE:
            return self._alive(look)
        if look.sign is Sign.SAID:
            return self._end(look.at, look.cause or EndCause.UNKNOWN, self._evidence(look))
        if look.sign is Sign.SIGN_IN:
            return self._end(look.at, self._signed_out(), self._evidence(look))
        if look.sign is Sign.PROBE:
            return self._end(look.at, EndCause.USER, f"let go of by the probe: {look.text}")
        return self._troubled(look)

    def closed(self, at: Moment, detail: str) -> tuple["Life", SessionEvent | None]:
        """Give the life after a planned end."""
        if self.ended is not None:
            return self, None
        return self._end(at, EndCause.USER, detail)

    def read_back(
        self, at: Moment, *, saved: Kept | None, unsaved: Kept | None, at_risk_seconds: float | None
    ) -> SessionEvent:
        """Tell what became of the work; only after the end."""
        assert self.ended is not None
        _, event = self._tell(
            Moment(at.wall, self.started.seconds), SessionEventKind.READ_BACK, saved_work=saved, unsaved_work=unsaved,
            at_risk_seconds=at_risk_seconds,
        )  # fmt: skip
        return event

    def _alive(self, look: Look) -> tuple["Life", SessionEvent]:
        if self.trouble is None:
            return self._tell(look.at, SessionEventKind.ALIVE)
        away = self.trouble.seconds(look.at)
        detail = f"back after {away:.0f} s: {self.trouble.first.text}"
        return replace(self, trouble=None)._tell(look.at, SessionEventKind.RECONNECTED, detail=short(detail))

    def _troubled(self, look: Look) -> tuple["Life", SessionEvent | None]:
        if self.trouble is None:
            return replace(self, trouble=Trouble(first=look, signs=frozenset({look.sign}))), None
        trouble = self.trouble.and_(look)
        now = replace(self, trouble=trouble)
        if trouble.seconds(look.at) < self.grace or trouble.looks < LOOKS_AT_LEAST:
            return now, None
        blames = trouble.blames
        cause = next(iter(blames)) if len(blames) == 1 else EndCause.UNKNOWN
        return now._end(look.at, cause, now._evidence(look))

    def _signed_out(self) -> EndCause:
        """A sign-in page alone may mean anything; after the service was away, it came back without the session."""
        blames = self.trouble.blames if self.trouble else frozenset[EndCause]()
        return EndCause.APPLICATION if blames and blames <= _SERVER_SIDE else EndCause.UNKNOWN

    def _evidence(self, look: Look) -> str:
        if self.trouble is None:
            return look.text
        lasted = self.trouble.seconds(look.at)
        if look.sign in self.trouble.signs:
            return f"for {lasted:.0f} s, {self.trouble.looks} times: {look.text}"
        return f"{look.text}; for {lasted:.0f} s before: {self.trouble.first.text}"

    def _end(self, at: Moment, cause: EndCause, detail: str) -> tuple["Life", SessionEvent]:
        """End it when its loss was first seen, which is not later than ``at``."""
        seen = self.trouble.first.at if self.trouble else at
        return replace(self, ended=cause)._tell(seen, SessionEventKind.ENDED, cause=cause, detail=short(detail))

    def _tell(self, at: Moment, kind: SessionEventKind, **more: Any) -> tuple["Life", SessionEvent]:  # noqa: ANN401  as its event
        told_at = at.wall if self.told_at is None else max(self.told_at, at.wall)
        open_seconds = max(self.open_seconds, at.seconds - self.started.seconds)
        held = self.held
        event = SessionEvent(
            session_id=held.session_id,
            site=held.site,
            endpoint=held.endpoint,
            access=held.access,
            journey=held.journey,
            environment=held.environment,
            at=told_at,
            kind=kind,
            open_seconds=round(open_seconds, 3),
            **more,
        )
        return replace(self, told_at=told_at, open_seconds=open_seconds), event
