"""The lab's name server: one name, over UDP, which the endpoints ask as they would ask any other.

``python -m deploy.lab.resolver ADDRESS NAME`` answers on port 53 of ADDRESS that NAME is at ADDRESS, and that there is
no other name. It is told on standard input how late it answers and how much it loses, as
``{"seconds": 0.5, "lost": 0.1}``; nothing remembers an answer (its life is 0 s).
"""

import json
import random
import socket
import struct
import sys
import threading
from pathlib import Path

NAME = "casebook.lab.example"
_PORT = 53
_HEADER = struct.Struct("!6H")  # id, flags, and how many questions, answers, authorities, additions
_ANSWER, _AUTHORITATIVE, _RECURSIVE, _NO_SUCH_NAME = 0x8000, 0x0400, 0x0080, 3
_A, _IN = 1, 1
_ITSELF = 0xC00C  # the name of the question, by its place
_SPREAD = 0.3  # answers are this share earlier or later than told


def settings(folder: Path, address: str) -> dict[Path, Path]:
    """Write what makes a machine ask the lab's name server, and nobody before it; gives file: what it stands for."""
    switch = Path("/etc/nsswitch.conf")
    lines = switch.read_text().splitlines() if switch.exists() else []
    texts = {
        Path("/etc/resolv.conf"): f"nameserver {address}\noptions timeout:2 attempts:4\n",
        Path("/etc/hosts"): "127.0.0.1 localhost\n",
        switch: "\n".join([*(line for line in lines if not line.startswith("hosts:")), "hosts: files dns", ""]),
    }
    folder.mkdir()
    written = {}
    for place, text in texts.items():
        if place.exists():
            written[folder / place.name] = place
            (folder / place.name).write_text(text)
    return written


class Server:
    """Answers questions, each as late as is told at the time."""

    def __init__(self, address: str, name: str) -> None:
        self.seconds = self.lost = 0.0
        self._address, self._name = address, name.lower()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, _PORT))

    def close(self) -> None:
        """Be asked no more."""
        self._socket.close()

    def serve(self) -> None:
        """Answer for ever."""
        while True:
            query, sender = self._socket.recvfrom(4096)
            if random.random() >= self.lost and (answer := self.answer(query)) is not None:
                late = self.seconds * random.uniform(1 - _SPREAD, 1 + _SPREAD)
                waiting = threading.Timer(late, self._socket.sendto, (answer, sender))
                waiting.daemon = True
                waiting.start()

    def answer(self, query: bytes) -> bytes | None:
        """Give the answer to a query with one question; None to what is no such query."""
        try:
            number, flags, questions, *_ = _HEADER.unpack_from(query)
            name, end = _name_in(query)
            kind, group = struct.unpack_from("!2H", query, end)
        except (struct.error, IndexError, UnicodeDecodeError):
            return None
        if flags & _ANSWER or questions != 1:
            return None
        known = name.lower() == self._name
        found = [socket.inet_aton(self._address)] if known and (kind, group) == (_A, _IN) else []
        said = _ANSWER | _AUTHORITATIVE | flags & 0x0100 | _RECURSIVE | (0 if known else _NO_SUCH_NAME)
        records = (struct.pack("!3HIH", _ITSELF, _A, _IN, 0, 4) + address for address in found)
        question = query[_HEADER.size : end + 4]
        return _HEADER.pack(number, said, 1, len(found), 0, 0) + question + b"".join(records)


def _name_in(query: bytes) -> tuple[str, int]:
    """Read the name of the first question; give it and where it ends."""
    labels, place = [], _HEADER.size
    while length := query[place]:
        labels.append(query[place + 1 : place + 1 + length].decode("ascii"))
        place += 1 + length
    return ".".join(labels), place + 1


def main() -> None:
    """Answer until standard input closes."""
    server = Server(sys.argv[1], sys.argv[2])
    threading.Thread(target=server.serve, daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        told = json.loads(line)
        server.seconds, server.lost = float(told["seconds"]), float(told["lost"])


if __name__ == "__main__":
    main()
