"""What a person writes wrongly on the command line is said, with exit code 2 and without a traceback."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from whichlayer.__main__ import APP

CHANGE = ["change", "add", "more memory", "--start", "2026-11-20"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["why", "--last", "99999999d"], "longer than any data"),
        (["why", "--last", "soon"], "write a number"),
        (["why", "--start", "0001-01-01"], "write years between"),
        (["why", "--start", "2026-11-20", "--end", "2026-11-19"], "ends before it starts"),
        ([*CHANGE, "--layer", "nowhere"], "write one of endpoint, access_network"),
        ([*CHANGE, "--layer", "storage", "--end", "2026-11-19"], "end must not be before start"),
        ([*CHANGE, "--layer", "storage", "--name", "A B"], "--name must be lower-case"),
        (["invite", "Ward 3"], "endpoint must be lower-case"),
    ],
)
def test_it_is_said(words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "whichlayer.yaml").write_text("site: here\n")
    done = CliRunner().invoke(APP, words)
    assert done.exit_code == 2, done.output
    assert told in done.output
