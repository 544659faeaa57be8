"""The page of screens, printers and links: what was measured there, and that what was not is not called good."""

from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from collector.model.run import Outcome, Phase, Run, StepTiming
from collector.store import Batch
from collector.stores.memory import MemoryStore
from dashboards import edge_words
from dashboards.facts import edges
from tests.browser.edges import OUT_OF_PAPER, edge_runs, good, walked
from tests.browser.scene import HOSTILE, NOW, WIFI, site

pytestmark = pytest.mark.integration
DAY = timedelta(hours=24)


def read(*runs: Run) -> dict[str, list[edges.Edge]]:
    store = MemoryStore()
    store.append(Batch(batch_id="a:1", sender="a", runs=runs))
    found = {driver: list(rows) for driver, rows in edges.read(store, NOW - DAY, NOW).items()}
    store.close()
    return found


def test_each_edge_has_its_part_its_outcomes_and_what_was_seen_last() -> None:
    found = read(*edge_runs())
    (screen,), (printer,), (link,) = found["remote"], found["print"], found["link"]
    assert screen.part is not None
    assert 0.041 < screen.part.low < screen.part.median < screen.part.high < 0.060
    assert (printer.runs, printer.good, printer.kinds) == (20, 18, {"media_empty": 2})
    assert printer.facts == {"printer": "Example Printer"}
    assert (edge_words.good(link), edge_words.bad(link)) == ("19 of 20", "filtered 1")
    assert edge_words.certificate(link) == "ends soon: far end's 21 days left"
    assert edge_words.spread(link.part) == "0.20 s"
    assert link.last == NOW - timedelta(minutes=1)


def test_a_printer_that_never_printed_is_shown_without_a_time_and_not_as_good() -> None:
    sign_in = StepTiming(step="login", outcome=Outcome.OK, seconds=0.1, http_status=200)
    asked = walked("print", "record", 5, OUT_OF_PAPER)
    both = Run(
        **{name: getattr(asked, name) for name in asked.__dataclass_fields__} | {"steps": (sign_in, OUT_OF_PAPER)}
    )
    (edge,) = read(both)["print"]
    assert (edge.step, edge.part, edge_words.spread(edge.part)) == ("paper", None, "not measured")
    assert edge_words.good(edge) == "0 of 1"


def test_accesses_are_kept_apart_and_a_delivery_says_its_age_and_size() -> None:
    seen = {"drop.age": "3720 s", "drop.size": "1048576 By", "drop.took": "754 s"}
    looked = good("drop", Phase.PROCESSING, 0.1)
    by_cable, by_wifi = read(walked("link", "drop", 5, looked, facts=seen), walked("link", "drop", 6, looked, WIFI))[
        "link"
    ]
    assert edge_words.delivery(by_cable) == "age 62 min, size 1.0 MB, job took 12 min 34 s"
    assert (edge_words.delivery(by_wifi), edge_words.certificate(by_wifi)) == ("no file or report", "none seen")
    assert edge_words.spread(by_cable.part) == "not measured"


def test_the_page_shows_them_or_that_nothing_is_known_and_escapes_what_was_seen(tmp_path: Path) -> None:
    hostile = walked("print", "test-page", 2, good("paper", Phase.SPOOL, 3.0), facts={"printer": HOSTILE})
    first, second = (page_of(tmp_path / name, runs) for name, runs in (("without", ()), ("with", (hostile,))))
    assert edge_words.NOTHING["print"] in first
    assert "3.0 s" in second
    assert edge_words.NOTHING["link"] in second
    assert HOSTILE not in second
    assert "&lt;script&gt;alert(1)" in second


def page_of(folder: Path, runs: tuple[Run, ...]) -> str:
    folder.mkdir()
    with site(folder, extra=runs) as app:
        return TestClient(app, base_url="http://127.0.0.1:8620", client=("127.0.0.1", 50000)).get("/edges").text
