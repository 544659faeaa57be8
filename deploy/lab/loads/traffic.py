"""Somebody else's download: one end sends as fast as it can, the other takes it, over a few connections.

``python -m deploy.lab.loads.traffic send|receive HOST:PORT``
"""

import socket
import sys
import threading
import time
from contextlib import suppress

_CHUNK = bytes(64 * 1024)
_CONNECTIONS = 4  # one alone backs off so far at each loss that the queue runs empty


def send(address: tuple[str, int]) -> None:
    """Send to whoever connects, for ever."""
    with socket.create_server(address) as listener:
        while True:
            receiver, _ = listener.accept()
            threading.Thread(target=_send_all, args=(receiver,), daemon=True).start()


def receive(address: tuple[str, int]) -> None:
    """Take everything on every connection, and connect again when one is lost."""
    for _ in range(_CONNECTIONS):
        threading.Thread(target=_receive_all, args=(address,), daemon=True).start()
    threading.Event().wait()


def _send_all(receiver: socket.socket) -> None:
    with receiver, suppress(OSError):  # it went away: that ends this download
        while True:
            receiver.sendall(_CHUNK)


def _receive_all(address: tuple[str, int]) -> None:
    while True:
        with suppress(OSError), socket.create_connection(address, timeout=10) as sender:
            while sender.recv(len(_CHUNK)):
                pass
        time.sleep(0.2)


def main() -> None:
    """Be one end."""
    host, _, port = sys.argv[2].rpartition(":")
    {"send": send, "receive": receive}[sys.argv[1]]((host, int(port)))


if __name__ == "__main__":
    main()
