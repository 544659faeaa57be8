"""The folder that the driver and the program in the session both see, and the files they hand over in it.

Each file is there whole or not at all. A file says which run, step and wait it is about and what to look for; what is
typed is in none of them. A file that cannot be read as what it should be counts as not there.
"""

import contextlib
import os
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from collector.document import Document
from collector.model.errors import WhichlayerError
from probes.journey.screen import Sight
from probes.journey.text import Name
from probes.posix import PRIVATE_FILE, is_ours

D = TypeVar("D", bound=Document)
_OTHERS = 0o077
_LARGEST = 4_000_000  # bytes: a picture cut out of a screen
REQUEST, WATCHING, ANSWER = ".request", ".watching", ".answer"


class _About(Document):
    """Which wait a file is about."""

    format: Literal[1] = 1
    run_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    step: Name
    number: int = Field(ge=0, le=99999)

    @property
    def name(self) -> str:
        """Give the name its files begin with."""
        return f"{self.run_id}-{self.number:05d}"


class Request(_About):
    """What the driver asks for: ``within`` seconds, ``image`` a PNG in base64 if the sight is one."""

    within: float = Field(gt=0, le=3600)
    sight: Sight
    image: str | None = None


class Answer(_About):
    """What the program saw: the seconds from the input to the sight and their ±, or why it cannot say."""

    program: str = Field(pattern=r"^[\w.+-]{1,40}$")
    seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    uncertainty: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    reason: str | None = Field(default=None, pattern=r"^[a-z ]{1,60}$")


class Exchange:
    """The folder. Raises WhichlayerError when it is not there or others can reach it; OSError when it goes away."""

    def __init__(self, folder: Path) -> None:
        try:
            found = folder.stat()
        except OSError as error:
            raise WhichlayerError(f"the folder {folder} cannot be used: {error.strerror}") from None
        if not folder.is_dir():
            raise WhichlayerError(f"{folder} is not a folder")
        if os.name == "posix" and (not is_ours(found.st_uid) or found.st_mode & _OTHERS):
            raise WhichlayerError(
                f"others can reach {folder}: chmod 700, or mount the share with uid= and dir_mode=0700, file_mode=0600"
            )
        self._folder = folder

    def put(self, name: str, document: Document | None = None) -> None:
        """Write a file; readers see all of it or nothing."""
        unseen = self._folder / f".{name}.{os.getpid()}"
        try:
            written = os.open(unseen, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | PRIVATE_FILE, 0o600)
            with os.fdopen(written, "w", encoding="utf-8") as file:
                file.write(document.model_dump_json(exclude_none=True) if document else "")
            unseen.replace(self._folder / name)
        finally:
            with contextlib.suppress(OSError):
                unseen.unlink(missing_ok=True)

    def get(self, name: str, kind: type[D]) -> D | None:
        """Read a file; None when it is not there or is not a whole one of its kind."""
        try:
            with (self._folder / name).open("rb") as file:
                return kind.model_validate_json(file.read(_LARGEST))
        except (OSError, ValidationError):
            return None

    def has(self, name: str) -> bool:
        """Say whether a file is there."""
        return (self._folder / name).exists()

    def requests(self) -> list[str]:
        """Name the waits that are asked about, without the endings of their files; the newest is the last."""
        found = []
        for path in self._folder.glob(f"[!.]*{REQUEST}"):
            with contextlib.suppress(OSError):  # taken back meanwhile
                found.append((path.stat().st_mtime_ns, path.name.removesuffix(REQUEST)))
        return [name for _, name in sorted(found)]

    def remove(self, name: str) -> None:
        """Remove the files of one wait; none of them need be there."""
        for ending in (REQUEST, WATCHING, ANSWER):
            with contextlib.suppress(OSError):
                (self._folder / (name + ending)).unlink(missing_ok=True)
