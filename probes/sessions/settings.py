"""What ``agent.sessions`` of ``whichlayer.yaml`` may say: sessions that are held open, and what is watched in them."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from collector.document import Document, Seconds
from collector.model.session import EndCause
from probes.journey.request import Status
from probes.journey.text import NonEmpty, Text, Word
from probes.journey.use import JourneyUse, Name
from probes.sessions.hours import WORKING_DAYS, Day, Hours


def _hours(written: str) -> str:
    Hours.read(written)
    return written


class EndSign(Document):
    """How the system shows that it has ended a session for one cause. One of these is enough."""

    text: tuple[Text, ...] = Field(default=(), description="texts that only stand in an answer when it has happened")
    status: tuple[Status, ...] = Field(default=(), description="status codes that mean it")
    kind: tuple[Word, ...] = Field(default=(), description="words of the driver (its error_kind) that mean it")

    @field_validator("text", "status", "kind", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return value if isinstance(value, list | tuple) else [value]


class SentinelEntry(Document):
    """Leaves marked work in a safe record, and looks what became of it after the session was lost."""

    safe_record: Text = Field(
        min_length=3, description="text that only the record made for probes shows; it acts on no other"
    )
    open: Name = Field(description="step that shows the safe record with its notes: seen before, read back after")
    save: Name = Field(description="step that saves a text with {run_id} in the safe record")
    leave: Name | None = Field(
        default=None, description="step that leaves a text with {run_id} unsaved (a draft); absent where there is none"
    )
    every: Seconds = Field(default=300.0, ge=1, description="how often it saves, and leaves something unsaved")


class SessionEntry(JourneyUse):
    """One session that is held open. The account is used by nothing else."""

    account: Name = Field(description="name of the account it signs in with, never the password; its own")
    active: Name = Field(description="step that is repeated, as a user who works; it may only read")
    every: Seconds = Field(default=120.0, ge=1, description="how often the active step is repeated")
    hours: Annotated[str, AfterValidator(_hours)] = Field(
        default="08:00-18:00", description="when the session is held open, in local time"
    )
    days: NonEmpty[Day] = Field(default=WORKING_DAYS, description="on which days: mon, tue, wed, thu, fri, sat, sun")
    grace: Seconds = Field(
        default=60.0, description="how long a session that does not answer may come back before it counts as lost"
    )
    again: Seconds = Field(default=300.0, ge=1, description="at least so long from one log-on to the next")
    sign_out: Name | None = Field(default=None, description="step that signs out when the hours are over")
    ended_by: Mapping[EndCause, EndSign] = Field(
        default_factory=dict, description="what the system shows when it ends a session, by cause: idle, replaced …"
    )
    sentinel: SentinelEntry | None = Field(default=None, description="the lost-work sentinel; off if absent")
