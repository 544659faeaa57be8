"""The settings of the remote driver: which client shows the session, and how it is started."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from collector.document import Document, Seconds
from collector.model.errors import WhichlayerError
from probes.journey_screen import Box
from probes.journey_text import NonEmpty, Template

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


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("must be an absolute path: an agent has no folder of its own to begin at")
    return path


class ScreenshotSettings(Document):
    """What is kept of a step that went wrong."""

    folder: Annotated[Path, AfterValidator(_absolute)] = Field(description="Where they are kept (mode 700).")
    regions: NonEmpty[Box] = Field(description="The parts that are kept: [x, y, width, height]; the rest is blackened.")
    keep: int = Field(default=20, ge=1, description="How many are kept; the oldest goes first.")


class RemoteSettings(Document):
    """How this endpoint reaches the session."""

    vnc: VncSettings = Field(default=VncSettings(), description="The headless viewer.")
    frozen_after: Seconds = Field(
        default=2.0, gt=0, description="A keystroke without an answer for so long says that the session is frozen."
    )
    screenshots: ScreenshotSettings | None = Field(
        default=None, description="Pictures of what went wrong; none if absent, never of a step that typed a secret."
    )
