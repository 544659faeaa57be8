"""Whether an endpoint's access stayed the same while a journey was walked.

A run that began on WiFi and ended on cable, or changed its access point on the way, says nothing of
either. So it is looked before and after: at the device and gateway of the default route, at how often
its cable was pulled, and at the association of its radio. Each look reads what the kernel knows.
"""

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from collector.model.errors import WhichlayerError
from probes.context.access import default_route, find_link
from probes.context.radio import Association, KernelRadio, Radio


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an endpoint is connected at one moment. Addresses are compared, and leave this process never.

    ``asked`` says that the radio could be asked: then no association means that there is none.
    """

    device: str | None = None
    link: str = ""
    gateway: str | None = field(default=None, repr=False)
    carrier_changes: int | None = None
    asked: bool = False
    association: Association | None = None

    def changed(self, before: "Standing") -> tuple[str, ...]:
        """Name what is not as it was ``before``: device, link, gateway, carrier, access_point."""
        return tuple(self._changed(before))

    def _changed(self, before: "Standing") -> Iterator[str]:
        if self.device != before.device:
            yield "device"
        if self.link != before.link:
            yield "link"
        if self.gateway != before.gateway:
            yield "gateway"
        if self.device != before.device:
            return  # what follows is of one device
        if self.carrier_changes != before.carrier_changes:
            yield "carrier"
        if self.asked and before.asked and not _continues(self.association, before.association):
            yield "access_point"


def _continues(now: Association | None, before: Association | None) -> bool:
    if now is None or before is None:
        return now is before
    return now.continues(before)


class Lookout:
    """Looks at the standing of this machine, for several walks at once. The radio's socket stays open."""

    def __init__(self, *, root: Path = Path("/"), radio: Radio | None = None) -> None:
        """``root`` is where /proc and /sys are; ``radio`` is the kernel's if not given."""
        self._root = root
        self._radio = radio
        self._none = False
        self._lock = threading.Lock()

    def look(self) -> Standing:
        """Look now. Where nothing can be known (not Linux), nothing ever changes."""
        if sys.platform != "linux":
            return Standing()
        route = default_route(self._root)
        if route is None:
            return Standing(link=find_link(self._root).what)
        folder = self._root / "sys/class/net" / route.device
        asked, association = self._association(route.device, folder)
        return Standing(
            device=route.device,
            link=find_link(self._root).what,
            gateway=route.gateway,
            carrier_changes=_count(folder / "carrier_changes"),
            asked=asked,
            association=association,
        )

    def close(self) -> None:
        """Let go of the radio."""
        with self._lock:
            if self._radio is not None:
                self._radio.close()
                self._radio = None

    def _association(self, device: str, folder: Path) -> tuple[bool, Association | None]:
        """Ask the radio, if the device is one; a kernel that has none is asked once."""
        if self._none or not (folder / "phy80211").exists():
            return False, None
        with self._lock:
            try:
                if self._radio is None:
                    self._radio = KernelRadio()
            except WhichlayerError:
                self._none = True
                return False, None
            try:
                return True, self._radio.association(device)
            except WhichlayerError:
                return False, None


def _count(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
