"""Somebody else's download: one end sends as fast as it can, the other takes it.

``python -m deploy.lab.traffic send|receive HOST:PORT``
"""

import socket
import sys
import time

_CHUNK = bytes(64 * 1024)


def send(address: tuple[str, int]) -> None:
    """Send to whoever connects, one after the other, for ever."""
    with socket.create_server(address) as listener:
        while True:
            receiver, _ = listener.accept()
            with receiver:
                try:
                    while True:
                        receiver.sendall(_CHUNK)
                except OSError:
                    continue  # it went away: wait for the next


def receive(address: tuple[str, int]) -> None:
    """Take everything, and connect again when the connection is lost."""
    while True:
        try:
            with socket.create_connection(address, timeout=10) as sender:
                while sender.recv(len(_CHUNK)):
                    pass
        except OSError:
            time.sleep(0.2)


def main() -> None:
    """Be one end."""
    host, _, port = sys.argv[2].rpartition(":")
    {"send": send, "receive": receive}[sys.argv[1]]((host, int(port)))


if __name__ == "__main__":
    main()
