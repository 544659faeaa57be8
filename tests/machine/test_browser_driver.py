"""What a browser journey does at a page, and how its ends are told apart."""

from collections.abc import Iterator

import pytest

from collector.model.run import Outcome, Run, StepTiming
from tests.sites import casebook
from tests.sites.portal import Identity, Portal
from tests.stages.browser import browse, needed

pytestmark = [pytest.mark.integration, pytest.mark.browser]


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    needed()
    with casebook.serving(Portal(Identity())) as running:
        yield running


def only(run: Run) -> StepTiming:
    assert len(run.steps) == 1, run.steps
    return run.steps[0]


def test_choosing_frames_windows_captures_and_paper(portal: Portal) -> None:
    run = browse(
        portal.url,
        "{step: choose, browser: [{open: /board}, {select: Open, into: {label: Status}}, {press: Tab},"
        " {expect: {text: Reports, not_text: '12 results', url: {regex: board$}}}]}",
        "{step: frame, browser: [{capture: {report: {role: link, name: Reports, frame: Menu, attribute: href},"
        " heading: {regex: 'B\\w+'}}}, {print_pdf: {min_bytes: 1000}}, {open: '{report}'},"
        " {expect: {text: 12 results}}]}",
        "{step: window, browser: [{open: /board}, {click: {role: button, name: Window}},"
        " {wait_for: {url: {regex: menu}}}, {click: {role: link, name: Reports}}, {expect: {text: 12 results}}]}",
    )
    assert run.outcome is Outcome.OK, run.steps
    assert run.facts["browser"]
    assert "ttfb" in run.facts["web_vitals.choose"]


def test_every_step_carries_the_run_s_trace(portal: Portal) -> None:
    portal.headers.clear()
    run = browse(portal.url, "{step: a, browser: [{open: /board}]}", "{step: b, browser: [{open: /board}]}")
    sent = [headers["traceparent"] for headers in portal.headers]
    assert [one.split("-")[1] for one in sent] == [run.run_id, run.run_id]
    assert len(set(sent)) == 2
    assert "synthetic; day" in portal.headers[0]["user-agent"]
    assert "Headless" not in portal.headers[0]["user-agent"]


@pytest.mark.parametrize(
    ("action", "outcome", "kind"),
    [
        ("open: /wrong/500", Outcome.FAILED, "status"),
        ("expect: {text: nowhere}", Outcome.FAILED, "expect"),
        ("expect: {not_text: Board}", Outcome.FAILED, "expect"),
        ("click: {role: button, name: Nowhere}", Outcome.FAILED, "expect"),
        ("click: {role: button}", Outcome.BROKEN, "element"),
        ("{fill: x, into: {role: heading}}", Outcome.BROKEN, "element"),
        ("capture: {number: {regex: 'Nr (\\d+)'}}", Outcome.BROKEN, "capture"),
        ("download: {role: button, name: Load}", Outcome.TIMEOUT, "render"),
        ("wait_for: {text: nowhere}", Outcome.TIMEOUT, "render"),
    ],
)
def test_ends_are_told_apart(portal: Portal, action: str, outcome: Outcome, kind: str) -> None:
    limit = "1 s" if outcome is Outcome.TIMEOUT else "5 s"
    step = only(browse(portal.url, f"{{step: a, timeout: {limit}, browser: [{{open: /board}}, {_braced(action)}]}}"))
    assert (step.outcome, step.error_kind) == (outcome, kind), step
    assert (step.seconds is None) == (outcome is Outcome.BROKEN)
    assert step.censored == (outcome is Outcome.TIMEOUT)


def _braced(action: str) -> str:
    return action if action.startswith("{") else f"{{{action}}}"


def test_a_timeout_is_at_least_its_limit_and_says_what_it_waited_for(portal: Portal) -> None:
    step = only(browse(portal.url, "{step: a, timeout: 500 ms, browser: [{open: '/board?before=3000'}]}"))
    assert (step.outcome, step.error_kind, step.seconds) == (Outcome.TIMEOUT, "processing", 0.5)


def test_a_page_that_hangs_is_a_timeout_and_the_next_run_is_well(portal: Portal) -> None:
    hang = "{open: /board}, {click: {role: button, name: Hang}}, {expect: {text: x}}"
    assert only(browse(portal.url, f"{{step: a, timeout: 1500 ms, browser: [{hang}]}}")).outcome is Outcome.TIMEOUT
    assert browse(portal.url, "{step: a, browser: [{open: /board}]}").outcome is Outcome.OK


@pytest.mark.parametrize(
    ("url", "kind"), [("http://127.0.0.1:2", "connect"), ("http://no-such-name.invalid", "resolve")]
)
def test_a_page_that_cannot_be_reached(portal: Portal, url: str, kind: str) -> None:
    step = only(browse(url, "{step: a, timeout: 5 s, browser: [{open: /}]}"))
    assert (step.outcome, step.error_kind) == (Outcome.FAILED, kind)


def test_what_a_person_sees_at_once_is_slow_against_its_target(portal: Portal) -> None:
    step = only(browse(portal.url, "{step: a, target: 1 ms, browser: [{open: /board}]}"))
    assert step.outcome is Outcome.SLOW


def test_without_its_browser_the_run_is_not_ready(portal: Portal) -> None:
    run = browse(portal.url, "{step: a, browser: [{open: /board}]}", browser="no-such-browser")
    assert (only(run).outcome, only(run).error_kind) == (Outcome.NOT_READY, "setup")
    assert "apt-get install" in (only(run).error or "")
