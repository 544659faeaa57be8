import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector import plugin
from probes import drivers
from probes.checkup import Checkup, Need, package, program
from whichlayer.__main__ import APP
from whichlayer.checkups import Examined, print_words

THERE = Need(name="viewer", purpose="shows the session", install="apt-get install viewer", found="1.2")
SAMPLERS = "[{{sampler: volume, component: lun-7, settings: {{directory: {folder}}}}}]"
PROBE = f"site: a\nagent: {{{{endpoint: b, samplers: {SAMPLERS}}}}}\n"
LOST = Need(name="eyes", purpose="reads the picture", install="pip install 'whichlayer[remote]'", found=None)


def test_what_is_installed_is_found_and_what_is_not_has_its_command() -> None:
    assert package("pydantic", extra="print", purpose="p").found
    assert package("no-such-package", extra="print", purpose="p") == Need(
        name="no-such-package", purpose="p", install="pip install 'whichlayer[print]'", found=None
    )
    assert str(program("no-such-program", "sh", debian="dash", purpose="p").found).endswith("/sh")
    assert program("no-such-program", debian="dash", purpose="p").found is None


def test_missing_things_are_said_with_what_installs_them(capsys: pytest.CaptureFixture[str]) -> None:
    checkup = Checkup(needs=(THERE, LOST))
    print_words([Examined(driver="remote", checkup=checkup), Examined(driver="other", problem="it needs more")])
    said = capsys.readouterr().out
    assert "remote: not ready" in said
    assert "viewer 1.2: shows the session" in said
    assert "eyes is missing, which reads the picture: pip install 'whichlayer[remote]'" in said
    assert "noise floor" not in said  # what was not measured is not a number
    assert "other: not ready" in said


def test_what_only_some_journeys_need_keeps_no_driver_from_being_ready(capsys: pytest.CaptureFixture[str]) -> None:
    examined = Examined(driver="remote", checkup=Checkup(needs=(THERE, replace(LOST, optional=True))))
    print_words([examined])
    said = capsys.readouterr().out
    assert examined.ready is True
    assert "eyes is not here (some journeys need it), which reads the picture: pip" in said


def test_a_driver_that_says_nothing_is_neither_ready_nor_broken() -> None:
    assert Examined(driver="quiet").ready is None
    assert Examined(driver="whole", checkup=Checkup(needs=(THERE,))).ready is True
    assert Examined(driver="lame", checkup=Checkup(needs=(THERE, LOST))).ready is False


def test_the_command_asks_every_driver_and_probe_and_gives_json(tmp_path: Path) -> None:
    config = tmp_path / "whichlayer.yaml"
    config.write_text(PROBE.format(folder=tmp_path))
    done = CliRunner().invoke(APP, ["doctor", "--json", "--config", str(config)])
    assert done.exit_code == 0, done.output
    *drivers_said, probe = json.loads(done.stdout)
    assert probe == {"ready": True, "sampler": "volume", "component": "lun-7", "hindrances": []}
    found = {one["driver"]: one for one in drivers_said}
    assert tuple(found) == plugin.names(drivers)
    assert found["http"]["ready"] is True
    assert found["link"]["ready"] is True
    assert [name for name, one in found.items() if one["ready"] and not one["checkup"]["noise_floor_seconds"]] == []
    assert found["print"]["checkup"]["noise_floor_seconds"] > 0.125
    one = CliRunner().invoke(APP, ["doctor", "--driver", "print", "--config", str(config)])
    assert "noise floor" in one.stdout
    assert "volume" not in one.stdout
    assert CliRunner().invoke(APP, ["doctor", "--driver", "fax"]).exception is not None
