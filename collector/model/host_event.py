"""What a machine's own log says of a session on it, or of itself: facts that can give a lost session a cause."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from collector.model.checks import aware, named
from collector.model.session import EndCause


class HostLog(StrEnum):
    """Which log: that of its sessions (who is known), of the system, or of the programs on it."""

    SESSIONS = "sessions"
    SYSTEM = "system"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEvent:
    """One entry. ``said`` is what it means in our words: the log's own text is not kept, since it holds names.

    ``cause`` is what it says of why a session ended; None: it says nothing of that. ``user`` is a pseudonym and
    ``session`` the machine's number of a session; ``endpoint`` is set when the session is one that a probe there
    holds open. ``code`` is the log's own reason, ``program`` the one that failed.
    """

    site: str
    host: str
    at: datetime
    log: HostLog
    event_number: int
    said: str
    cause: EndCause | None = None
    code: int | None = None
    session: int | None = None
    user: str | None = None
    endpoint: str | None = None
    program: str | None = None

    def __post_init__(self) -> None:
        named("site", self.site)
        named("host", self.host)
        aware("at", self.at)
        if self.endpoint is not None:
            named("endpoint", self.endpoint)
        if not self.said:
            raise ValueError("an entry says something")
