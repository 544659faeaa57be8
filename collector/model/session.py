"""A logon held open over time, and how it ended. A failure to connect is a run, not a drop."""

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


class EndCause(StrEnum):
    """Why a session ended."""

    USER = "user"
    IDLE = "idle"
    ADMIN = "admin"
    REPLACED = "replaced"
    NETWORK = "network"
    HOST = "host"
    APPLICATION = "application"
    UNKNOWN = "unknown"


DROPS = frozenset({EndCause.NETWORK, EndCause.HOST, EndCause.APPLICATION, EndCause.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent:
    """One event in the life of one session; ``open_seconds`` is the exposure so far."""

    session_id: str
    site: str
    endpoint: str
    access: Access
    at: datetime
    kind: SessionEventKind
    open_seconds: float
    cause: EndCause | None = None
    detail: str | None = None

    def __post_init__(self) -> None:
        named("site", self.site)
        named("endpoint", self.endpoint)
        aware("at", self.at)
        finite("open_seconds", self.open_seconds, minimum=0.0)
        if (self.kind is SessionEventKind.ENDED) != (self.cause is not None):
            raise ValueError("an ended session has a cause, and only an ended one")
