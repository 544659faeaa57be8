"""Why a step ended early: exceptions of the network and of the client, as outcome, kind and words.

Kinds of ``failed``: resolve, connect, tls, proxy, reset, protocol, redirect, status, expect,
authentication, address, not_saved, not_verified. A ``timeout`` has the phase it struck as its kind.
"""

import ssl

import httpcore2
import httpx2

from collector.model.run import Outcome, Phase
from probes.drivers.http.transport import UntrustedAddress

_WAITING = {
    Phase.RESOLVE: "the name to be resolved",
    Phase.CONNECT: "the connection",
    Phase.TLS: "the TLS handshake",
    Phase.PROCESSING: "the first byte of the answer",
    Phase.TRANSFER: "the rest of the answer",
}


class StepEnded(Exception):
    """The step is over before its last request; not an error of the probe."""

    def __init__(self, outcome: Outcome, kind: str, message: str) -> None:
        self.outcome = outcome
        self.kind = kind
        super().__init__(message)


# Everything a request can raise for what the service, the network or the journey does.
REQUEST_ERRORS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    UntrustedAddress,
)


def ended_by(error: Exception, stage: Phase, timeout_seconds: float) -> StepEnded:
    """Say what an error of ``REQUEST_ERRORS`` means for the step that was in ``stage``."""
    if isinstance(error, httpcore2.TimeoutException):
        return StepEnded(
            Outcome.TIMEOUT, str(stage), f"no end within {timeout_seconds:g} s, still waiting for {_WAITING[stage]}"
        )
    kind = _kind(error, stage)
    return StepEnded(Outcome.FAILED, kind, f"{kind}: {str(error) or type(error).__name__}")


def _kind(error: Exception, stage: Phase) -> str:
    if isinstance(error, httpcore2.NetworkError):
        if _is_tls(error):
            return "tls"
        return str(stage) if stage in {Phase.RESOLVE, Phase.CONNECT, Phase.TLS} else "reset"
    if isinstance(error, httpcore2.RemoteProtocolError) and "disconnected" in str(error):
        return "reset"
    for kind, types in _KINDS.items():
        if isinstance(error, types):
            return kind
    return "protocol"


_KINDS: dict[str, tuple[type[Exception], ...]] = {
    "proxy": (httpcore2.ProxyError,),
    "redirect": (httpx2.TooManyRedirects,),
    "address": (httpcore2.UnsupportedProtocol, httpx2.UnsupportedProtocol, httpx2.InvalidURL, UntrustedAddress),
}


def _is_tls(error: BaseException | None) -> bool:
    """Find a TLS error below: a refused client certificate shows only at the first read."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
