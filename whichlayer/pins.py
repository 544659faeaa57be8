"""The pins of requirements.lock that an agent needs on one platform: not the server's, not the lab's.

The lock says of each package who asked for it (``# via``), which is followed from the agent's own dependencies.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import requires
from importlib.resources import files
from pathlib import Path

from collector.model.errors import WhichlayerError

LOCK = "requirements.lock"
_HEAD = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+))?")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")
_VIA = re.compile(r"^    #(?: via)? +(?P<name>[A-Za-z0-9._-]+)", re.MULTILINE)
# Environments as markers see them (PEP 508); glibc 2.28 is in everything that is supported today.
PLATFORMS: Mapping[str, Mapping[str, str]] = {
    "win_amd64": {
        "sys_platform": "win32",
        "platform_system": "Windows",
        "os_name": "nt",
        "platform_machine": "AMD64",
    },
    "linux_x86_64": {
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_machine": "x86_64",
    },
}
PYTHONS = ("3.11", "3.12", "3.13")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One package of the lock; ``via`` are the names of those who asked for it."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]
    via: frozenset[str]

    def applies(self, environment: Mapping[str, str]) -> bool:
        """Evaluate its marker. Raises WhichlayerError when packaging is not installed."""
        return self.marker is None or _evaluate(self.marker, environment)


def environment(platform: str, python: str) -> dict[str, str]:
    """Give the markers' view of a platform and a Python such as ``3.11``."""
    return {
        **PLATFORMS[platform],
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def lock_text() -> str:
    """Read the lock: beside the packages of a checkout, or inside the installed one. Raises WhichlayerError."""
    for place in (Path(__file__).parents[1] / LOCK, files("whichlayer") / LOCK):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise WhichlayerError("this installation came without requirements.lock: make the bundle from a checkout")


def read(text: str) -> list[Pin]:
    """Read every pin of a lock."""
    return list(_pins(text))


def of_agent(pins: list[Pin], target: Mapping[str, str]) -> list[Pin]:
    """Keep what the agent's core asks for on ``target``, and what that asks for, and so on."""
    wanted = {_normal(name) for name in _core(target)}
    applying = [pin for pin in pins if pin.applies(target)]
    found: dict[str, Pin] = {}
    while fresh := [
        pin for pin in applying if pin.name not in found and (pin.name in wanted or pin.via & found.keys())
    ]:
        found.update({pin.name: pin for pin in fresh})
    return sorted(found.values(), key=lambda pin: pin.name)


def _core(target: Mapping[str, str]) -> Iterator[str]:
    """Name what ``pip install whichlayer`` asks for, extras aside."""
    for line in requires("whichlayer") or ():
        requirement, _, marker = line.partition(";")
        if "extra" not in marker and (not marker or _evaluate(marker.strip(), target)):
            yield re.split(r"[\s<>=!~\[]", requirement.strip(), maxsplit=1)[0]


def _pins(text: str) -> Iterator[Pin]:
    for entry in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE):
        head = _HEAD.match(entry)
        if head is None:
            continue
        yield Pin(
            name=_normal(head["name"]),
            version=head["version"],
            marker=head["marker"].strip() if head["marker"] else None,
            hashes=tuple(_HASH.findall(entry)),
            via=frozenset(_normal(name) for name in _VIA.findall(entry) if name != "via"),
        )


def _evaluate(marker: str, environment: Mapping[str, str]) -> bool:
    try:
        from packaging.markers import Marker
    except ModuleNotFoundError:
        raise WhichlayerError("this needs the package 'packaging': pip install 'whichlayer[server]'") from None
    return bool(Marker(marker).evaluate(dict(environment)))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
