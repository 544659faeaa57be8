"""WCAG 2.2 AA as far as a machine can tell, and what it cannot: keyboard, reflow, no scripts, no colour."""

from itertools import pairwise
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

RUN = f"{115:016x}{1:016x}"
WINDOW = "site=town&journey=case-record&step=save&link=wifi&start=2026-11-23T09:00&end=2026-11-23T11:00"
PAGES = (
    "/",
    "/why/v-wifi-open",
    "/why",
    f"/why?{WINDOW}",
    "/errors",
    "/quality",
    "/alerts",
    "/drops",
    "/edges",
    "/estate",
    f"/runs/{RUN}",
    "/why/unknown",
)
TAGS = ("wcag2a", "wcag2aa", "wcag21aa", "wcag22aa")

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("path", "scheme"), [*((path, "light") for path in PAGES), *((path, "dark") for path in (*PAGES[:2], "/estate"))]
)
def test_axe_finds_nothing(chromium: Browser, address: str, path: str, scheme: Literal["light", "dark"]) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(address + path)
    for summary in page.locator("summary").all()[-2:]:  # two tables stand for all: they come from one template
        summary.click()
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": list(TAGS)}})
    violations = [
        (violation["id"], [node["html"][:120] for node in violation["nodes"]][:3])
        for violation in found.response["violations"]
    ]
    passed = found.response["passes"]
    context.close()
    assert violations == []
    assert len(passed) > 10  # the rules really ran


@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways(context: BrowserContext, address: str, path: str) -> None:
    page = context.new_page()
    page.goto(address + path)
    for summary in page.locator("summary").all()[-2:]:
        summary.click()
    wide = {}
    for width in (320, 360, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        wide[width] = page.evaluate("document.documentElement.scrollWidth")
    assert all(found <= width for width, found in wide.items()), wide


def test_the_keyboard_reaches_everything_in_order_and_is_seen(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(address + "/why/v-wifi-save")
    page.keyboard.press("Tab")
    assert focused(page, "textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    seen: list[str] = []
    while len(seen) < 60:
        page.keyboard.press("Tab")
        if focused(page, "tagName") == "BODY":
            break
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style != "none", focused(page, "outerHTML")
        seen.append(f"{focused(page, 'tagName')} {focused(page, 'textContent').strip()[:40]}")
    assert any(item.startswith("SUMMARY Show the numbers") for item in seen)
    assert any(item.startswith("DIV") for item in seen)  # a table that scrolls can be scrolled by keys
    assert any("The whole verdict as JSON" in item for item in seen)
    assert len(seen) < 60  # no trap: the end was reached


def test_a_region_scrolls_with_the_arrow_keys(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto(address + "/")
    region = page.get_by_role("region", name="case-record by access, live")
    region.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")
    context.close()


def test_layers_are_read_without_scrolling_sideways_and_stay_a_table(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto(address + "/why/v-wifi-save")
    region = page.get_by_role("region", name="Layers with evidence for and against")
    assert region.evaluate("region => region.scrollWidth <= region.clientWidth")
    table = region.get_by_role("table")
    assert table.get_by_role("columnheader").count() == 5
    row = table.get_by_role("row").nth(1)
    assert (row.get_by_role("rowheader").count(), row.get_by_role("cell").count()) == (1, 4)
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_landmarks_and_headings_are_logical(context: BrowserContext, address: str, path: str) -> None:
    page = context.new_page()
    page.goto(address + path)
    levels = page.eval_on_selector_all("h1,h2,h3,h4", "found => found.map(item => Number(item.tagName[1]))")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for role in ("main", "navigation", "banner", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    assert page.title()
    assert page.get_attribute("html", "lang") == "en-GB"


@pytest.mark.parametrize("path", PAGES)
def test_pages_can_be_read_without_scripts(chromium: Browser, address: str, path: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    answer = page.goto(address + path)
    assert answer is not None
    assert page.locator("h1").is_visible()
    if path.startswith("/why/v-"):
        assert page.locator("svg.chart").first.is_visible()
        details = page.locator("details").first
        details.locator("summary").click()
        assert details.locator("tbody tr").first.is_visible()
        assert page.get_by_text("the access network (WiFi)", exact=True).is_visible()
    context.close()


def test_states_are_words_and_shapes_not_colours(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(address + "/")
    shapes: dict[str, set[str]] = {}
    for state in page.locator("td .state").all():
        words = state.inner_text().strip()
        assert words
        shapes.setdefault(state.locator("svg").inner_html(), set()).add(words)
    told = {frozenset(words) for words in shapes.values()}
    assert frozenset({"slow"}) in told
    assert frozenset({"failing"}) in told
    assert not any({"normal", "stale"} <= words for words in told)


def test_motion_is_left_out_when_unwanted_and_print_has_no_controls(chromium: Browser, address: str) -> None:
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(address + "/why/v-wifi-save")
    moving = "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration !== '0s').length"
    assert page.evaluate(moving) == 0
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert page.locator("svg.chart").first.is_visible()
    context.close()


def focused(page: Page, name: str) -> str:
    return str(page.evaluate(f"document.activeElement.{name}"))
