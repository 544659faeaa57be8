"""Which part of a step's time was network: the way back from its end along what the page waited for.

At every moment at most one phase counts. Going back from the end, it is the phase of the request then
on its way that ended last; when none was, the browser itself was busy or waiting for its user.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import httpx2

from collector.model.run import Phase
from probes.drivers.browser.network import Exchange
from probes.drivers.http import server_timing
from probes.drivers.http.transport import origin


@dataclass(frozen=True, slots=True)
class Piece:
    """One phase of one exchange, in seconds on the browser's clock."""

    phase: Phase
    start: float
    end: float
    exchange: Exchange
    whole_seconds: float  # also what lies behind the end of the step


def phases(
    exchanges: Sequence[Exchange], begin: float, end: float, *, identity: frozenset[str] = frozenset()
) -> dict[Phase, float]:
    """Divide the time from ``begin`` to ``end`` into phases, in seconds; they add up to it.

    Exchanges with an origin of ``identity`` count as that phase as a whole. ``server_*`` is what the
    servers on the path said of themselves, for the share of their time that is on it.
    """
    pieces = [
        piece
        for one in exchanges
        if one.critical and not one.cached and one.started >= begin
        for piece in _pieces(one, end, identity=origin(httpx2.URL(one.url)) in identity)
    ]
    taken: dict[Phase, float] = {}
    server: dict[Phase, float] = {}
    for piece, seconds in _path(pieces, begin, end):
        taken[piece.phase] = taken.get(piece.phase, 0.0) + seconds
        if piece.phase is Phase.PROCESSING:
            share = seconds / piece.whole_seconds
            said = server_timing.parse([piece.exchange.headers.get("server-timing", "")])
            for phase, value in said.items():
                server[phase] = server.get(phase, 0.0) + value * share
    rest = (end - begin) - math.fsum(taken.values())
    taken[Phase.RENDER] = max(0.0, rest)
    return {phase: (taken | server)[phase] for phase in Phase if phase in taken | server}


def _path(pieces: Sequence[Piece], begin: float, end: float) -> Iterator[tuple[Piece, float]]:
    """Give the pieces on the way back from ``end``, each with the seconds of it that count."""
    now = end
    while now > begin:
        under_way = [piece for piece in pieces if piece.start < now <= piece.end]
        if under_way:
            piece = max(under_way, key=lambda one: one.exchange.ended or one.end)
            yield piece, now - max(piece.start, begin)
            now = piece.start
        else:
            now = max((piece.end for piece in pieces if piece.end < now), default=begin)


def _pieces(exchange: Exchange, end: float, *, identity: bool) -> Iterator[Piece]:
    """Cut an exchange into its phases; one that was never answered, or not to its end, has what is known of it."""
    timing = exchange.timing
    finished = min(exchange.ended if exchange.ended is not None else end, end)
    if identity:
        marks = [(Phase.IDENTITY, exchange.started, finished)]
    elif timing is None:
        marks = [(exchange.stage, exchange.started, finished)]
    else:
        marks = list(_marks(timing, finished, reused=exchange.reused))
    for phase, start, stop in marks:
        if min(stop, end) > start:
            yield Piece(phase, start, min(stop, end), exchange, stop - start)


def _marks(timing: Mapping[str, float], finished: float, *, reused: bool) -> Iterator[tuple[Phase, float, float]]:
    zero = timing["requestTime"]

    def at(name: str) -> float | None:
        milliseconds = timing.get(name, -1)
        return zero + milliseconds / 1e3 if milliseconds >= 0 else None

    def between(phase: Phase, start: float | None, stop: float | None) -> Iterator[tuple[Phase, float, float]]:
        if start is not None and stop is not None:
            yield phase, start, stop

    tls = at("sslStart")
    first_byte = at("receiveHeadersStart") or at("receiveHeadersEnd")
    yield from between(Phase.RESOLVE, at("dnsStart"), at("dnsEnd"))
    yield from between(Phase.CONNECT, at("connectStart"), tls or at("connectEnd"))
    yield from between(Phase.TLS, tls, at("sslEnd"))
    if at("connectStart") is None and not reused:  # waited for a connection that the browser had begun before
        yield from between(Phase.CONNECT, at("dnsEnd") or zero, at("sendStart"))
    yield from between(Phase.TRANSFER, at("sendStart"), at("sendEnd"))
    yield from between(Phase.PROCESSING, at("sendEnd"), first_byte)
    yield from between(Phase.TRANSFER, first_byte, finished)
