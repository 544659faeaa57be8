"""What is committed runs anywhere: no machine paths, no package hosts, locks with hashes."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Written in pieces, so that this file does not hold what it looks for.
HOSTS = re.compile("|".join(("py" + r"pi\.o", "python" + "hosted", "npm" + r"js\.", "deb\\." + "debian")))
PATHS = re.compile("|".join(("/" + "work/", "/" + "root/", "/" + "home/[a-z]", "/" + "farm/")))


def committed() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_machine_path_and_no_package_host() -> None:
    found = []
    for path in committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {hit}" for hit in HOSTS.findall(text) + PATHS.findall(text)]
    assert found == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-assets.lock"])
def test_locks_pin_and_hash_everything(name: str) -> None:
    text = (ROOT / name).read_text()
    entries = re.findall(r"^([a-z0-9][a-z0-9._-]*(?:\[[^]]+\])?)([^\n]*)", text, flags=re.MULTILINE)
    assert entries
    assert all("==" in rest for _, rest in entries)
    assert text.count("--hash=sha256:") >= len(entries)
    assert "://" not in text


def test_npm_lock_names_no_host() -> None:
    text = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in text
    assert '"integrity"' in text
