"""What one use of a session says about it: the outcome of a step, and what the answer shows, as a sign."""

from collections.abc import Mapping

from collector.model.run import MEASURED, Outcome, StepTiming
from collector.model.session import EndCause
from probes.driver import Caller, FarEnd, OpenDriver, Witness
from probes.sessions.life import Look, Moment, Sign
from probes.sessions.settings import EndSign

_NOBODY_THERE = frozenset({"resolve", "connect"})  # phases and kinds before anything has answered
_WAITING = frozenset({"tls", "processing", "transfer"})
_ANSWERED = frozenset({"status", "expect", "redirect", "render"})  # render: a browser's window never showed it
_UNAUTHORISED = 401
_REFUSED_SIGN_IN = "authentication"
_MET: Mapping[FarEnd, tuple[Sign, str]] = {
    FarEnd.SILENT: (Sign.SILENT, "a new connection gets no answer"),
    FarEnd.REFUSED: (Sign.REFUSED, "a new connection is refused"),
    FarEnd.TAKES: (Sign.UNANSWERED, "a new connection is taken, and nothing comes over it"),
    FarEnd.GREETS: (Sign.ERROR, "a new connection is greeted by the host's service"),
}
_CAUSES = frozenset(map(str, EndCause))


def look_at(timing: StepTiming, opened: OpenDriver, ended_by: Mapping[EndCause, EndSign], at: Moment) -> Look:
    """Read one step's result. ``opened`` is asked what its answer shows, if it can tell."""
    said = _said(timing, opened, ended_by)
    if said is not None:
        cause, words = said
        return Look(at=at, sign=Sign.SAID, cause=cause, text=words)
    if _asks_for_password(opened) or timing.http_status == _UNAUTHORISED or timing.error_kind == _REFUSED_SIGN_IN:
        return Look(at=at, sign=Sign.SIGN_IN, text="the password is asked for again, and no reason is given")
    if timing.outcome in MEASURED:
        return Look(at=at, sign=Sign.ALIVE)
    sign, text = _failure(timing), timing.error or f"{timing.step}: {timing.outcome}"
    met = opened.far_end() if sign is Sign.UNCLEAR and isinstance(opened, Caller) else None
    if met is not None:
        sign, words = _MET[met]
        text = f"{text}; {words}"
    return Look(at=at, sign=sign, text=text)


def _said(timing: StepTiming, opened: OpenDriver, ended_by: Mapping[EndCause, EndSign]) -> tuple[EndCause, str] | None:
    for cause, sign in ended_by.items():
        words = next((text for text in sign.text if isinstance(opened, Witness) and opened.shows(text)), None)
        if words is not None:
            return cause, f"the answer shows {words!r}"
        if timing.http_status in sign.status:
            return cause, f"answered {timing.http_status}"
        if timing.error_kind is not None and timing.error_kind in sign.kind:
            return cause, f"{timing.error_kind}: {timing.error}"
    if timing.outcome is Outcome.DROPPED:
        kind = timing.error_kind or "no reason"
        return EndCause(kind) if kind in _CAUSES else EndCause.UNKNOWN, f"the client ended, {kind}: {timing.error}"
    return None


def _asks_for_password(opened: OpenDriver) -> bool:
    return isinstance(opened, Witness) and opened.asks_for_password()


def _failure(timing: StepTiming) -> Sign:
    kind = timing.error_kind or ""
    if timing.outcome in {Outcome.NOT_READY, Outcome.BROKEN}:
        return Sign.PROBE
    if kind == "reset" or (kind == "connect" and "refused" in (timing.error or "").lower()):
        return Sign.REFUSED
    if kind in _NOBODY_THERE:
        return Sign.SILENT
    if timing.outcome is Outcome.TIMEOUT and kind in _WAITING:
        return Sign.UNANSWERED if timing.connection == "new" else Sign.UNCLEAR
    return Sign.ERROR if kind in _ANSWERED else Sign.UNCLEAR
