"""Where this machine's browser is. Nothing is ever downloaded."""

import os
import shutil
from pathlib import Path

from collector.model.errors import WhichlayerError
from probes.checkup import Need, package

INSTALL = "apt-get install chromium"
START = "apt-get install libatomic1"

_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
    "chrome",
)
_WINDOWS = (r"Microsoft\Edge\Application\msedge.exe", r"Google\Chrome\Application\chrome.exe")


def find(wanted: str | None) -> Path:
    """Give the browser's program: ``wanted``, a name on PATH or a path, or the first that is there.

    Raises WhichlayerError with what to install.
    """
    names = (wanted,) if wanted else (*_NAMES, *_usual_places())
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is not None:
        return Path(found)
    what = f"there is no browser {wanted}" if wanted else "there is no Chromium, Edge or Chrome on PATH"
    raise WhichlayerError(f"{what}: install one ({INSTALL}), or name it in the setting browser")


def needs(wanted: str | None) -> tuple[Need, ...]:
    """Say what a browser journey needs here, and what of it is there."""
    try:
        found = str(find(wanted))
    except WhichlayerError:
        found = None
    return (
        package("playwright", extra="browser", purpose="drives the browser"),
        package("pyotp", extra="browser", purpose="makes the codes of an authenticator app"),
        Need(name=wanted or "browser", purpose="is walked in: Chromium, Edge or Chrome", install=INSTALL, found=found),
    )


def _usual_places() -> tuple[str, ...]:
    """Give where Windows has them: they are not on its PATH."""
    roots = [os.environ.get(name) for name in ("PROGRAMFILES(X86)", "PROGRAMFILES", "LOCALAPPDATA")]
    return tuple(str(Path(root) / place) for root in roots if root for place in _WINDOWS)
