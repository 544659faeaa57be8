"""Who owns a data folder: one process at a time, and how the others find it."""

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from collector.model.errors import WhichlayerError
from collector.registry import Registry, Scope

OWNER = "owner.json"
OPERATOR = "operator.token"
LOCK = "owner.lock"
_TRIES = 10
_PAUSE_SECONDS = 0.05


class AlreadyOwned(WhichlayerError):
    """Another process serves this data folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The process that has the data folder open, and where it answers."""

    url: str
    pid: int


@contextmanager
def owning(data: Path) -> Iterator[None]:
    """Own ``data`` while the block runs. Raises AlreadyOwned; a crash lets go by itself."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(data / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise WhichlayerError(f"the data folder {data} cannot be used: {error.strerror}") from None
    try:
        _take(lock, data)
        (data / OWNER).unlink(missing_ok=True)
        yield
    finally:
        os.close(lock)


@contextmanager
def announced(data: Path, url: str) -> Iterator[None]:
    """Tell other commands where the owner answers, while the block runs."""
    write_private(data / OWNER, json.dumps({"url": url, "pid": os.getpid()}))
    try:
        yield
    finally:
        (data / OWNER).unlink(missing_ok=True)


def find(data: Path) -> Owner | None:
    """Find the process that owns ``data`` now; None when there is none, also after a crash."""
    try:
        lock = os.open(data / LOCK, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(data)
    else:
        return None
    finally:
        os.close(lock)


def operator_token(data: Path, registry: Registry) -> str:
    """Give the token of the operator of this machine; the first call makes it, readable by its owner only."""
    path = data / OPERATOR
    with contextlib.suppress(FileNotFoundError):
        token = path.read_text(encoding="ascii").strip()
        if token and registry.agent_of(token) is not None:
            return token
    now = datetime.now(UTC)
    given = registry.enrol(registry.invite("operator", scope=Scope.OPERATOR, now=now), now=now)
    assert given is not None
    write_private(path, given.token)
    return given.token


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, for its owner's eyes only."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _take(lock: int, data: Path) -> None:
    """Lock, waiting a moment: who only looks (``find``) holds the lock for an instant, too."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)
        else:
            return
    raise AlreadyOwned(_who(data))


def _read(data: Path) -> Owner | None:
    try:
        found = json.loads((data / OWNER).read_text(encoding="utf-8"))
        return Owner(url=str(found["url"]), pid=int(found["pid"]))
    except (OSError, ValueError, KeyError):
        return None


def _who(data: Path) -> str:
    owner = _read(data)
    if owner is None:
        return (
            f"the data folder {data} is in use by another process, which is starting, stopping or only a command: wait"
        )
    return f"the data folder {data} is served by process {owner.pid} at {owner.url}: use that one, or stop it first"
