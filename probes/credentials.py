"""The token an agent got when it was enrolled: a file of its own, that nobody else may read."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from collector import secret
from collector.model.errors import WhichlayerError

FILE = "credentials.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who this agent is to its collector."""

    agent_id: str
    token: str


def save(state: Path, credentials: Credentials) -> Path:
    """Keep credentials in the agent's state folder, in a file of mode 0600 from its first byte."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = state / FILE
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        json.dump(asdict(credentials), stream)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
    secret.remember(credentials.token)
    return path


class Enrolment:
    """The credentials in a state folder, read again when the file changes."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE
        self._stamp: int | None = None
        self._known: Credentials | None = None

    def current(self) -> Credentials:
        """Give the credentials. Raises WhichlayerError when this agent was never enrolled."""
        try:
            stamp = self._path.stat().st_mtime_ns
            if self._known is None or stamp != self._stamp:
                content = json.loads(self._path.read_text(encoding="utf-8"))
                self._known = Credentials(agent_id=str(content["agent_id"]), token=str(content["token"]))
                self._stamp = stamp
                secret.remember(self._known.token)
        except FileNotFoundError:
            raise WhichlayerError("this agent is not enrolled: run whichlayer agent enrol --code CODE") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WhichlayerError(f"{self._path} cannot be read ({type(error).__name__}): enrol again") from None
        return self._known
