"""Why a link did not answer, told apart so that the firewall and the far end are not confused.

The kind is for counting and never changes; the words say whom to ask first. Where two causes leave
the same trace on the wire (a reset of the far end or of a firewall that rejects), the words name both.
"""

import errno
import ssl
from collections.abc import Iterator

import httpcore2

from collector.model.run import Outcome, Phase
from probes.drivers.http.failure import StepEnded

# Everything connecting, the handshake and the request can raise for what the network and the far end do.
NETWORK_ERRORS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
)

_LATE = {  # by the phase in which the time was over
    Phase.RESOLVE: ("resolve", "the resolver did not answer: ask the owner of the name servers"),
    Phase.CONNECT: (
        "filtered",
        "nothing answered the connection: a firewall drops it, or the far end is gone. Ask the firewall's owner first",
    ),
    Phase.TLS: (
        "handshake_silent",
        "connected, but the TLS handshake was not answered: a firewall that inspects, or a far end that is stuck",
    ),
    Phase.PROCESSING: (
        "slow_answer",
        "the request was taken and not answered: the way is open. Ask the owner of the far end",
    ),
    Phase.TRANSFER: ("slow_transfer", "the answer began and did not end: the way is narrow, or the far end is slow"),
}
_WORDS = {
    "resolve": "the name has no address here: ask the owner of the name servers",
    "refused": "the connection was refused: nothing listens at the far end, or a firewall rejects openly. "
    "Ask the owner of the far end first",
    "unreachable": "a router or firewall says that there is no way there. Ask the owner of the network",
    "connect": "no connection could be made",
    "reset_handshake": "connected, then reset in the TLS handshake: mostly a firewall that inspects. "
    "Ask the owner of the firewall first",
    "closed_handshake": "the far end hung up in the TLS handshake: it, or a load balancer before it, takes no TLS now",
    "reset_request": "reset after the request: mostly a firewall that looks inside, or a far end that crashed",
    "closed_request": "the far end hung up before its answer was whole. Ask its owner",
    "certificate_expired": "the certificate has expired or is not valid yet. Ask the owner of the far end",
    "certificate_name": "the certificate is for another name: a wrong address, or a wrong server behind it",
    "certificate_untrusted": "nobody here vouches for the certificate: the far end changed it, "
    "or a firewall that inspects shows its own",
    "client_certificate": "the far end does not accept the certificate of this endpoint, or misses one",
    "tls_version": "no version of TLS that both accept",
    "not_tls": "what answers does not speak TLS: a wrong port, or a page of a proxy or portal",
    "tls": "the TLS handshake failed",
    "protocol": "the answer is not HTTP",
}
_EXPIRED, _NOT_YET, _OTHER_NAME, _OTHER_ADDRESS = 10, 9, 62, 64  # X509_V_ERR_* of OpenSSL
_CERTIFICATE_KINDS = {
    _EXPIRED: "certificate_expired",
    _NOT_YET: "certificate_expired",
    _OTHER_NAME: "certificate_name",
    _OTHER_ADDRESS: "certificate_name",
}
_TLS_KINDS = (  # what OpenSSL calls it, or a part of that; the first that fits
    ("EOF", "closed_handshake"),
    ("ALERT_PROTOCOL_VERSION", "tls_version"),
    ("UNSUPPORTED_PROTOCOL", "tls_version"),
    ("ALERT_HANDSHAKE_FAILURE", "tls_version"),
    ("CERTIFICATE_REQUIRED", "client_certificate"),
    ("ALERT_BAD_CERTIFICATE", "client_certificate"),
    ("ALERT_UNKNOWN_CA", "client_certificate"),
    ("ALERT_CERTIFICATE", "client_certificate"),
    ("WRONG_VERSION_NUMBER", "not_tls"),
    ("HTTP_REQUEST", "not_tls"),
    ("PACKET_LENGTH_TOO_LONG", "not_tls"),
    ("RECORD_LAYER_FAILURE", "not_tls"),
    ("UNEXPECTED_MESSAGE", "not_tls"),
)
_NO_WAY = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_RESET = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)


def ended_by(error: Exception, stage: Phase, timeout_seconds: float) -> StepEnded:
    """Say what an error of ``NETWORK_ERRORS`` means for the step that was in ``stage``."""
    if isinstance(error, httpcore2.TimeoutException):
        kind, words = _LATE[stage]
        return StepEnded(Outcome.TIMEOUT, kind, f"no end within {timeout_seconds:g} s: {words}")
    kind = _kind(error, stage)
    return StepEnded(Outcome.FAILED, kind, f"{_WORDS[kind]} ({_reason(error)})")


def hung_up(stage: Phase) -> StepEnded:
    """Say what an end without the expected answer means."""
    kind = "closed_handshake" if stage is Phase.TLS else "closed_request"
    return StepEnded(Outcome.FAILED, kind, _WORDS[kind])


def _kind(error: Exception, stage: Phase) -> str:
    causes = list(_causes(error))
    secured = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if secured is not None:
        return _tls_kind(secured, stage)
    if stage in {Phase.RESOLVE, Phase.CONNECT}:
        return "resolve" if stage is Phase.RESOLVE else _connect_kind(causes)
    where = "handshake" if stage is Phase.TLS else "request"
    if any(isinstance(cause, _RESET) for cause in causes):
        return f"reset_{where}"
    return f"closed_{where}" if _ends_early(error, stage) else "protocol"


def _ends_early(error: Exception, stage: Phase) -> bool:
    """Tell an answer that stops from one that is not HTTP: the client has one exception for both."""
    if isinstance(error, httpcore2.RemoteProtocolError):
        incomplete = str(error).startswith("peer closed connection")
        return incomplete or ("disconnected" in str(error) and stage is not Phase.TRANSFER)
    return not isinstance(error, httpcore2.ProtocolError)


def _connect_kind(causes: list[BaseException]) -> str:
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "refused"
    if any(isinstance(cause, OSError) and cause.errno in _NO_WAY for cause in causes):
        return "unreachable"
    if any(isinstance(cause, TimeoutError) for cause in causes):  # the system gave up before the step did
        return "filtered"
    return "connect"


def _tls_kind(error: ssl.SSLError, stage: Phase) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE_KINDS.get(error.verify_code, "certificate_untrusted")
    reason = "EOF" if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) else error.reason or ""
    kind = next((kind for part, kind in _TLS_KINDS if part in reason), "tls")
    return "closed_request" if kind == "closed_handshake" and stage is not Phase.TLS else kind


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _reason(error: Exception) -> str:
    """Give the shortest true words of the system: those at the bottom."""
    deepest = list(_causes(error))[-1]
    if isinstance(deepest, ssl.SSLCertVerificationError):
        return deepest.verify_message
    if isinstance(deepest, ssl.SSLError) and deepest.reason:
        return deepest.reason.replace("_", " ").lower()
    return getattr(deepest, "strerror", None) or str(deepest) or type(deepest).__name__
