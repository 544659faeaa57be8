"""The lab's alert rules as Prometheus itself understands them, and the files its exporters are given."""

import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.lab.rules import monitoring
from deploy.lab.rules.configuration import configure
from deploy.lab.world import URL

pytestmark = pytest.mark.integration
SITUATIONS = Path(__file__).parents[1] / "lab" / "rules.yml"
SECRET = "canary-of-the-session"


@pytest.fixture(autouse=True)
def installed() -> None:
    problem = monitoring.missing()
    if problem is not None:
        pytest.skip(problem)


def checked(*command: str | Path) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_each_situation_names_its_layer() -> None:
    assert "SUCCESS" in checked("promtool", "test", "rules", SITUATIONS)


def test_the_files_are_good_at_any_pace_and_only_one_holds_the_secret(tmp_path: Path) -> None:
    shutil.copy(SITUATIONS, authority := tmp_path / "authority.pem")
    for every, printer in ((5.0, "ipp://localhost:8631/ipp/print"), (300.0, None)):
        folder = tmp_path / str(every)
        folder.mkdir()
        targets = configure(folder, every=every, url=URL, session=SECRET, authority=authority, printer=printer)
        assert targets == 12 + (printer is not None)
        written = (folder / "prometheus.yml").read_text()
        assert f"scrape_interval: {every:g}s" in written
        assert f"{URL}/login" in written
        assert "SUCCESS" in checked("promtool", "check", "config", folder / "prometheus.yml")
        checked("prometheus-blackbox-exporter", "--config.check", f"--config.file={folder}/blackbox.yml")
        holding = [path for path in folder.iterdir() if SECRET in path.read_text()]
        assert holding == [folder / "blackbox.yml"]
        assert holding[0].stat().st_mode & 0o077 == 0
