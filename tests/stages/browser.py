"""The stage of the browser driver: the same application as the HTTP driver's, walked as a person would."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ctypes.util import find_library
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.model.access import Access, Link, Presentation
from collector.model.run import Run
from probes.drivers.browser.plugin import PLUGIN
from probes.journey.file import parse
from probes.walk import Place, walk
from tests.sites import casebook
from tests.sites.casebook import PASSWORD, Casebook
from tests.stages.stage import Stage

TEMPLATE = Path(__file__).parents[2] / "probes" / "journeys" / "case-record-browser.yaml"
PLACE = Place(site="council", endpoint="desk-1", access=Access(link=Link.WIRED, presentation=Presentation.LOCAL))
SETTINGS = {"idle": "5 s"}  # the browser outlives one test, and not by much the last one


def needed() -> None:
    """Skip the test where there is no browser."""
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.skip("no Chromium on this machine: install the package chromium to run these tests")
    if find_library("atomic") is None:
        pytest.skip("Playwright's driver cannot start: install the package libatomic1 to run these tests")


@contextmanager
def serving() -> Iterator[Stage]:
    needed()
    text = TEMPLATE.read_text(encoding="utf-8").replace("think: 200 ms", "")
    with casebook.serving(Casebook()) as running:
        yield Stage(
            journey=parse(text, TEMPLATE),
            variables={"base_url": running.url},
            nowhere={"base_url": "http://127.0.0.1:2"},  # nobody listens; browsers refuse the discard port themselves
            secrets={"username": "probe-user", "password": PASSWORD},
            settings=SETTINGS,
            acted=lambda: sum(map(len, running.notes.values())),
            hide_safe_record=lambda: running.titles.update({2: "Smith, Jane"}),  # somebody's real record
            behind_sign_in="search",
        )


def browse(
    base_url: str, *steps: str, head: str = "", secrets: Mapping[str, str] | None = None, **settings: Any
) -> Run:
    """Walk steps given as YAML (``{step: a, browser: [{open: /}]}``) once; secrets are declared by themselves."""
    declared = ", ".join(f"{name}: env:NOT_USED" for name in secrets or {})
    lines = "".join(f"  - {step}\n" for step in steps)
    text = f"name: day\nvariables: {{base_url: '{base_url}'}}\nsecrets: {{{declared}}}\n{head}\nsteps:\n{lines}"
    driver = PLUGIN.configured({**SETTINGS, **settings})
    journey = parse(text, Path("day.yaml"))
    return walk(journey, driver, PLACE, slot=datetime.now(UTC), secrets=secrets or {}, variables={})
