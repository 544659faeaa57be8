"""One logon to a directory by LDAP over TLS: connection, certificate, bind, one search, all under one deadline.

A password goes over TLS or not at all. How it ended is one word; nothing that the server or the account said is kept.
"""

import math
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sansldap import (
    BindResponse,
    ExtendedOperations,
    ExtendedResponse,
    FilterPresent,
    LDAPClient,
    LDAPMessage,
    LDAPResultCode,
    ProtocolError,
    SearchResultDone,
    SearchResultEntry,
    SearchScope,
)

PORTS = {"ldap": 389, "ldaps": 636}
MOST_BYTES = 65536  # of answers: one entry without its attributes is some hundred
_AT_ONCE = 8192
_NO_ATTRIBUTES = "1.1"  # RFC 4511, 4.5.1.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Which server, as ``ldap://host:port`` (StartTLS) or ``ldaps://host:port``, and whom to believe it."""

    url: str
    ca_file: Path | None
    timeout: float


@dataclass(slots=True)
class LogOn:
    """How it went. ``why`` is empty when both parts were done; times are seconds, ``late`` ones lower bounds."""

    logon: float | None = None
    search: float | None = None
    why: str = ""
    authenticated: bool | None = None

    @property
    def late(self) -> bool:
        """Say whether the last of its times is how long was waited."""
        return self.why == "timeout"


class _Failed(Exception):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def log_on(directory: Directory, entry: str, user: str, password: str) -> LogOn:
    """Sign in and look for ``entry``; looking up the server's name is no part of the time."""
    told = LogOn()
    began = time.perf_counter()
    try:
        context, address = _trust(directory.ca_file), _address(directory)
        began = time.perf_counter()
        with _secured(directory, address, context) as wire:
            _bind(wire, user, password, told)
            told.logon = time.perf_counter() - began
            began = time.perf_counter()
            _search(wire, entry, directory.timeout)
            told.search = time.perf_counter() - began
    except _Failed as failed:
        told.why = failed.why
        if told.late and told.logon is None:
            told.logon = time.perf_counter() - began
        elif told.late:
            told.search = time.perf_counter() - began
    return told


def reached(directory: Directory) -> str:
    """Go as far as the server's certificate and sign in nowhere; give why it could not be, or nothing."""
    try:
        with _secured(directory, _address(directory), _trust(directory.ca_file)):
            return ""
    except _Failed as failed:
        return failed.why


class _Wire:
    """One connection, with a client's half of LDAP on it and a deadline for all of it."""

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        self._until = time.perf_counter() + timeout
        self.client = LDAPClient()
        self._arrived: list[LDAPMessage] = []
        self._received = 0
        self._socket: socket.socket = socket.create_connection(address, timeout=timeout)

    def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Shake hands; the certificate has to be the host's."""
        self._in_time()
        self._socket = context.wrap_socket(self._socket, server_hostname=host)

    def send(self) -> None:
        """Send what the client's half has put together."""
        self._in_time()
        self._socket.sendall(self.client.data_to_send())

    def answer(self) -> LDAPMessage:
        """Give the next message of the server."""
        while not self._arrived:
            self._in_time()
            data = self._socket.recv(_AT_ONCE)
            self._received += len(data)
            if not data:
                raise _Failed("closed")
            if self._received > MOST_BYTES:
                raise _Failed("protocol")
            self._arrived += self.client.receive(data)
        return self._arrived.pop(0)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _in_time(self) -> None:
        left = self._until - time.perf_counter()
        if left <= 0:
            raise _Failed("timeout")
        self._socket.settimeout(left)


def _address(directory: Directory) -> tuple[str, int]:
    parts = urlsplit(directory.url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or PORTS[parts.scheme], type=socket.SOCK_STREAM)
    except OSError:
        raise _Failed("name") from None
    return str(found[0][4][0]), int(found[0][4][1])


@contextmanager
def _secured(directory: Directory, address: tuple[str, int], context: ssl.SSLContext) -> Iterator[_Wire]:
    """Connect, with TLS from the beginning or begun by StartTLS. Turns every failure into its word."""
    wire = _connected(address, directory.timeout)
    try:
        parts = urlsplit(directory.url)
        if parts.scheme == "ldap":
            _start_tls(wire)
        wire.secure(context, parts.hostname or "")
        yield wire
    except (OSError, ProtocolError) as error:
        raise _Failed(_word(error)) from None
    finally:
        wire.close()


def _start_tls(wire: _Wire) -> None:
    wire.client.extended_request(ExtendedOperations.LDAP_START_TLS.value)
    wire.send()
    answer = wire.answer()
    if not isinstance(answer, ExtendedResponse) or answer.result.result_code != LDAPResultCode.SUCCESS:
        raise _Failed("tls")


def _word(error: OSError | ProtocolError) -> str:
    if isinstance(error, ProtocolError):
        return "protocol"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "tls" if isinstance(error, ssl.SSLError) else "closed"


def _connected(address: tuple[str, int], timeout: float) -> _Wire:
    try:
        return _Wire(address, timeout)
    except TimeoutError:
        raise _Failed("timeout") from None
    except OSError:
        raise _Failed("unreachable") from None


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        import truststore  # noqa: PLC0415  5 MB that only this needs

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except OSError:  # it is not there, or holds no certificate
        raise _Failed("ca_file") from None


def _bind(wire: _Wire, user: str, password: str, told: LogOn) -> None:
    wire.client.bind_simple(user, password)
    wire.send()
    answer = wire.answer()
    if not isinstance(answer, BindResponse):
        raise _Failed("protocol")
    code = answer.result.result_code
    if code == LDAPResultCode.INVALID_CREDENTIALS:
        told.authenticated = False
        raise _Failed("password")
    if code != LDAPResultCode.SUCCESS:
        raise _Failed("refused")
    told.authenticated = True


def _search(wire: _Wire, entry: str, timeout: float) -> None:
    """Look for one entry, without its attributes."""
    wire.client.search_request(
        entry,
        SearchScope.BASE,
        size_limit=1,
        time_limit=math.ceil(timeout),
        filter=FilterPresent("objectClass"),
        attributes=[_NO_ATTRIBUTES],
    )
    wire.send()
    found, answer = 0, wire.answer()
    while isinstance(answer, SearchResultEntry):
        found, answer = found + 1, wire.answer()
    if not isinstance(answer, SearchResultDone):
        raise _Failed("protocol")
    code = answer.result.result_code
    if code == LDAPResultCode.NO_SUCH_OBJECT or (code == LDAPResultCode.SUCCESS and not found):
        raise _Failed("entry")
    if code != LDAPResultCode.SUCCESS:
        raise _Failed("search")
    wire.client.unbind()
    wire.send()
