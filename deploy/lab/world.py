"""The lab's world: an application on a real database, reached over links that can be made bad.

    outside ── link ── edge ── wired ── link ──┐
                                               ├── server: casebook, PostgreSQL, its log on a volume
                               wifi ─── link ──┘

A printer stands beside the wired desk; outside is a service of somebody else (``beyond.py``), reached through a
router of ours. The application has a name, which a name server at the server knows. Each place is a network
namespace. ``World.build`` makes all of it, ``World.close`` takes all of it away.
``python -m deploy.lab.world`` builds it and waits, to look around by hand.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from ctypes.util import find_library
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.lab import beyond, namespace, postgres, resolver
from deploy.lab.beyond import Beyond
from deploy.lab.casebook import content
from deploy.lab.link import TUN
from deploy.lab.namespace import LabError, Namespace
from deploy.lab.program import Program, Programs, module
from deploy.lab.stopping import stoppable

_MOUNTS = Path("/proc/mounts")
ADDRESS = "10.77.0.1"
PORT = 8080
URL = f"http://{ADDRESS}:{PORT}"
RELEASE = "3.58"
DIRECTORY = ("127.0.0.1", "8389")  # of the service that says what people belong to
BANDWIDTH = 4e6  # bytes per second that all who write to the volume share: production alone needs little of it
ACCOUNTS = ("wired", "wifi", "session", "visitor")
# What a good cable, a good radio and the way out do: milliseconds each way.
GOOD = {"wired": {"delay": 0.3}, "wifi": {"delay": 1.5, "jitter": 1.0}, "outside": {"delay": 4.0}}
_ENDS = {
    "wired": ("server", "10.77.1.1/30", "10.77.1.2/30"),
    "wifi": ("server", "10.77.2.1/30", "10.77.2.2/30"),
    "edge": ("wired", "10.77.5.1/30", f"{beyond.EDGE}/30"),
    "outside": ("edge", "10.77.4.1/30", f"{beyond.ADDRESS}/30"),
}
_CABLES = {"edge": "10.77.4.0/30"}  # what is never made bad, and what lies behind it


@dataclass(slots=True)
class World:
    """Everything that runs. Build it with ``World.build``."""

    directory: Path
    programs: Programs
    passwords: dict[str, str]
    missing: dict[str, str] = field(default_factory=dict)
    namespaces: dict[str, Namespace] = field(default_factory=dict)
    links: dict[str, Program] = field(default_factory=dict)
    volume: Program | None = None
    application: Program | None = None
    database: Program | None = None
    directory_service: Program | None = None
    text_search_seconds: float = 0.0  # per record, on this machine
    case_seconds: float = 0.0  # per case asked for by itself, on this machine
    beyond: Beyond = field(default_factory=Beyond)
    names: Program | None = None
    agents: dict[str, list[Program]] = field(default_factory=dict)
    _listening: socket.socket | None = None
    _secret: str = field(default_factory=lambda: secrets.token_hex(16))

    @classmethod
    def build(cls) -> "World":
        """Make the world, about 15 s. Raises LabError when this machine cannot; then nothing is left."""
        # Not the default place: that is often memory, and pages of a file in memory cannot be taken away.
        directory = Path(tempfile.mkdtemp(prefix="whichlayer-lab-", dir="/var/tmp"))
        (directory / "logs").mkdir()
        passwords = {name: secrets.token_urlsafe(12) for name in ACCOUNTS}
        world = cls(directory=directory, programs=Programs(directory / "logs"), passwords=passwords)
        try:
            world._build()
        except BaseException:
            world.close()
            raise
        return world

    @property
    def url(self) -> str:
        """Where the application is, by name where this machine lets the lab have names."""
        return URL if self.names is None else f"http://{resolver.NAME}:{PORT}"

    @property
    def sockets(self) -> Path:
        """Where the database's socket is."""
        return self.directory / "postgres"

    @property
    def volume_path(self) -> Path:
        """The volume that the database's log is written to."""
        return self.directory / "volume"

    @property
    def documents(self) -> Path:
        """The application's document index, its working set."""
        return self.directory / "documents.index"

    @property
    def far_end(self) -> Path:
        """Where the service outside left the certificate of its authority."""
        return self.directory / "far-end"

    def server(self) -> Namespace:
        """Give the namespace the application runs in."""
        return self.namespaces["server"]

    def log(self, name: str) -> Path:
        """Name a log file."""
        return self.directory / "logs" / f"{name}.log"

    def _build(self) -> None:
        if _in_memory(self.directory):
            self.missing["paging"] = f"{self.directory.parent} is in memory: nothing there can be paged out"
        indexing = threading.Thread(target=content.index_documents, args=(self.documents,))
        indexing.start()
        try:
            self.namespaces["server"] = namespace.first("server", self.log("server"), ADDRESS)
            for name in _ENDS:
                self.namespaces[name] = namespace.beside(self.server(), name, self.log(name))
                self._join(name)
            self._start_names()
            self._mount_volume()
            self._start_database()
            self._start_directory()
            self._start_beyond()
        finally:
            indexing.join()
        self.application = self.start_application("casebook", RELEASE)

    def _join(self, name: str) -> None:
        where, near, far = _ENDS[name]
        ends = [str(self.namespaces[where].holder.pid), near, str(self.namespaces[name].holder.pid), far]
        problem = cannot_open(TUN)
        if problem is not None:
            self.missing["links"] = problem
        if name in _CABLES or problem is not None:
            self._plug(name, ends)
            return
        link = self.programs.start(f"link-{name}", self.server().run(module("link"), *ends), told=True)
        link.wait_ready()
        link.tell(GOOD[name])
        self.links[name] = link

    def _plug(self, name: str, ends: list[str]) -> None:
        route = ["--route", _CABLES[name]] if name in _CABLES else []
        command = self.server().run(module("link"), *ends, "--cable", *route)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"{name} cannot be joined to the server: {done.stderr.strip().splitlines()[-1:]}")

    def _start_names(self) -> None:
        """Have the application's name known; where that cannot be, endpoints go by its address."""
        for file, place in resolver.settings(self.directory / "names", ADDRESS).items():
            self._in_server(["mount", "--bind", str(file), str(place)], "names")
        names = self.programs.start("names", self.server().run(module("resolver"), ADDRESS, resolver.NAME), told=True)
        names.wait_ready()
        self._in_server(["getent", "ahostsv4", resolver.NAME], "names")
        if "names" not in self.missing:
            self.names = names

    def _in_server(self, command: list[str], purpose: str) -> None:
        done = subprocess.run(
            self.server().run(command), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            self.missing[purpose] = f"{command[0]} does not work here: {done.stderr.strip() or done.returncode}"

    def _mount_volume(self) -> None:
        behind = self.directory / "disk"
        for path in (behind, self.volume_path):
            path.mkdir()
        (behind / "scratch").mkdir()
        problem = cannot_open("/dev/fuse") or (None if find_library("fuse3") else "libfuse3 is not installed")
        if problem is None:
            command = self.server().run(module("volume"), str(behind), str(self.volume_path))
            self.volume = self.programs.start("volume", command, told=True)
            self.volume.wait_ready()
        else:
            self.missing["volume"] = problem

    def _start_database(self) -> None:
        data = self.directory / "data"
        self.sockets.mkdir()
        inside = self.server().enter()
        postgres.create(inside, data, self.volume_path / "pg_wal")
        command = [*inside, *postgres.server(data, self.sockets)]
        self.database = self.programs.start("postgres", command, stop_signal=signal.SIGINT)
        postgres.wait_and_create_database(self.sockets)
        accounts = {f"probe-{name}": password for name, password in self.passwords.items()}
        content.fill(postgres.conninfo(self.sockets), accounts)
        self.text_search_seconds = content.text_search_seconds(postgres.conninfo(self.sockets))
        self.case_seconds = content.case_seconds(postgres.conninfo(self.sockets))
        if self.volume is not None:
            self.volume.tell({"bandwidth": BANDWIDTH})

    def _start_directory(self) -> None:
        command = self.server().run(module("directory"), *DIRECTORY)
        self.directory_service = self.programs.start("directory", command, told=True)
        self.directory_service.wait_ready()

    def _start_beyond(self) -> None:
        problem = beyond.cannot_print()
        if problem is None:
            self.beyond.start_printer(self.directory / "printer", self.namespaces["wired"])
        else:
            self.missing["printer"] = problem
        beyond.route(self.namespaces["edge"])
        self.beyond.start_far_end(self.far_end, self.programs, self.namespaces["outside"])

    def start_application(self, name: str, release: str, *more: str) -> Program:
        """Start a release of the application beside what is running, and wait until it answers."""
        command = self.server().run(module("memory"), str(self.documents))
        descriptor = self._listener().fileno()
        command += ["deploy.lab.casebook", "--listen-fd", str(descriptor), "--release", release, *more]
        command += ["--database", postgres.conninfo(self.sockets), "--documents", str(self.documents)]
        command += ["--directory", f"http://{':'.join(DIRECTORY)}"]
        environment = {"CASEBOOK_SECRET": self._secret}
        program = self.programs.start(name, command, told=True, environment=environment, descriptors=[descriptor])
        program.wait_ready()
        return program

    def _listener(self) -> socket.socket:
        """Give the application's listening socket: all releases share it, so that nobody is refused."""
        if self._listening is None:
            self._listening = self.server().listen(PORT, ADDRESS)
        return self._listening

    def release(self, release: str, *more: str) -> None:
        """Bring a release into service, then let the old one finish and go: nobody is refused."""
        old = self.application
        assert old is not None
        self.application = self.start_application(f"casebook-{release}", release, *more)
        self.programs.stop(old)

    def close(self) -> None:
        """Stop everything, unmount, remove the directory."""
        self.beyond.close()
        self.programs.stop_all()
        if self._listening is not None:
            self._listening.close()
        for name in reversed(self.namespaces):
            self.namespaces[name].close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def leftovers(self) -> list[str]:
        """List what is still there after ``close``, which nothing should be: processes, mounts, files."""
        mine = str(self.directory)
        left = [f"process {child.pid}" for child in psutil.Process().children(recursive=True) if _of(child, mine)]
        left += [f"mount {line.split()[1]}" for line in _MOUNTS.read_text().splitlines() if mine in line]
        return [*left, mine] if self.directory.exists() else left


def _of(process: psutil.Process, directory: str) -> bool:
    try:
        return directory in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


def cannot_open(device: str) -> str | None:
    """Say why a device cannot be used by us; None when it can."""
    try:
        os.close(os.open(device, os.O_RDWR))
    except OSError as error:
        return f"{device} cannot be opened: {error.strerror}"
    return None


def _in_memory(path: Path) -> bool:
    mounts = {part.mountpoint: part.fstype for part in psutil.disk_partitions(all=True)}
    nearest = next(str(folder) for folder in path.parents if str(folder) in mounts)
    return mounts[nearest] in {"tmpfs", "ramfs"}


def main() -> None:
    """Build the world and wait for Ctrl-C."""
    with stoppable(), closing(World.build()) as world:
        enter = " ".join(world.namespaces["wired"].enter())
        sys.stdout.write(f"{world.directory}\n{world.passwords}\n{enter} curl -i {URL}/login\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main()
