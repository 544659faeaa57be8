"""Errors of the tool itself. A failed step is data (an ``Outcome``), never one of these.

WhichlayerError
├── ConfigError            a file the user wrote is wrong: every mistake at once, with its place
├── PluginError            a plug-in is missing or has the wrong shape
├── SecretError            a secret reference cannot be resolved (never carries the secret)
├── RejectedBatch          what came in through a door is not what it says
├── SourceError            an infrastructure source could not be read
├── NotifyError            a message could not be handed to its channel
└── StoreError             the store could not keep or give data
    ├── StoreFull          there is no room: try again later, keep your data
    └── NotInStore         the question names a table, column or snapshot the store does not have
"""

from dataclasses import dataclass


class WhichlayerError(Exception):
    """The tool could not do its work; the message says what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing wrong in one file: ``file:line:column what, what to do``. Lines start at 1."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column} {self.message}"


class ConfigError(WhichlayerError):
    """A file the user wrote is wrong; ``mistakes`` holds all of them, in file order."""

    def __init__(self, mistakes: "list[Mistake]") -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(str(mistake) for mistake in mistakes))


class PluginError(WhichlayerError):
    """A plug-in is missing or does not have the shape its contract asks for."""


class SecretError(WhichlayerError):
    """A secret reference cannot be resolved."""


class RejectedBatch(WhichlayerError):
    """A batch was refused before it was stored; ``field`` names the place in the body, if known."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        self.field = field
        super().__init__(message)


class SourceError(WhichlayerError):
    """A source could not be read; ``permanent`` means asking again without a change is useless."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        self.permanent = permanent
        super().__init__(message)


class NotifyError(WhichlayerError):
    """A message was not taken; ``permanent`` means that this message never will be, ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, permanent: bool = False, retry_after: float | None = None) -> None:
        self.permanent = permanent
        self.retry_after = retry_after
        super().__init__(message)


class StoreError(WhichlayerError):
    """The store could not keep or give data."""


class StoreFull(StoreError):
    """No room left: nothing of this batch was kept, the sender must keep it and come back."""


class NotInStore(StoreError):
    """The question names a table, a column or a snapshot the store does not have: ask another one."""
