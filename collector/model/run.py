"""What one walk of a journey measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from collector.model.access import Access
from collector.model.checks import aware, finite, named


class Outcome(StrEnum):
    """How a step or a run ended. Only ``ok`` and ``slow`` carry a duration that is a sample."""

    OK = "ok"
    SLOW = "slow"  # ok, but over the target its journey declares
    FAILED = "failed"  # the service gave an error or a wrong answer
    TIMEOUT = "timeout"  # censored: it takes at least this long
    DROPPED = "dropped"  # the session went away
    NOT_READY = "not_ready"  # the environment: no credentials, paused account, no safe record
    BROKEN = "broken"  # the probe itself


MEASURED = frozenset({Outcome.OK, Outcome.SLOW})
BAD = frozenset({Outcome.FAILED, Outcome.TIMEOUT, Outcome.DROPPED})


class Phase(StrEnum):
    """A measured part of a step, in seconds. A phase that did not happen is absent, never 0.

    Those before ``server_*`` are measured by the probe and do not overlap. ``server_*`` is the server's own
    account of its time (Server-Timing or its spans): it lies inside ``processing``, and its parts
    do not overlap each other. A look at a link has ``server_external`` as the probe's estimate of it.
    """

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    PROCESSING = "processing"  # request sent until the first byte of the answer
    TRANSFER = "transfer"
    RENDER = "render"
    LAUNCH = "launch"  # the remote client's start until its window is there
    PIXELS = "pixels"  # from then until the session draws anything
    READY = "ready"  # from then until the session can be used
    DISPLAY = "display"  # keystroke to pixel; beside PROCESSING, which is then from inside the session: the way alone
    IDENTITY = "identity"  # at the identity provider, on the way of signing in
    SPOOL = "spool"  # from handing a document over until the printer has finished it
    SERVER_APP = "server_app"
    SERVER_DB = "server_db"
    SERVER_STORAGE = "server_storage"
    SERVER_EXTERNAL = "server_external"
    SERVER_IDENTITY = "server_identity"  # the directory or sign-in service, as the server waited for it


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTiming:
    """One step of one run.

    ``seconds`` is None when nothing was timed. ``censored`` means the true duration is at least
    ``seconds``: such a value is never a sample and never dropped. ``uncertainty_seconds`` is the ±
    of the measurement itself. ``error`` is short and free of secrets. ``target_seconds`` is what
    the journey file declared when the step ran.
    """

    step: str
    outcome: Outcome
    seconds: float | None = None
    uncertainty_seconds: float | None = None
    censored: bool = False
    phases: Mapping[Phase, float] = field(default_factory=dict)
    target_seconds: float | None = None
    requests: int = 0
    connection: str | None = None  # "new" or "reused"; None when no connection was made
    http_status: int | None = None
    bytes_received: int | None = None
    error_kind: str | None = None  # one bounded word: "status", "expect", "connect", "authentication" …
    error: str | None = None

    def __post_init__(self) -> None:
        named("step", self.step)
        finite("seconds", self.seconds, minimum=0.0)
        finite("uncertainty_seconds", self.uncertainty_seconds, minimum=0.0)
        finite("target_seconds", self.target_seconds, minimum=0.0)
        for phase, seconds in self.phases.items():
            finite(f"phases.{phase}", seconds, minimum=0.0)
        if self.outcome in MEASURED and (self.seconds is None or self.censored):
            raise ValueError(f"outcome {self.outcome} needs seconds that are not censored")
        if self.outcome is Outcome.TIMEOUT and not (self.censored and self.seconds is not None):
            raise ValueError("a timeout is censored and says how long was waited")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One walk of a journey at one time from one endpoint. A retry is another run.

    ``run_id`` is 32 hexadecimal digits and is the trace id as well. ``slot`` is the clock time the
    run was planned for; runs of one slot on several endpoints are pairs. ``seconds`` is the whole
    walk without think time. ``facts`` holds what was seen on the way: ``release``, ``machine``.
    ``mixed`` says that the access changed on the way (a roam, a pulled cable; ``context_changed`` in
    ``facts`` says what): its times are as measured, but belong to no access, so no average has them.
    """

    run_id: str
    site: str
    endpoint: str
    access: Access
    journey: str
    journey_hash: str
    environment: str = "live"
    slot: datetime
    started_at: datetime
    seconds: float | None
    outcome: Outcome
    steps: tuple[StepTiming, ...]
    driver: str = "http"
    attempt: int = 1
    synthetic: bool = True  # a probe's run; False for real sessions read from a source
    mixed: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.run_id) != 32 or set(self.run_id) - set("0123456789abcdef"):
            raise ValueError("run_id must be 32 lower-case hexadecimal digits")
        for name in ("site", "endpoint", "journey", "environment", "driver"):
            named(name, getattr(self, name))
        aware("slot", self.slot)
        aware("started_at", self.started_at)
        finite("seconds", self.seconds, minimum=0.0)
        if self.attempt < 1:
            raise ValueError("attempt starts at 1")
