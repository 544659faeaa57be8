"""What is wrong with the data themselves: one entry of the ledger that is shown beside every conclusion."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from collector.model.checks import aware, finite, named
from collector.model.layer import Layer

LONGEST_DETAIL = 200
_CREDENTIALS = re.compile(r"//[^/@\s]*@")
_WORDS = re.compile(r"(?i)\b(password|passwd|pwd|token|secret|authorization|bearer|sslpassword)(\s*[=:]\s*|\s+)\S+")


class QualityKind(StrEnum):
    """What can be wrong. The comment says whom ``subject`` names."""

    GAP = "gap"  # an endpoint that made no runs of a journey
    STALE_SOURCE = "stale_source"  # a component that nobody speaks of any more
    SOURCE_FAILURE = "source_failure"  # a component whose source, or sampler, cannot be read
    CLOCK_SKEW = "clock_skew"  # an endpoint
    JOURNEY_EDIT = "journey_edit"  # an endpoint that walks another file of the journey from then on
    COUNTER_RESET = "counter_reset"  # a component
    UNIT_SURPRISE = "unit_surprise"  # a component
    DROPPED_BATCH = "dropped_batch"  # an endpoint whose agent lost what it had measured
    IMPORT_WARNING = "import_warning"  # the one component of a file, or what kind of file it was
    REJECTED_ROWS = "rejected_rows"  # the endpoint, or the other sender, they came from
    SPOOL_LOSS = "spool_loss"  # the collector


UNHEARD = frozenset({QualityKind.STALE_SOURCE, QualityKind.SOURCE_FAILURE})  # nothing is known of its layers meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityEvent:
    """One thing that was wrong from ``at`` to ``until``; None while it lasts, equal when it was a moment.

    The ledger is append-only: of two entries with one ``event_id`` the one ``told_at`` later holds, and
    ``withdrawn`` says that there was nothing after all (late rows filled a gap). ``layers`` are those of
    which nothing is known meanwhile. ``amount`` is in ``unit``: a UCUM code, or the word counted ("rows").
    """

    event_id: str
    told_at: datetime
    at: datetime
    until: datetime | None = None
    site: str
    kind: QualityKind
    subject: str
    journey: str | None = None
    layers: tuple[Layer, ...] = ()
    detail: str = ""
    amount: float | None = None
    unit: str | None = None
    withdrawn: bool = False

    def __post_init__(self) -> None:
        named("site", self.site)
        named("subject", self.subject)
        if self.journey is not None:
            named("journey", self.journey)
        aware("told_at", self.told_at)
        aware("at", self.at)
        if self.until is not None:
            aware("until", self.until)
            if self.until < self.at:
                raise ValueError("what was wrong ends after it began")
        finite("amount", self.amount)
        if len(self.detail) > LONGEST_DETAIL:
            raise ValueError(f"detail must be at most {LONGEST_DETAIL} characters")


def event_id(*words: object) -> str:
    """Give the id of what these words tell apart, the same whenever it is found again."""
    return hashlib.sha256("\x1f".join(str(word) for word in words).encode()).hexdigest()[:16]


def detail(text: str) -> str:
    """Make one bounded line of what another program said, without the credentials it may have repeated."""
    line = _WORDS.sub(r"\1=…", _CREDENTIALS.sub("//…@", " ".join(text.split())))
    return line if len(line) <= LONGEST_DETAIL else line[: LONGEST_DETAIL - 1] + "…"
