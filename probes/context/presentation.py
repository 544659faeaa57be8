"""Where the windows of this session are drawn: what decides it, in which order, and how sure that is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from collector.model.access import Presentation
from probes.windows.port import SessionAnswers

_PROTOCOLS = {1: Presentation.CITRIX, 2: Presentation.RDP}
HINT_CONFIDENCE = 0.6  # SESSIONNAME is fixed when a process starts: after a reconnect it can be old


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One half of an access: what, how it is known, and how sure (0 to 1)."""

    what: str
    source: str
    confidence: float


def of_windows(answers: SessionAnswers) -> Found:
    """Decide: Windows, then the Citrix agent, then its registry key, then SESSIONNAME.

    Windows says "console" for a single-session virtual desktop too, so its 0 alone decides nothing.
    """
    return next(iter(_signs(answers)))


def of_environment(environment: Mapping[str, str]) -> Found:
    """Look for the traces a remote session leaves in the environment of what runs in it."""
    hint = _by_name(environment.get("SESSIONNAME", ""))
    if hint is not None:
        return hint
    traces = (
        (Presentation.CITRIX, ("CITRIX_SESSION_ID", "CITRIX_REMOTE_DISPLAY")),
        (Presentation.RDP, ("XRDP_SESSION", "XRDP_SOCKET_PATH")),
        (Presentation.VNC, ("VNCDESKTOP",)),
    )
    for presentation, names in traces:
        present = [name for name in names if environment.get(name)]
        if present:
            return Found(what=presentation, source=f"{present[0]} in the environment", confidence=0.9)
    return Found(what=Presentation.LOCAL, source="no trace of a remote session", confidence=0.6)


def _signs(answers: SessionAnswers) -> Iterator[Found]:
    if answers.wts in _PROTOCOLS:
        yield Found(what=_PROTOCOLS[answers.wts], source="WTSClientProtocolType", confidence=0.95)
    if answers.citrix in _PROTOCOLS:
        yield Found(what=_PROTOCOLS[answers.citrix], source="WFGetActiveProtocol", confidence=0.95)
    if answers.citrix == 0:
        yield Found(what=Presentation.LOCAL, source="WFGetActiveProtocol", confidence=0.95)
    if answers.registry:
        yield Found(what=Presentation.CITRIX, source="Citrix connection in the registry", confidence=0.8)
    hint = _by_name(answers.name)
    if hint is not None and (hint.what != Presentation.LOCAL or answers.wts is None):
        yield hint
    if answers.wts == 0:
        yield Found(what=Presentation.LOCAL, source="WTSClientProtocolType, no Citrix agent", confidence=0.9)
    yield Found(what=Presentation.UNKNOWN, source="Windows gave no answer", confidence=0.0)


def _by_name(session: str) -> Found | None:
    kinds = (("ICA", Presentation.CITRIX), ("RDP", Presentation.RDP), ("CONSOLE", Presentation.LOCAL))
    for start, presentation in kinds:
        if session.upper().startswith(start):
            return Found(what=presentation, source="SESSIONNAME, a hint", confidence=HINT_CONFIDENCE)
    return None
