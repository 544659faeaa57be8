"""What a browser's errors mean for a step: outcome, kind and words.

Kinds of ``failed``: resolve, connect, tls, proxy, reset, protocol, redirect, address, status, expect,
authentication, not_saved, not_verified. A ``timeout`` has the phase it struck as its kind. Kinds of
``not_ready``: safe_record, second_factor, conditional_access. Kinds of ``broken``: browser, element,
capture, address.
"""

import re

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from collector.model.run import Outcome, Phase
from probes.drivers.browser.launch import first_line
from probes.drivers.browser.network import NetworkLog
from probes.drivers.http.failure import StepEnded

_NET = re.compile(r"net::(ERR_\w+)")
_KINDS = (  # the first that fits
    ("resolve", re.compile(r"NAME_NOT_RESOLVED|NAME_RESOLUTION|DNS_|ICANN_NAME")),
    ("proxy", re.compile(r"PROXY|TUNNEL_CONNECTION")),
    ("authentication", re.compile(r"INVALID_AUTH_CREDENTIALS|MISSING_AUTH_CREDENTIALS|UNSUPPORTED_AUTH")),
    ("tls", re.compile(r"ERR_CERT|ERR_SSL|BAD_SSL|ECH_|PINNED_KEY")),
    ("reset", re.compile(r"CONNECTION_RESET|CONNECTION_CLOSED|CONNECTION_ABORTED|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED")),
    ("connect", re.compile(r"CONNECTION_|ADDRESS_|INTERNET_DISCONNECTED|NETWORK_|TIMED_OUT")),
    ("redirect", re.compile(r"TOO_MANY_REDIRECTS|UNSAFE_REDIRECT")),
    ("address", re.compile(r"INVALID_URL|UNKNOWN_URL_SCHEME|DISALLOWED_URL|UNSAFE_PORT")),
)
_GONE = re.compile(r"crashed|has been closed|Connection closed|Target closed|disconnected", re.IGNORECASE)
_WAITING = {
    Phase.CONNECT: "a connection",
    Phase.PROCESSING: "the first byte of an answer",
    Phase.TRANSFER: "the rest of an answer",
    Phase.RENDER: "the page to show it",
}


def timed_out(log: NetworkLog, seconds: float, wanted: str) -> StepEnded:
    """Say what a step that used up its time was waiting for."""
    stage = log.waiting[-1].stage if log.waiting else Phase.RENDER
    message = f"no end within {seconds:g} s, still waiting for {_WAITING[stage]}: {wanted}"
    return StepEnded(Outcome.TIMEOUT, str(stage), message)


def not_loaded(text: str) -> StepEnded:
    """Say what an error of the network (``net::ERR_…``) means."""
    found = _NET.search(text)
    code = found[1] if found else "ERR_FAILED"
    kind = next((kind for kind, pattern in _KINDS if pattern.search(code)), "protocol")
    return StepEnded(Outcome.FAILED, kind, f"{kind}: the page could not be loaded ({code})")


def ended_by(error: PlaywrightError, log: NetworkLog, seconds: float, wanted: str) -> StepEnded:
    """Say what any error of Playwright means; ``wanted`` are words for what was being done."""
    if isinstance(error, PlaywrightTimeout):
        return timed_out(log, seconds, wanted)
    line = first_line(error)
    if _NET.search(line):
        return not_loaded(line)
    if _GONE.search(line):
        return StepEnded(Outcome.BROKEN, "browser", "the browser or its page ended during the step")
    return StepEnded(Outcome.BROKEN, "element", f"{wanted}: {line}")
