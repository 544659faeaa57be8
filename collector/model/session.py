"""A logon open over time, and how it ended. A failure to connect is a run, not a drop."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from collector.model.access import Access
from collector.model.checks import aware, finite, named


class SessionEventKind(StrEnum):
    """What happened to a session. ``alive`` marks exposure up to that time."""

    STARTED = "started"
    ALIVE = "alive"
    RECONNECTED = "reconnected"
    ENDED = "ended"
    READ_BACK = "read_back"  # after it ended: what became of the work that was done in it


class EndCause(StrEnum):
    """Why a session ended. ``user`` is our own doing: the hours are over, the agent was stopped."""

    USER = "user"
    IDLE = "idle"
    ADMIN = "admin"
    REPLACED = "replaced"
    NETWORK = "network"
    HOST = "host"
    APPLICATION = "application"
    UNKNOWN = "unknown"


class Kept(StrEnum):
    """What became of a text that was written before a session ended. ``unknown``: nobody could look."""

    KEPT = "kept"
    LOST = "lost"
    UNKNOWN = "unknown"


DROPS = frozenset({EndCause.NETWORK, EndCause.HOST, EndCause.APPLICATION, EndCause.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent:
    """One event in the life of one session; ``open_seconds`` is the exposure so far.

    ``journey`` says what was held open. A ``read_back`` says what became of ``saved_work`` and of
    ``unsaved_work`` (None: none was left), and that ``at_risk_seconds`` had gone by since the last
    save that was confirmed; all of it is about the session that ended.

    ``synthetic`` sessions are held open by a probe. Others are those in which people work, as a source tells of
    them: their exposure and their ends follow people's habits, so they are never counted among the held ones.
    """

    session_id: str
    site: str
    endpoint: str
    access: Access
    at: datetime
    kind: SessionEventKind
    open_seconds: float
    cause: EndCause | None = None
    detail: str | None = None
    journey: str | None = None
    environment: str = "live"
    saved_work: Kept | None = None
    unsaved_work: Kept | None = None
    at_risk_seconds: float | None = None
    synthetic: bool = True

    def __post_init__(self) -> None:
        named("site", self.site)
        named("endpoint", self.endpoint)
        named("environment", self.environment)
        if self.journey is not None:
            named("journey", self.journey)
        aware("at", self.at)
        finite("open_seconds", self.open_seconds, minimum=0.0)
        finite("at_risk_seconds", self.at_risk_seconds, minimum=0.0)
        if (self.kind is SessionEventKind.ENDED) != (self.cause is not None):
            raise ValueError("an ended session has a cause, and only an ended one")
        if (self.kind is SessionEventKind.READ_BACK) != (self.saved_work is not None or self.unsaved_work is not None):
            raise ValueError("what was read back says what became of the work, and nothing else does")
        if self.at_risk_seconds is not None and self.kind is not SessionEventKind.READ_BACK:
            raise ValueError("only what was read back says how much work was at risk")
