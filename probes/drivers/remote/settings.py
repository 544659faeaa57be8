"""The settings of the remote driver: which client shows the session, and how it is started."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from collector.document import Document, Seconds
from collector.model.errors import WhichlayerError
from probes.journey.screen import Box
from probes.journey.text import Name, NonEmpty, Regex, Template

_DEFAULT_PORT = 5900


class VncSettings(Document):
    """The headless viewer."""

    address: Template = Field(default="{host}:{port}", description="HOST or HOST:PORT of the VNC server.")

    @staticmethod
    def place(address: str) -> tuple[str, int]:
        """Take an address apart. Raises WhichlayerError when it is none."""
        host, colon, port = address.rpartition(":")
        if not colon:
            return address, _DEFAULT_PORT
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise WhichlayerError(f"{address!r} is not HOST:PORT: give the address of the VNC server")
        return host.strip("[]"), int(port)


class WindowSettings(Document):
    """The site's own client, in a window."""

    command: NonEmpty[Template] = Field(
        description="The client and its arguments; may hold {variables} and {secret_file}, never a secret."
    )
    title: Regex = Field(description="Regular expression for the window's title or class.")
    stdin: Template | None = Field(default=None, description="What it is given on standard input; may hold secrets.")
    environment: dict[str, Template] = Field(default={}, description="Variables it is given; may hold secrets.")
    secret_file: Template | None = Field(
        default=None, description="Content of a file of mode 600, which {secret_file} in the command names."
    )
    xvfb: str | None = Field(
        default="1280x1024",
        pattern=r"^\d{3,4}x\d{3,4}$",
        description="Size of the display that is started for it; null: the display of the desktop ($DISPLAY).",
    )
    exit_codes: dict[int, Name] = Field(
        default={}, description="What an exit code of the client means, as one word; FreeRDP's are known."
    )


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("must be an absolute path: an agent has no folder of its own to begin at")
    return path


class ScreenshotSettings(Document):
    """What is kept of a step that went wrong."""

    folder: Annotated[Path, AfterValidator(_absolute)] = Field(description="Where they are kept (mode 700).")
    regions: NonEmpty[Box] = Field(description="The parts that are kept: [x, y, width, height]; the rest is blackened.")
    keep: int = Field(default=20, ge=1, description="How many are kept; the oldest goes first.")


class InsideSettings(Document):
    """The program in the session (``whichlayer inside``), which times the same waits there."""

    folder: Annotated[Path, AfterValidator(_absolute)] = Field(
        description="The folder both see (a mapped drive, a home share), as it is called here; for nobody else."
    )
    patience: Seconds = Field(
        default=2.0, gt=0, le=30, description="How long its word is waited for, before and after what is timed."
    )


class RemoteSettings(Document):
    """How this endpoint reaches the session."""

    vnc: VncSettings | None = Field(default=None, description="The headless viewer; the one used if neither is given.")
    window: WindowSettings | None = Field(default=None, description="The site's own client, in a window.")
    frozen_after: Seconds = Field(
        default=2.0, gt=0, description="A keystroke without an answer for so long says that the session is frozen."
    )
    screenshots: ScreenshotSettings | None = Field(
        default=None, description="Pictures of what went wrong; none if absent, never of a step that typed a secret."
    )

    inside: InsideSettings | None = Field(
        default=None, description="Times the waits from inside the session too: the way to the screen is told apart."
    )

    @model_validator(mode="after")
    def _one_viewer(self) -> "RemoteSettings":
        if self.vnc is not None and self.window is not None:
            raise ValueError("has both vnc and window: a session is seen by one of them")
        return self
