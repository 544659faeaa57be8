"""Keeps the declared parts of the picture of a step that went wrong; everything else is black."""

from typing import TYPE_CHECKING

import cv2
import numpy as np

from probes.drivers.remote.settings import ScreenshotSettings

if TYPE_CHECKING:
    from probes.drivers.remote.viewer import Picture


def keep(picture: "Picture", asked: ScreenshotSettings, name: str) -> None:
    """Write one PNG that only this user may read, and let the oldest beyond the limit go."""
    asked.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    shown = np.zeros_like(picture)
    for x, y, width, height in asked.regions:
        shown[y : y + height, x : x + width] = picture[y : y + height, x : x + width]
    done, data = cv2.imencode(".png", shown)
    if not done:
        return
    path = asked.folder / f"session-{name}.png"
    path.touch(mode=0o600)
    path.write_bytes(data.tobytes())
    kept = sorted(asked.folder.glob("session-*.png"), key=lambda one: one.stat().st_mtime_ns)
    for old in kept[: -asked.keep]:
        old.unlink(missing_ok=True)
