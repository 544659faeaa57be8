"""The way to a session's host, tried with a connection of its own: what is silent there, and what is not."""

import socket
from contextlib import suppress

from probes.driver import FarEnd

PATIENCE_SECONDS = 1.2  # a first packet that is lost is sent again after one second


def call(address: tuple[str, int], *, greeting: bytes = b"", seconds: float = PATIENCE_SECONDS) -> FarEnd:
    """Connect to host and port, read what begins with ``greeting`` if the far end speaks first, and hang up.

    A connection that is taken proves little: the kernel takes it for a process that hangs, and a moment
    longer for one that dies.
    """
    try:
        connection = socket.create_connection(address, timeout=seconds)
    except (ConnectionRefusedError, ConnectionResetError):
        return FarEnd.REFUSED
    except OSError:
        return FarEnd.SILENT
    with connection, suppress(OSError):
        if greeting and connection.recv(len(greeting)) == greeting:
            return FarEnd.GREETS
    return FarEnd.TAKES
