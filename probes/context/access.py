"""Finds out how this endpoint reaches the system: the link under it and the presentation before it.

The link is the kind of device the default route leaves by; the kernel says what it is. The presentation
is what ``presentation.py`` decides from what the session says of itself. A label in the configuration wins,
and says so beside what was detected.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from collector.document import Document
from collector.model.access import Access, Link, Presentation
from probes.context.presentation import Found, of_environment, of_windows
from probes.windows.port import this_machine

LABEL_CONFIDENCE = 1.0
_UP = 0x0001
_VPN_NAMES = ("tun", "tap", "wg", "ppp", "zt", "tailscale")
_MOBILE_NAMES = ("wwan", "wwp", "rmnet", "usb")
_ETHERNET = "1"  # ARPHRD_ETHER
_POINT_TO_POINT = frozenset({"512", "65534"})  # ARPHRD_PPP, ARPHRD_NONE (tun, WireGuard)


class AccessLabels(Document):
    """What people know better than detection. A label wins, and every run says that it is one."""

    link: Link | None = Field(default=None, description="the network the endpoint is on; detected if absent")
    presentation: Presentation | None = Field(default=None, description="where windows are drawn; detected if absent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where what has no way of its own goes: the device, and the gateway as the kernel writes it."""

    device: str
    gateway: str = field(repr=False)


def detect(labels: AccessLabels, *, root: Path = Path("/"), environment: Mapping[str, str] | None = None) -> Access:
    """Say how this endpoint is connected now. Reads a few small files; never scans, never sends."""
    link = (
        find_link(root)
        if sys.platform == "linux"
        else Found(what=Link.UNKNOWN, source="no detection here", confidence=0)
    )
    presentation = find_presentation(os.environ if environment is None else environment)
    link = _labelled(labels.link, link)
    presentation = _labelled(labels.presentation, presentation)
    return Access(
        link=Link(link.what),
        presentation=Presentation(presentation.what),
        link_source=link.source,
        presentation_source=presentation.source,
        confidence=min(link.confidence, presentation.confidence),
    )


def find_link(root: Path) -> Found:
    """Look at the device the default route leaves by (Linux)."""
    device = default_device(root)
    if device is None:
        return Found(what=Link.UNKNOWN, source="no default route", confidence=0.0)
    folder = root / "sys/class/net" / device
    kind = _uevent(folder).get("DEVTYPE", "")
    arphrd = _text(folder / "type")
    signs = (  # the surest first
        (Link.WIFI, 0.95, "nl80211", (folder / "phy80211").exists()),
        (Link.WIFI, 0.95, "wireless extensions", (folder / "wireless").exists() or _is_wireless(root, device)),
        (Link.MOBILE, 0.9, "device kind", kind == "wwan"),
        (Link.VPN, 0.9, "device kind", (folder / "tun_flags").exists() or kind == "wireguard"),
        (Link.VPN, 0.7, "device type", arphrd in _POINT_TO_POINT or device.startswith(_VPN_NAMES)),
        (Link.MOBILE, 0.6, "name", device.startswith(_MOBILE_NAMES)),
        (Link.WIRED, 0.9, "Ethernet hardware", arphrd == _ETHERNET and (folder / "device").exists()),
        (Link.WIRED, 0.5, "virtual Ethernet", arphrd == _ETHERNET),
    )
    for link, confidence, sign, seen in signs:
        if seen:
            return Found(what=link, source=f"{sign} on {device}", confidence=confidence)
    return Found(what=Link.UNKNOWN, source=f"device {device} is of no known kind", confidence=0.0)


def find_presentation(environment: Mapping[str, str]) -> Found:
    """Ask Windows how this session is shown; elsewhere, look for traces in the environment."""
    if sys.platform == "win32":
        return of_windows(this_machine().session(environment.get("SESSIONNAME", "")))
    return of_environment(environment)


def _labelled(label: Link | Presentation | None, found: Found) -> Found:
    if label is None:
        return found
    source = f"label in whichlayer.yaml; detected: {found.what} ({found.source})"
    return Found(what=label, source=source, confidence=LABEL_CONFIDENCE)


def default_device(root: Path) -> str | None:
    """Name the device of the default route."""
    route = default_route(root)
    return route.device if route else None


def default_route(root: Path) -> Route | None:
    """Give the default route with the smallest metric, IPv4 first."""
    routes = []
    for line in _text(root / "proc/net/route").splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and fields[1] == fields[7] == "00000000" and int(fields[3], 16) & _UP:
            routes.append((int(fields[6]), fields[0], fields[2]))
    if not routes:
        for line in _text(root / "proc/net/ipv6_route").splitlines():
            fields = line.split()
            if len(fields) > 9 and fields[0] == "0" * 32 and fields[1] == "00" and fields[9] != "lo":
                routes.append((int(fields[5], 16), fields[9], fields[4]))
    return Route(device=min(routes)[1], gateway=min(routes)[2]) if routes else None


def _is_wireless(root: Path, device: str) -> bool:
    return any(line.strip().startswith(f"{device}:") for line in _text(root / "proc/net/wireless").splitlines())


def _uevent(folder: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in _text(folder / "uevent").splitlines())
    return {key: value for key, _, value in pairs}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
