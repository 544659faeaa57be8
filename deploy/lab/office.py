"""An office of the lab: a desk and a server: casebook with its policies on a real database, reached over one link.

    wired ── link ── server: casebook, PostgreSQL

Smaller than ``world.py``, and its application may be killed: nobody else holds its socket open.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from ruamel.yaml import YAML

from deploy.lab import namespace, postgres
from deploy.lab.casebook import content, documents
from deploy.lab.held import GRACE
from deploy.lab.link import TUN
from deploy.lab.namespace import LabError, Namespace
from deploy.lab.program import Program, Programs, module
from deploy.lab.world import ADDRESS, PORT, URL, cannot_open

ACCOUNT = "probe-held"
_ENDS = ("10.77.3.1/30", "10.77.3.2/30")
_JOURNEYS = {"http": "held-journey.yaml", "browser": "held-journey-browser.yaml"}
DRIVERS = tuple(_JOURNEYS)
_ENDED_BY = {
    "idle": {"text": "You were signed out after inactivity"},
    "replaced": {"text": "You have signed in elsewhere"},
    "admin": {"text": "An administrator ended your session"},
    "user": {"text": "You have signed out"},
}
_CASES = 500  # what it shows is of no interest here
_SENTINEL = {"safe_record": content.SAFE_RECORD, "open": "open", "save": "save", "leave": "draft"}


@dataclass(slots=True)
class Office:
    """Everything that runs. Build it with ``Office.build``."""

    directory: Path
    programs: Programs
    password: str
    server: Namespace
    wired: Namespace
    link: Program
    grace: float = GRACE
    application: Program | None = None
    spare: Program | None = None
    policy: dict[str, Any] = field(default_factory=dict)
    _secret: str = field(default_factory=lambda: secrets.token_hex(16))

    @classmethod
    def build(cls, grace: float = GRACE) -> "Office":
        """Make it, about 10 s. Raises LabError when this machine cannot; then nothing is left."""
        problem = cannot_open(TUN)
        if problem is not None:
            raise LabError(f"a link that can be cut needs {TUN}: {problem}")
        directory = Path(tempfile.mkdtemp(prefix=f"whichlayer-desk-{os.getpid()}-", dir="/var/tmp"))
        (directory / "logs").mkdir()
        programs, held = Programs(directory / "logs"), list[Namespace]()
        try:
            return cls._build(directory, programs, held, grace)
        except BaseException:
            _take_away(directory, programs, held)
            raise

    @classmethod
    def _build(cls, directory: Path, programs: Programs, held: list[Namespace], grace: float) -> "Office":
        held.append(namespace.first("server", directory / "logs" / "server.log", ADDRESS))
        held.append(namespace.beside(held[0], "wired", directory / "logs" / "wired.log"))
        server, wired = held
        ends = [str(server.holder.pid), _ENDS[0], str(wired.holder.pid), _ENDS[1]]
        link = programs.start("link", server.run(module("link"), *ends), told=True)
        link.wait_ready()
        desk = cls(
            directory=directory,
            programs=programs,
            password=secrets.token_urlsafe(12),
            server=server,
            wired=wired,
            link=link,
            grace=grace,
        )
        desk._start_database()
        documents.build(directory / "documents.index", [["case"]] * documents.TEAMS)
        desk.start_application()
        return desk

    @property
    def conninfo(self) -> str:
        """Where the database is."""
        return postgres.conninfo(self.directory / "sockets")

    def _start_database(self) -> None:
        sockets = self.directory / "sockets"
        sockets.mkdir()
        postgres.create(self.server.enter(), self.directory / "data", self.directory / "wal")
        command = [*self.server.enter(), *postgres.server(self.directory / "data", sockets)]
        self.programs.start("postgres", command, stop_signal=signal.SIGINT)
        postgres.wait_and_create_database(sockets)
        content.fill(self.conninfo, {ACCOUNT: self.password}, cases=_CASES)

    def start_application(self, *, forget_sessions: bool = False) -> None:
        """Have casebook serve under the policy of the moment, at once: one always waits to be told."""
        application = self.spare or self._load()
        application.tell(self.policy | {"forget_sessions": forget_sessions})
        application.wait_ready()
        self.application, self.spare = application, self._load()

    def _load(self) -> Program:
        command = self.server.run(module("casebook"), "--told", "--listen", f"{ADDRESS}:{PORT}")
        command += ["--database", self.conninfo, "--documents", str(self.directory / "documents.index")]
        return self.programs.start("casebook", command, told=True, environment={"CASEBOOK_SECRET": self._secret})

    def set(self, **policy: object) -> None:
        """Change how long casebook lets people stay."""
        self.policy |= policy
        assert self.application is not None
        self.application.tell(self.policy)

    def kill_application(self) -> None:
        """End casebook as a crash does."""
        assert self.application is not None
        self.application.process.kill()
        self.application.process.wait()
        self.programs.stop(self.application)
        self.application = None

    def cut(self) -> None:
        """Lose every packet, both ways."""
        self.link.tell({"loss": 1.0})

    def mend(self) -> None:
        """Carry packets again."""
        self.link.tell({"loss": 0.0})

    def end_sessions(self, reason: str) -> None:
        """End every session of the account, as an administrator (or the user elsewhere) does."""
        with psycopg.connect(self.conninfo) as connection:
            ended = "UPDATE session SET ended = %s WHERE account = %s AND ended IS NULL"
            connection.execute(ended, (reason, ACCOUNT))

    def work_is_kept(self, table: str, run_id: str) -> bool:
        """Look whether a note, or a draft that no ended session took with it, holds this run id."""
        statement = {
            "note": "SELECT count(*) FROM note WHERE body LIKE %s",
            "draft": "SELECT count(*) FROM draft WHERE body LIKE %s AND gone IS DISTINCT FROM 'session'",
        }[table]
        with psycopg.connect(self.conninfo) as connection:
            row = connection.execute(statement, (f"%{run_id}%",)).fetchone()
        return row is not None and row[0] > 0

    def keeper(self, *, sentinel: bool, driver: str = "http") -> Program:
        """Start holding sessions from the desk; the sentinel's work is that of ``http``."""
        folder = self._session("sentinel" if sentinel else driver, driver, {"sentinel": _SENTINEL} if sentinel else {})
        program = self.programs.start(
            folder.name, self.wired.run(module("held"), str(folder), "--grace", str(self.grace)), told=True
        )
        program.wait_ready()
        return program

    def _session(self, name: str, driver: str, more: Mapping[str, Any]) -> Path:
        """Write down what is to be held, and the secrets of it."""
        folder = self.directory / name
        folder.mkdir(mode=0o700, exist_ok=True)
        for secret, value in (("username", ACCOUNT), ("password", self.password)):
            (folder / secret).touch(mode=0o600)
            (folder / secret).write_text(value)
        with (folder / "session.yaml").open("w") as file:
            YAML(typ="safe").dump({**_entry(driver), **more}, file)
        return folder

    def log_on_elsewhere(self) -> None:
        """Log on with the keeper's account from the server's own side."""
        command = self.server.run(module("held"), str(self._session("elsewhere", "http", {})), "--log-on")
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"nobody could log on elsewhere: {done.stderr.strip().splitlines()[-1:]}")

    def close(self) -> None:
        """Stop everything, remove the directory."""
        _take_away(self.directory, self.programs, [self.server, self.wired])


def _take_away(directory: Path, programs: Programs, held: list[Namespace]) -> None:
    programs.stop_all()
    for one in reversed(held):
        one.close()
    shutil.rmtree(directory, ignore_errors=True)


def _entry(driver: str) -> dict[str, Any]:
    return {
        "file": str(Path(__file__).with_name(_JOURNEYS[driver])),
        "driver": driver,
        "account": ACCOUNT,
        "active": "look",
        "hours": "00:00-24:00",
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "sign_out": "sign-out",
        "secrets": {"username": "file:username", "password": "file:password"},
        "variables": {"base_url": URL},
        "settings": {"proxy": "none"},
        "ended_by": _ENDED_BY,
    }


def settle(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is so; gives whether it was."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
