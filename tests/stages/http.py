"""The stage of the HTTP driver: a small case management application, walked by the template."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from probes.journey.file import parse
from tests.sites import casebook
from tests.sites.casebook import PASSWORD, Casebook
from tests.stages.stage import Stage

TEMPLATE = Path(__file__).parents[2] / "probes" / "journeys" / "case-record.yaml"


@contextmanager
def serving() -> Iterator[Stage]:
    text = TEMPLATE.read_text(encoding="utf-8").replace("think: 200 ms", "")
    with casebook.serving(Casebook()) as running:
        yield Stage(
            journey=parse(text, TEMPLATE),
            variables={"base_url": running.url},
            nowhere={"base_url": "http://127.0.0.1:9"},  # the discard port: nobody listens
            secrets={"username": "probe-user", "password": PASSWORD},
            acted=lambda: sum(map(len, running.notes.values())),
            hide_safe_record=lambda: running.titles.update({2: "Smith, Jane"}),  # somebody's real record
            behind_sign_in="search",
        )
