"""The sockets ``whichlayer up`` listens on: its own, and those a service manager opened before."""

import os
import socket

from collector.model.errors import WhichlayerError
from collector.settings import is_loopback

_FIRST_PASSED = 3  # sd_listen_fds(3)
_BACKLOG = 1024


def bind(host: str, port: int) -> socket.socket:
    """Listen on one address. Raises WhichlayerError with what to do."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        listener = socket.socket(family)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise WhichlayerError(
            f"cannot listen on {host} port {port}: {error.strerror}; set collector.host and collector.port"
        ) from None
    return listener


def passed() -> list[socket.socket]:
    """Take over the sockets of LISTEN_FDS if they are meant for this process, and hide them from children."""
    meant = os.environ.pop("LISTEN_PID", str(os.getpid())) == str(os.getpid())
    count = os.environ.pop("LISTEN_FDS", "0")
    os.environ.pop("LISTEN_FDNAMES", None)
    if not meant or not count.isdigit():
        return []
    sockets = []
    for number in range(_FIRST_PASSED, _FIRST_PASSED + int(count)):
        os.set_inheritable(number, False)
        try:
            sockets.append(socket.socket(fileno=number))
        except OSError as error:
            raise WhichlayerError(f"LISTEN_FDS says descriptor {number} is a socket: {error.strerror}") from None
    return sockets


def exposed(sockets: list[socket.socket]) -> str | None:
    """Name the first address other machines could reach; None when all are loopback or files."""
    for listener in sockets:
        if listener.family in (socket.AF_INET, socket.AF_INET6):
            host, port = listener.getsockname()[:2]
            if not is_loopback(host):
                return f"{host}:{port}"
    return None


def url(listener: socket.socket, *, tls: bool) -> str:
    """Give the address of a listener as its own machine reaches it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  only compared
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"
