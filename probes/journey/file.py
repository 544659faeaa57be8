"""A journey: the steps a user takes, as a file whose content hash every result carries.

``docs/journeys.md`` explains the file to the people who write one. ``load`` reports every mistake
of a file at once, each with its line and column. What a step does is said in one of several
languages, each in a file of its own: ``request.py`` (HTTP), ``browser.py``,
``screen.py`` (a remote session's window), ``printer.py``, ``link.py``.
"""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from pydantic import Field, PrivateAttr, field_validator, model_validator

from collector.document import Document, Seconds, place, text_of
from collector.document import load_tree as load_document_tree
from collector.document import parse as parse_document
from collector.model.errors import ConfigError, Mistake
from probes.journey import references
from probes.journey.browser import BrowserAction
from probes.journey.link import LinkCheck
from probes.journey.printer import PrintJob
from probes.journey.request import AuthenticationFailure, Capture, Request, VerifySaved
from probes.journey.screen import ScreenActions, safe_record_mistake
from probes.journey.text import Name, NonEmpty, Origin, SecretReference, Template, Text, Word


class Action(StrEnum):
    """What a step does to the system. ``write`` and ``print`` need a safe record."""

    READ = "read"
    WRITE = "write"
    PRINT = "print"


class Connection(StrEnum):
    """Whether a step may use a connection that is already open."""

    NEW = "new"
    REUSE = "reuse"


LANGUAGES = ("requests", "browser", "screen", "printer", "link")
"""Keys of a step that say what it does: a step has exactly one of them, and a driver speaks some."""


class Step(Document):
    """One thing a user does, timed as one: it is over when the last thing it does is answered."""

    step: Name = Field(description="Name of the step: results, targets and verdicts carry it.")
    action: Action = Field(default=Action.READ, description="What the step does to the system.")
    target: Seconds | None = Field(default=None, description="Longest duration that is acceptable.")
    timeout: Seconds = Field(default=30.0, gt=0, description="Limit for the whole step; longer is a timeout.")
    think: Seconds = Field(default=0.0, description="Pause before the step, as a person makes; not timed.")
    connection: Connection = Field(default=Connection.REUSE, description="`new` opens a new connection for the step.")
    requests: NonEmpty[Request] | None = Field(default=None, description="The HTTP requests of the step, in order.")
    browser: NonEmpty[BrowserAction] | None = Field(default=None, description="What is done in a browser, in order.")
    screen: ScreenActions | None = Field(
        default=None, description="What is done in the window of a remote session, in order."
    )
    printer: PrintJob | None = Field(default=None, description="The document that goes to a printer.")
    link: LinkCheck | None = Field(default=None, description="The external link that is looked at.")
    sign_in: bool = Field(default=False, description="The step that signs in.")
    authentication_failure: AuthenticationFailure = Field(
        default=AuthenticationFailure(), description="What a refused sign-in looks like."
    )
    safe_record: Template | None = Field(
        default=None, description="Text that only the record made for probes shows; needed to write or print."
    )
    verify_saved: VerifySaved | None = Field(default=None, description="Reads back what the step wrote; not timed.")

    @model_validator(mode="after")
    def _one_language(self) -> "Step":
        if sum(bool(getattr(self, language)) for language in LANGUAGES) != 1:
            raise ValueError(f"needs exactly one of {', '.join(LANGUAGES[:-1])} and {LANGUAGES[-1]}")
        return self

    @model_validator(mode="after")
    def _picture_of_safe_record(self) -> "Step":
        mistake = safe_record_mistake(self.safe_record) if self.screen and self.safe_record else None
        if mistake:
            raise ValueError(mistake)
        return self

    @property
    def language(self) -> str:
        """Give the key that says what the step does."""
        return next(language for language in LANGUAGES if getattr(self, language))

    @property
    def acts(self) -> bool:
        """Say whether the step changes something or uses paper."""
        return self.action is not Action.READ


class ClientCertificate(Document):
    """The certificate the probe shows; paths are relative to the journey file."""

    certificate: str = Field(description="Path of the certificate (PEM).")
    key: str | None = Field(default=None, description="Path of its key (PEM), if it is in another file.")
    passphrase: Word | None = Field(default=None, description="Name of the secret that opens the key.")


class Journey(Document):
    """What is walked. Its content says everything that may change a measurement, and nothing secret."""

    name: Name = Field(description="Name of the journey.")
    description: str = Field(default="", description="What it stands for, for people.")
    variables: dict[Word, Text | None] = Field(
        default={}, description="Values used as {name}; an agent may give others. Empty means an agent must give it."
    )
    secrets: dict[Word, SecretReference | None] = Field(
        default={}, description="Secrets used as {name}, by reference; empty means the agent's account has it."
    )
    trusted_origins: tuple[Origin, ...] = Field(
        default=(), description="Addresses besides base_url that secrets may be sent to, such as a sign-in service."
    )
    client_certificate: ClientCertificate | None = Field(default=None, description="Shown to servers that ask for one.")
    facts: dict[Word, Capture] = Field(
        default={}, description="What is noted about the system when an answer shows it, such as its release."
    )
    steps: NonEmpty[Step] = Field(description="The steps, in the order they are walked.")

    _folder: Path = PrivateAttr(default=Path())

    @field_validator("variables")
    @classmethod
    def _base_url(cls, variables: dict[str, str | None]) -> dict[str, str | None]:
        url = variables.get("base_url")
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError("base_url must begin with http:// or https://")
        return variables

    @property
    def hash(self) -> str:
        """Give 16 hexadecimal digits that change with the content, not with comments or key order."""
        content = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"description"})
        canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    @property
    def folder(self) -> Path:
        """Give the folder of the file it was read from; paths in it are relative to that."""
        return self._folder

    def missing(self, *, secrets: Mapping[str, str], variables: Mapping[str, str]) -> list[str]:
        """Name the secrets and variables that have no value: with any of them nothing can be walked."""
        values = {**self.variables, **variables}
        absent = [f"variable {name}" for name, value in values.items() if value is None]
        return absent + [f"secret {name}" for name in self.secrets if not secrets.get(name)]


def load(path: Path) -> Journey:
    """Read one journey file. Raises ConfigError with every mistake."""
    return parse(text_of(path), path)


def parse(text: str, path: Path) -> Journey:
    """Read a journey from text that came from ``path``. Raises ConfigError with every mistake."""
    journey, mistakes = None, list[Mistake]()
    try:
        journey = parse_document(text, path, Journey)
    except ConfigError as error:
        mistakes += error.mistakes
    mistakes += _reference_mistakes(text, path)
    if journey is None or mistakes:
        raise ConfigError(sorted(set(mistakes), key=lambda one: (one.line, one.column, one.message)))
    journey._folder = path.parent
    return journey


def _reference_mistakes(text: str, path: Path) -> list[Mistake]:
    try:
        tree = load_document_tree(text, path)
    except ConfigError:  # not YAML: already reported
        return []
    found = []
    for location, message in references.check(tree):
        line, column = place(tree, location)
        where = ".".join(str(part) for part in location)
        found.append(Mistake(file=str(path), line=line, column=column, message=f"{where}: {message}"))
    return found
