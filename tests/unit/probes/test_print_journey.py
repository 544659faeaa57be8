import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model.errors import ConfigError, WhichlayerError
from collector.model.run import Outcome
from probes.driver import OpenDriver, WalkContext
from probes.drivers.print.plugin import PLUGIN
from probes.journey.file import Journey, Step, parse
from probes.printer_reasons import bare, hindrance
from tests.stages.print import examples

FILE = Path("paper.yaml")
MADE = """
name: paper
variables: {base_url: "http://127.0.0.1:8000"}
steps:
  - {step: document, requests: [{path: /print}]}
  - step: paper
    action: print
    safe_record: PROBE
    printer: {uri: "ipp://127.0.0.1/ipp/print", printer_name: Reception}
"""
TEST_PAGE = """
name: paper
steps:
  - step: paper
    action: print
    printer: {uri: "ipp://127.0.0.1/ipp/print", printer_name: Reception, file: page.pdf}
"""


def mistakes(text: str) -> str:
    with pytest.raises(ConfigError) as error:
        parse(text, FILE)
    return str(error.value)


@pytest.mark.parametrize("journey", examples(), ids=lambda journey: journey.name)
def test_the_examples_of_the_page_are_journeys_of_this_driver(journey: Journey) -> None:
    assert journey.steps[-1].printer is not None
    assert {step.language for step in journey.steps} <= PLUGIN.languages


def test_both_kinds_of_documents_are_right_as_they_stand() -> None:
    assert parse(MADE, FILE).steps[1].acts
    assert parse(TEST_PAGE, FILE).steps[0].acts


def test_paper_needs_its_action_a_safe_record_and_the_printers_name() -> None:
    assert "uses paper: add action: print" in mistakes(MADE.replace("    action: print\n", ""))
    assert "must name its safe_record" in mistakes(MADE.replace("    safe_record: PROBE\n", ""))
    assert "printer_name" in mistakes(MADE.replace(", printer_name: Reception", ""))


def test_a_document_of_the_journey_must_have_been_made_before() -> None:
    assert "nothing is made before it" in mistakes(
        MADE.replace("  - {step: document, requests: [{path: /print}]}\n", "")
    )


def test_a_test_page_has_no_safe_record_that_nobody_would_look_for() -> None:
    with_record = TEST_PAGE.replace("    action: print\n", "    action: print\n    safe_record: PROBE\n")
    assert "a test page is no record" in mistakes(with_record)


@pytest.mark.parametrize("uri", ["http://printer/ipp/print", "socket://printer:9100", "printer"])
def test_a_printer_is_spoken_to_by_ipp_or_through_the_spooler(uri: str) -> None:
    assert "must begin with ipp:// or ipps://" in mistakes(TEST_PAGE.replace("ipp://127.0.0.1/ipp/print", uri))


def test_a_secret_never_reaches_a_printer() -> None:
    text = TEST_PAGE.replace("Reception", '"{pin}"').replace("name: paper\n", "name: paper\nsecrets: {pin: }\n")
    assert "is a secret" in mistakes(text)


def opened(folder: Path, text: str, values: dict[str, str]) -> tuple[OpenDriver, Step]:
    journey = parse(text, folder / "paper.yaml")
    return PLUGIN.open(WalkContext(run_id="a" * 32, journey=journey, values=values)), journey.steps[0]


def test_an_address_that_is_none_is_the_journeys_mistake(tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_bytes(b"%PDF-1.4")
    text = TEST_PAGE.replace('"ipp://127.0.0.1/ipp/print"', '"{printer}"')
    driver, step = opened(tmp_path, f"variables: {{printer: }}\n{text}", {"printer": "http://printer"})
    timing = driver.perform(step)
    driver.close()
    assert (timing.outcome, timing.error_kind) == (Outcome.BROKEN, "address")


def test_what_is_missing_on_the_endpoint_is_said_before_anything_is_walked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WhichlayerError, match=r"no test page page\.pdf"):
        opened(tmp_path, TEST_PAGE, {})
    monkeypatch.setitem(sys.modules, "probes.drivers.print.ipp_delivery", None)
    with pytest.raises(WhichlayerError, match=r"pip install 'whichlayer\[print\]'"):
        opened(tmp_path, TEST_PAGE, {})


@given(
    st.sampled_from(["media-empty", "cover-open", "paused", "toner-empty"]), st.sampled_from(["", "-report", "-error"])
)
def test_severities_do_not_change_what_is_said(reason: str, severity: str) -> None:
    assert bare(reason + severity) == reason
    assert hindrance([reason + severity]) == hindrance([reason]) is not None


def test_what_does_not_keep_it_from_printing_is_none_and_a_persons_will_comes_first() -> None:
    assert hindrance(["toner-low-warning", "media-low-report", "none"]) is None
    assert hindrance(["media-empty-warning", "paused"]) == "paused"
