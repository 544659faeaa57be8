"""Makes the folder that is carried to an endpoint without a network: wheels, a script, a page, a manifest."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from collector.model.errors import WhichlayerError
from whichlayer import pins
from whichlayer.pins import Pin

MANIFEST = "MANIFEST.sha256"
_SCRIPTS: Mapping[str, Sequence[str]] = {
    "win_amd64": ("install.ps1",),
    "linux_x86_64": ("install.sh", "whichlayer-agent.service"),
}
_PAGE = "READ-ME-FIRST.md"
_GLIBC = range(28, 4, -1)  # manylinux_2_28 down to manylinux_2_5
_OLD_NAMES = ("manylinux2014", "manylinux2010", "manylinux1")
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What was made: ``files`` are paths below ``folder`` with their SHA-256."""

    folder: Path
    platform: str
    pythons: tuple[str, ...]
    packages: tuple[str, ...]
    files: Mapping[str, str]

    @property
    def bytes(self) -> int:
        """Give the size of all its files."""
        return sum((self.folder / name).stat().st_size for name in self.files)


def make(folder: Path, platform: str, pythons: Sequence[str], *, wheel: Path | None, tell: Tell) -> Bundle:
    """Fill an empty ``folder``. Raises WhichlayerError; needs the network of the package registry."""
    if folder.exists() and any(folder.iterdir()):
        raise WhichlayerError(f"{folder} is not empty: give a new folder")
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    lock = pins.read(pins.lock_text())
    needed: dict[str, Pin] = {}
    for python in pythons:
        some = pins.of_agent(lock, pins.environment(platform, python))
        tell(f"fetching {len(some)} wheels for {platform}, Python {python}")
        _download(some, platform, python, wheels)
        needed.update({f"{pin.name}=={pin.version}": pin for pin in some})
    _write_requirements(folder / "requirements.txt", list(needed.values()), wheels)
    own = _own_wheel(wheel, wheels, tell)
    _write_texts(folder, platform, pythons, own)
    hashes = _write_manifest(folder)
    return Bundle(
        folder=folder, platform=platform, pythons=tuple(pythons), packages=tuple(sorted(needed)), files=hashes
    )


def _download(some: Sequence[Pin], platform: str, python: str, wheels: Path) -> None:
    """Let pip fetch exactly these files: wheels only, with the hashes of the lock."""
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch) / "wanted.txt"
        lines = [f"{pin.name}=={pin.version} {' '.join(f'--hash={one}' for one in pin.hashes)}" for pin in some]
        wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--require-hashes", "--implementation", "cp", "--python-version", python]
        command += [part for tag in _tags(platform) for part in ("--platform", tag)]
        _run([*command, "--dest", str(wheels), "--requirement", str(wanted)], f"pip found no wheels for {platform}")


def _tags(platform: str) -> list[str]:
    if not platform.startswith("linux_"):
        return [platform]
    machine = platform.removeprefix("linux_")
    return [f"manylinux_2_{minor}_{machine}" for minor in _GLIBC] + [f"{old}_{machine}" for old in _OLD_NAMES]


def _write_requirements(path: Path, needed: Sequence[Pin], wheels: Path) -> None:
    """Pin each package to the very files in the folder, so that nothing put there later can be installed."""
    hashes: dict[str, list[str]] = {}
    for wheel in sorted(wheels.glob("*.whl")):
        name, number = wheel.name.split("-")[:2]
        hashes.setdefault(f"{name.replace('_', '-').replace('.', '-').lower()}=={number}", []).append(_sha256(wheel))
    lines = []
    for pin in sorted(needed, key=lambda one: (one.name, one.version)):
        marker = f" ; {pin.marker}" if pin.marker else ""
        kept = "".join(f" --hash=sha256:{one}" for one in hashes[f"{pin.name}=={pin.version}"])
        lines.append(f"{pin.name}=={pin.version}{marker}{kept}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _own_wheel(wheel: Path | None, wheels: Path, tell: Tell) -> Path:
    """Take the wheel that was given, or build it from the checkout this runs from."""
    if wheel is not None:
        return Path(shutil.copy2(wheel, wheels))
    root = Path(__file__).parents[1]
    if not (root / "pyproject.toml").exists():
        raise WhichlayerError("give --wheel FILE: the whichlayer wheel that this installation came from")
    tell("building the wheel of whichlayer")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels.absolute())]
    _run(command, "whichlayer could not be built", folder=root)
    return next(wheels.glob("whichlayer-*.whl"))


def _write_texts(folder: Path, platform: str, pythons: Sequence[str], own: Path) -> None:
    quoted = ", ".join(f"'{one}'" for one in pythons) if platform.startswith("win") else " ".join(pythons)
    for name in (*_SCRIPTS[platform], _PAGE):
        text = (files("deploy") / "endpoint" / name).read_text(encoding="utf-8")
        values = {
            "PYTHONS": ", ".join(pythons) if name == _PAGE else quoted,
            "VERSION": version("whichlayer"),
            "PLATFORM": platform,
            "WHEEL": own.name,
        }
        for key, value in values.items():
            text = text.replace(f"@@{key}@@", value)
        # Windows PowerShell 5.1 reads a script without a mark as the local code page, and wants its own line ends.
        ending, encoding = ("\r\n", "utf-8-sig") if name.endswith(".ps1") else ("\n", "utf-8")
        (folder / name).write_text(text, encoding=encoding, newline=ending)


def _write_manifest(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    hashes = {path.relative_to(folder).as_posix(): _sha256(path) for path in paths}
    lines = [f"{digest}  {name}\n" for name, digest in hashes.items()]
    (folder / MANIFEST).write_text("".join(lines), encoding="utf-8", newline="\n")
    return hashes


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run(command: Sequence[str], complaint: str, folder: Path | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        last = [line for line in done.stderr.splitlines() if line.strip()][-3:]
        raise WhichlayerError(f"{complaint}: {' '.join(last) or 'no reason given'}")
