"""A network namespace of the lab: who holds it open, and how to run something inside it.

Root makes namespaces directly; an ordinary user makes a user namespace around them, in which they
are root. Everything after that is the same. A namespace lives as long as its holder process, and
the holder lives as long as the pipe to it: nothing is left when the lab dies.

``python -m deploy.lab.namespace [ADDRESS]`` is the holder.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.model.errors import WhichlayerError

READY = b"ready"
_HOLDER_TIMEOUT = 20.0  # seconds


class LabError(WhichlayerError):
    """The lab cannot do something on this machine; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """One network namespace, with the mounts of the lab; ``name`` is for people."""

    name: str
    holder: subprocess.Popen[bytes]
    channel: socket.socket

    def enter(self) -> list[str]:
        """Give the words that make a command run inside."""
        words = ["nsenter", "--target", str(self.holder.pid), "--mount", "--net"]
        if os.geteuid() != 0:
            words += ["--user", "--preserve-credentials"]
        # A program of the lab never outlives the lab, not even when that is killed.
        return [*words, "--", "setpriv", "--pdeathsig", "TERM", "--"]

    def run(self, command: Sequence[str], *arguments: str) -> list[str]:
        """Give the whole command that runs ``command`` inside."""
        return [*self.enter(), *command, *arguments]

    def listen(self, port: int, host: str = "127.0.0.1") -> socket.socket:
        """Open a listening socket in the namespace and bring it here."""
        self.channel.sendall(json.dumps({"host": host, "port": port}).encode())
        message, descriptors, _, _ = socket.recv_fds(self.channel, 1024, 1)
        if not descriptors:
            raise LabError(f"no listener on port {port} in {self.name}: {message.decode()}")
        return socket.socket(fileno=descriptors[0])

    def close(self) -> None:
        """Let the namespace go."""
        self.channel.close()
        self.holder.wait(timeout=_HOLDER_TIMEOUT)


def first(name: str, log: Path, address: str | None = None) -> Namespace:
    """Make the namespace that owns the lab's mounts (and, for an ordinary user, its user namespace)."""
    words = ["unshare", "--mount", "--net"]
    if os.geteuid() != 0:
        words += ["--user", "--map-root-user"]
    return _hold(name, [*words, "--"], log, address)


def beside(other: Namespace, name: str, log: Path, address: str | None = None) -> Namespace:
    """Make another network namespace that shares the mounts of ``other``."""
    return _hold(name, [*other.enter(), "unshare", "--net", "--"], log, address)


def _hold(name: str, words: Sequence[str], log: Path, address: str | None) -> Namespace:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(_HOLDER_TIMEOUT)
    command = [*words, sys.executable, "-m", "deploy.lab.namespace", *([address] if address else [])]
    with log.open("ab") as out, theirs:
        holder = subprocess.Popen(command, stdin=theirs.fileno(), stdout=out, stderr=out, start_new_session=True)
    try:
        ready = ours.recv(64)
    except TimeoutError:
        ready = b""
    if ready != READY:
        ours.close()
        holder.kill()
        holder.wait()
        said = log.read_text(errors="replace").strip().splitlines()[-1:] or ["nothing was said why"]
        raise LabError(
            f"this machine does not let the lab make a network namespace ({said[0]}): allow unprivileged user "
            "namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0) "
            "or run as root"
        )
    return Namespace(name, holder, ours)


def main() -> None:
    """Hold the namespace until the channel on standard input closes."""
    from pyroute2 import IPRoute  # noqa: PLC0415  only the holder needs it

    with IPRoute() as routes:
        loopback = routes.link_lookup(ifname="lo")[0]
        routes.link("set", index=loopback, state="up")
        if len(sys.argv) > 1:
            routes.addr("add", index=loopback, address=sys.argv[1], prefixlen=32)
    with socket.socket(fileno=0) as channel:
        channel.sendall(READY)
        while request := channel.recv(1024):
            wanted = json.loads(request)
            _open_listener(channel, (wanted["host"], wanted["port"]))


def _open_listener(channel: socket.socket, address: tuple[str, int]) -> None:
    try:
        with socket.create_server(address, backlog=128) as listener:
            socket.send_fds(channel, [b"here"], [listener.fileno()])
    except OSError as error:
        channel.sendall(str(error).encode())


if __name__ == "__main__":
    main()
