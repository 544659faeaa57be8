"""How a step is told apart in the traces of the systems it asks (W3C Trace Context).

The trace id of every request is the run's id. The span id of a request proves that a whichlayer probe sent it, and
names the step: 6 bytes of a hash of the run's id, the step's position in its run, the request's number in its step.
``tracestate`` says the position again: it reaches services that only see another service's span id.
"""

import hashlib
import re

MEMBER = "whichlayer"
MOST_STEPS = 255
_STATED = re.compile(rf"(?:^|,)\s*{MEMBER}=([0-9]{{1,3}})\s*(?:,|$)")


def span_id(run_id: str, position: int, request: int) -> str:
    """Give 16 hexadecimal digits; ``position`` counts to 255, ``request`` counts from 0 and begins anew after 255."""
    return f"{_mark(run_id)}{min(position, MOST_STEPS):02x}{request % 256:02x}"


def headers(run_id: str, position: int, request: int) -> dict[str, str]:
    """Give the headers of one request: always sampled, so that what follows its parent is recorded."""
    return {
        "traceparent": f"00-{run_id}-{span_id(run_id, position, request)}-01",
        "tracestate": f"{MEMBER}={position}",
    }


def position_of(trace_id: str, parent_id: str) -> int | None:
    """Give the position of the step whose own request ``parent_id`` is; None when no probe made it."""
    return int(parent_id[12:14], 16) if len(parent_id) == 16 and parent_id[:12] == _mark(trace_id) else None


def stated_position(tracestate: str) -> int | None:
    """Give the position a ``tracestate`` names; None when whichlayer is not in it."""
    found = _STATED.search(tracestate) if MEMBER in tracestate else None
    return int(found[1]) if found and int(found[1]) <= MOST_STEPS else None


def _mark(run_id: str) -> str:
    return hashlib.blake2b(run_id.encode(), digest_size=6, person=b"whichlayer").hexdigest()
