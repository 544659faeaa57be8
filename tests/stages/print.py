"""The stage of the print driver: the case management application, and a real IPP printer beside it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.lab import printer
from probes.journey.file import Journey, parse
from tests.sites import casebook
from tests.sites.casebook import PASSWORD, Casebook
from tests.stages.stage import Stage

PAGE = Path(__file__).parents[2] / "docs" / "drivers" / "print.md"


def examples() -> list[Journey]:
    """Read the journeys of the driver's page."""
    text = PAGE.read_text(encoding="utf-8")
    return [parse(block.split("```")[0], PAGE) for block in text.split("```yaml\n")[1:]]


@contextmanager
def serving() -> Iterator[Stage]:
    if printer.missing():
        pytest.skip(str(printer.missing()))
    with (
        tempfile.TemporaryDirectory(prefix="printer") as folder,
        casebook.serving(Casebook()) as running,
        printer.printing(Path(folder)) as paper,
    ):
        yield Stage(
            journey=examples()[0],
            variables={"base_url": running.url, "printer": paper.uri, "printer_name": printer.NAME},
            nowhere={"base_url": "http://127.0.0.1:9"},  # the discard port: nobody listens
            secrets={"username": "probe-user", "password": PASSWORD},
            acted=lambda: len(paper.jobs),
            hide_safe_record=lambda: running.titles.update({2: "Smith, Jane"}),  # somebody's real record
            behind_sign_in="open",
        )
