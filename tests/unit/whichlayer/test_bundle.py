"""The folder for endpoints without a network: the right pins, scripts that are whole, files that can be trusted.

Fetching and installing for real is ``make bundles``: it needs the package registry and minutes.
"""

import re
import subprocess
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from collector.model.errors import WhichlayerError
from whichlayer import bundle, pins
from whichlayer.pins import PLATFORMS, PYTHONS, environment, lock_text, of_agent, read


def names(platform: str, python: str = "3.11") -> set[str]:
    return {pin.name for pin in of_agent(read(lock_text()), environment(platform, python))}


def asked(package: str, python: str, seen: set[str], extras: frozenset[str] = frozenset()) -> set[str]:
    """Follow what installed packages ask for, as pip does, under the markers of Linux and ``python``."""
    target = environment("linux_x86_64", python)
    for line in requires(package) or ():
        wanted = Requirement(line)
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        marker = wanted.marker
        applies = marker is None or any(marker.evaluate({**target, "extra": extra}) for extra in (*extras, ""))
        if applies and name not in seen:
            seen.add(name)
            asked(name, python, seen, frozenset(wanted.extras))
    return seen


def test_the_pins_are_what_pip_would_ask_for() -> None:
    missing = asked("whichlayer", "3.11", set()) - names("linux_x86_64")
    assert missing == set()


def test_each_platform_gets_its_own_and_none_of_the_server() -> None:
    windows, linux = names("win_amd64"), names("linux_x86_64")
    assert {"colorama", "pywin32-ctypes", "tzdata", "pydantic-core", "psutil", "keyring"} <= windows
    assert not {"jeepney", "secretstorage", "pyroute2", "cryptography"} & windows
    assert {"jeepney", "secretstorage", "pyroute2"} <= linux
    assert not {"duckdb", "fastapi", "pandas", "pyarrow", "sqlalchemy", "mfusepy", "hatchling"} & (windows | linux)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_pin_has_hashes_and_stands_once(platform: str, python: str) -> None:
    found = of_agent(read(lock_text()), environment(platform, python))
    assert all(pin.hashes for pin in found)
    assert len({pin.name for pin in found}) == len(found) > 40


def folder(path: Path, platform: str) -> Path:
    """Make a bundle of one wheel, as far as that goes without a network."""
    (path / "wheels").mkdir(parents=True)
    wheel = path / "wheels" / "whichlayer-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    bundle._write_texts(path, platform, ("3.11", "3.12"), wheel)
    bundle._write_manifest(path)
    return path


@pytest.mark.parametrize("platform", PLATFORMS)
def test_no_placeholder_is_left(platform: str, tmp_path: Path) -> None:
    made = folder(tmp_path, platform)
    texts = {path.name: path.read_text("utf-8-sig") for path in made.iterdir() if path.is_file()}
    assert not [name for name, text in texts.items() if "@@" in text]
    assert "whichlayer-0.1.0-py3-none-any.whl" in texts["install.ps1" if platform == "win_amd64" else "install.sh"]
    assert "3.11, 3.12" in texts["READ-ME-FIRST.md"]


def test_the_powershell_script_is_one_for_windows_powershell(tmp_path: Path) -> None:
    content = (folder(tmp_path, "win_amd64") / "install.ps1").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf#requires -Version 5.1\r\n")
    text = content.decode("utf-8-sig")
    assert "$Supported = @('3.11', '3.12')" in text
    code = re.sub(r"'[^']*'|\"(?:`.|[^\"`])*\"|#[^\n]*", "", text)
    assert all(code.count(one) == code.count(other) for one, other in ("{}", "()", "[]"))
    assert not re.search(r"&&|\|\||\?\?|-AsSecureString|Invoke-WebRequest|RunLevel Highest", text)
    for cmdlet in ("New-ScheduledTaskPrincipal", "-LogonType Interactive", "-RunLevel Limited", "Get-FileHash"):
        assert cmdlet in text


def test_the_scripts_are_shell(tmp_path: Path) -> None:
    made = folder(tmp_path, "linux_x86_64")
    subprocess.run(["sh", "-n", str(made / "install.sh")], check=True)
    done = subprocess.run(["sha256sum", "--check", "--quiet", "MANIFEST.sha256"], cwd=made, check=False)
    assert done.returncode == 0


def test_a_changed_file_is_refused_before_anything_is_installed(tmp_path: Path) -> None:
    made, target = folder(tmp_path / "bundle", "linux_x86_64"), tmp_path / "target"
    (made / "wheels" / "whichlayer-0.1.0-py3-none-any.whl").write_bytes(b"another")
    done = subprocess.run(
        ["sh", str(made / "install.sh"), "--folder", str(target)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "the files are not the bundled ones" in done.stderr
    assert not target.exists()


def test_requirements_name_the_very_files(tmp_path: Path) -> None:
    (tmp_path / "ruamel_yaml-0.19.1-py3-none-any.whl").write_bytes(b"pure")
    pin = pins.Pin(name="ruamel-yaml", version="0.19.1", marker="sys_platform == 'win32'", hashes=(), via=frozenset())
    bundle._write_requirements(tmp_path / "requirements.txt", [pin], tmp_path)
    digest = bundle._sha256(tmp_path / "ruamel_yaml-0.19.1-py3-none-any.whl")
    expected = f"ruamel-yaml==0.19.1 ; sys_platform == 'win32' --hash=sha256:{digest}\n"
    assert (tmp_path / "requirements.txt").read_text() == expected


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(WhichlayerError, match="is not empty"):
        bundle.make(tmp_path, "win_amd64", ("3.11",), wheel=None, tell=print)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
