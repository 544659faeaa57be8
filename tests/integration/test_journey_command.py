"""``whichlayer journey`` as a person runs it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sites import casebook as casebook_site
from tests.sites.casebook import PASSWORD, Casebook
from whichlayer.__main__ import main

pytestmark = pytest.mark.integration

TEMPLATES = Path(__file__).parents[2] / "probes" / "journeys"


@pytest.fixture(scope="module")
def casebook() -> Iterator[Casebook]:
    with casebook_site.serving(Casebook()) as running:
        yield running


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run ``whichlayer journey`` in this process; gives exit code, stdout and stderr."""

    def run(*arguments: str, password: str = PASSWORD) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["whichlayer", "journey", *arguments])
        monkeypatch.setenv("CASE_USER", "probe-user")
        monkeypatch.setenv("CASE_PASSWORD", password)
        monkeypatch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out, printed.err

    return run


SECRETS = ("--secret", "username=env:CASE_USER", "--secret", "password=env:CASE_PASSWORD")


def test_check_says_every_mistake_and_ends_with_2(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: A B\nsteps: []\nbogus: 1\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "whichlayer", "journey", "check", str(wrong), str(TEMPLATES / "case-record.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "case-record.yaml: case-record (" in done.stdout
    assert [line.removeprefix(str(wrong)).split(" ")[0] for line in done.stderr.splitlines()] == [
        ":1:1",
        ":1:1",
        ":2:1",
        ":3:1",
    ]


def test_check_for_machines(tmp_path: Path, command: Command) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: A B\nsteps: []\nbogus: 1\n", encoding="utf-8")
    code, printed, _ = command("check", "--json", str(wrong))
    assert code == 2
    assert [mistake["line"] for mistake in json.loads(printed)["mistakes"]] == [1, 1, 2, 3]


def test_run_shows_each_step(casebook: Casebook, command: Command) -> None:
    code, printed, complaints = command(
        "run", str(TEMPLATES / "case-record.yaml"), "--var", f"base_url={casebook.url}", *SECRETS
    )
    assert (code, complaints) == (0, "")
    for name in ("login", "search", "open", "save", "print"):
        assert f"\n{name} " in printed
    assert "processing" in printed
    assert PASSWORD not in printed


def test_run_for_machines_and_a_refused_sign_in(casebook: Casebook, command: Command) -> None:
    read_only, address = str(TEMPLATES / "case-record-read-only.yaml"), f"base_url={casebook.url}"
    code, printed, complaints = command("run", read_only, "--json", "--var", address, *SECRETS, password="canary-x")
    assert code == 1
    assert json.loads(printed)["steps"][0]["error_kind"] == "authentication"
    assert "canary" not in printed + complaints


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--secret", "pasword=env:CASE_PASSWORD"), 1, "has no secret pasword"),
        (("--secret", "password=canary-literal"), 1, "a secret is given by reference"),
        (("--secret", "password"), 2, "NAME=VALUE"),
        (("--secret", "password=env:NOT_SET"), 1, "env:NOT_SET is not set"),
        (("--var", "seach=x"), 1, "has no variable seach"),
    ],
)
def test_run_says_what_is_wrong(command: Command, arguments: tuple[str, str], code: int, words: str) -> None:
    ended, printed, complaints = command("run", str(TEMPLATES / "case-record.yaml"), *arguments)
    assert ended == code
    assert words in complaints
    assert "canary" not in printed + complaints
