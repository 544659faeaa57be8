"""The far end of an external link on loopback: certificates of an authority of its own, and every way to misbehave."""

import socket
import ssl
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme

from collector.model.access import Access, Link, Presentation
from collector.model.run import Run
from probes.drivers.link.plugin import PLUGIN
from probes.journey.file import parse
from probes.walk import Place, walk
from tests.sites import raw

PLACE = Place(
    site="council", endpoint="desk-1", access=Access(link=Link.WIRED, presentation=Presentation.LOCAL), driver="link"
)
HELLO = b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"state": "open"}'


def server_side(authority: trustme.CA, *names: str, **issue: Any) -> ssl.SSLContext:
    """Give the context of a server that shows a certificate of ``authority`` for ``names``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("localhost", "127.0.0.1")), **issue).configure_cert(context)
    return context


def in_days(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def reset(connection: socket.socket) -> None:
    """End the connection the way a crash or a firewall does: with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def reset_after_request(connection: socket.socket) -> None:
    raw.request_of(connection)
    if isinstance(connection, ssl.SSLSocket):
        plain = socket.socket(fileno=connection.detach())
        reset(plain)
    else:
        reset(connection)


def reset_in_handshake(connection: socket.socket) -> None:
    connection.recv(1)
    reset(connection)


def hang_up(connection: socket.socket) -> None:
    connection.recv(65536)


def say_nothing(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.settimeout(10)
    connection.recv(65536)  # until the other side has given up


def answer_after(seconds: float, answer: bytes = HELLO) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        raw.request_of(connection)
        time.sleep(seconds)
        connection.sendall(answer)

    return behave


def answer_and_stop(part: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        raw.request_of(connection)
        connection.sendall(part)
        connection.recv(1)  # until the other side has given up

    return behave


def look(
    folder: Path,
    check: str,
    *,
    more: str = "",
    timeout: str = "5 s",
    secrets: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    **settings: object,
) -> Run:
    """Walk a journey of one step; ``check`` is what stands under ``link``."""
    text = f"name: link\n{more}\nsteps: [{{step: a, timeout: {timeout}, link: {{{check}}}}}]"
    journey = parse(text, folder / "link.yaml")
    driver = PLUGIN.configured(settings)
    place = replace(PLACE)
    return walk(journey, driver, place, slot=datetime.now(UTC), secrets=secrets or {}, variables=variables or {})
