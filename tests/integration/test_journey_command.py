"""``whichlayer journey`` as a person runs it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sites import casebook as casebook_site
from tests.sites.casebook import PASSWORD, Casebook

pytestmark = pytest.mark.integration

TEMPLATES = Path(__file__).parents[2] / "probes" / "journeys"


@pytest.fixture(scope="module")
def casebook() -> Iterator[Casebook]:
    with casebook_site.serving(Casebook()) as running:
        yield running


def whichlayer(*arguments: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "whichlayer", "journey", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "CASE_USER": "probe-user", "CASE_PASSWORD": password, "COLUMNS": "120"},
    )


SECRETS = ("--secret", "username=env:CASE_USER", "--secret", "password=env:CASE_PASSWORD")


def test_check_says_every_mistake_and_ends_with_2(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: A B\nsteps: []\nbogus: 1\n", encoding="utf-8")
    done = whichlayer("check", str(wrong), str(TEMPLATES / "case-record.yaml"))
    assert done.returncode == 2
    assert "case-record.yaml: case-record (" in done.stdout
    assert [line.removeprefix(str(wrong)).split(" ")[0] for line in done.stderr.splitlines()] == [
        ":1:1",
        ":1:1",
        ":2:1",
        ":3:1",
    ]
    machine = whichlayer("check", "--json", str(wrong))
    assert machine.returncode == 2
    assert len(json.loads(machine.stdout)["mistakes"]) == 4


def test_run_shows_each_step(casebook: Casebook) -> None:
    done = whichlayer("run", str(TEMPLATES / "case-record.yaml"), "--var", f"base_url={casebook.url}", *SECRETS)
    assert done.returncode == 0, done.stderr
    for name in ("login", "search", "open", "save", "print"):
        assert f"\n{name} " in done.stdout
    assert "processing" in done.stdout
    assert PASSWORD not in done.stdout + done.stderr


def test_run_for_machines_and_a_refused_sign_in(casebook: Casebook) -> None:
    done = whichlayer(
        "run",
        str(TEMPLATES / "case-record-read-only.yaml"),
        "--json",
        "--var",
        f"base_url={casebook.url}",
        *SECRETS,
        password="canary-wrong",
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["steps"][0]["error_kind"] == "authentication"
    assert "canary" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--secret", "pasword=env:CASE_PASSWORD"), "has no secret pasword"),
        (("--secret", "password=canary-literal"), "a secret is given by reference"),
        (("--secret", "password=env:NOT_SET"), "env:NOT_SET is not set"),
        (("--var", "seach=x"), "has no variable seach"),
    ],
)
def test_run_says_what_is_wrong(arguments: tuple[str, str], words: str) -> None:
    done = whichlayer("run", str(TEMPLATES / "case-record.yaml"), *arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert "canary" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
