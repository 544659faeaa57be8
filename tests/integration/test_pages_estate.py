"""The page of the estate: what is shared is said in words, no data is never called good, names are escaped."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from collector.model.estate import Estate
from collector.registries.database import DatabaseRegistry
from collector.store import Batch
from collector.stores.memory import MemoryStore
from dashboards import estate_words as words
from dashboards.facts.estate import Heard, survey
from dashboards.web.estate_picture import drawn
from tests.browser.estate import council, estate_samples
from tests.browser.scene import HOSTILE, NOW, site

pytestmark = pytest.mark.integration


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    made.append(Batch(batch_id="estate:1", sender="estate", samples=tuple(estate_samples())))
    return made


def page_of(folder: Path, store: MemoryStore, estate: Estate | None) -> str:
    registry = DatabaseRegistry(f"sqlite:///{folder / 'registry.sqlite'}")
    registry.put_estate(estate)
    with site(folder, store=store, registry=registry) as app:
        return TestClient(app, base_url="http://127.0.0.1:8620", client=("127.0.0.1", 50000)).get("/estate").text


def test_data_stale_data_and_none_are_told_apart_by_any_of_a_components_names(store: MemoryStore) -> None:
    found = survey(store, council(), NOW)
    heard = {part.component.name: part.heard for part in found.parts}
    assert (heard["host-1"], heard["db-live"], heard["printer-2"]) == (Heard.FRESH, Heard.STALE, Heard.NEVER)
    assert [words.unmapped(one) for one in found.unmapped] == ["lun-9 (storage)"]
    assert {vantage.heard for vantage in found.vantages} == {Heard.NEVER}
    store.close()


def test_the_picture_has_a_box_of_each_and_a_line_of_each_base_of_today(store: MemoryStore) -> None:
    found = survey(store, council(), NOW)
    picture = drawn(found.parts)
    assert len(picture.boxes) == len(found.parts) == 10
    assert len(picture.lines) == 5
    corners = {(box.x, box.y) for box in picture.boxes}
    assert len(corners) == 10
    lowest = {box.name: box.y for box in picture.boxes}
    assert lowest["app-live"] < lowest["host-1"] < lowest["lun-7"]
    assert {box.name: box.users for box in picture.boxes if box.shared} == {
        "host-1": "shared by live and test",
        "lun-7": "shared by live and test",
    }
    store.close()


def test_the_page_says_who_answers_and_until_when(tmp_path: Path, store: MemoryStore) -> None:
    page = page_of(tmp_path, store, council())
    row = re.search(r"<tr><th scope=\"row\">lun-7, LUN of the case database.*?</tr>", page, re.DOTALL)
    assert row is not None
    for said in (
        "shared by live and test",
        "hosting-old (until 2027-01-10)",
        "a read or write within 20 ms",
        "has data",
    ):
        assert said in row[0]
    assert "no data in 7 days" in page
    assert "lun-9 (storage)" in page


def test_what_a_map_says_is_escaped_and_none_says_how_to_give_one(tmp_path: Path, store: MemoryStore) -> None:
    estate = council()
    hostile = replace(estate, components=(replace(estate.components[0], title=HOSTILE), *estate.components[1:]))
    page = page_of(tmp_path, store, hostile)
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)" in page
    (tmp_path / "none").mkdir()
    assert words.NOTHING in page_of(tmp_path / "none", MemoryStore(), None)
