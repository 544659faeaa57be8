"""Servers that ask the browser itself who is there: Basic, and the handshake of NTLM (MS-NLMP 3.1)."""

import base64
import socket
import struct

from tests.sites import raw

_PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<h1>Good morning</h1"
_SIGNATURE = b"NTLMSSP\0"


def _asked(how: bytes) -> bytes:
    return b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: " + how + b"\r\nContent-Length: 0\r\n\r\n"


def basic(user: str, password: str) -> raw.Behaviour:
    """Let in whoever has this name and password."""
    good = b"Basic " + base64.b64encode(f"{user}:{password}".encode())

    def behave(connection: socket.socket) -> None:
        while request := raw.request_of(connection):
            connection.sendall(_PAGE if good in request else _asked(b'Basic realm="x"'))

    return behave


def ntlm(users: list[str]) -> raw.Behaviour:
    """Go through the three messages on one connection; note who came as ``DOMAIN\\user``."""

    def behave(connection: socket.socket) -> None:
        known = False
        while request := raw.request_of(connection):
            message = _message(request)
            if known:
                connection.sendall(_PAGE)
            elif message is None:
                connection.sendall(_asked(b"NTLM"))
            elif message[8] == 1:
                connection.sendall(_asked(b"NTLM " + base64.b64encode(_challenge())))
            else:
                users.append(_user(message))
                known = True
                connection.sendall(_PAGE)

    return behave


def _message(request: bytes) -> bytes | None:
    line = next((one for one in request.split(b"\r\n") if one.lower().startswith(b"authorization: ntlm ")), None)
    return base64.b64decode(line.split(b" ")[2]) if line else None


def _challenge() -> bytes:
    flags = (
        0x00000001 | 0x00000200 | 0x00008000 | 0x00080000 | 0x00800000
    )  # Unicode, NTLM, always sign, extended, target
    target = struct.pack("<HH", 2, 8) + "CORP".encode("utf-16-le") + struct.pack("<HH", 0, 0)
    fixed = struct.pack(
        "<8sIHHII8s8sHHI", _SIGNATURE, 2, 0, 0, 48, flags, b"12345678", b"", len(target), len(target), 48
    )
    return fixed + target


def _user(message: bytes) -> str:
    """Read domain and user name of the third message."""

    def text(offset: int) -> str:
        length, _, start = struct.unpack_from("<HHI", message, offset)
        return message[start : start + length].decode("utf-16-le")

    return f"{text(28)}\\{text(36)}"
