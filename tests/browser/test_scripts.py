"""What scripts add: a refresh that disturbs nobody, charts to explore, and no breach of the policy."""

from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from dashboards.web.view import STATIC
from tests.browser.scene import NOW, slow

pytestmark = pytest.mark.browser

PAGES = ("/", "/why/v-wifi-save", "/why", f"/runs/{115:016x}{1:016x}")
VENDORED = (STATIC / "vendor" / "htmx.min.js").exists()
needs_vendor = pytest.mark.skipif(not VENDORED, reason="the vendored scripts are not here: run `make assets`")


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_blocked_or_fails_and_nothing_comes_from_elsewhere(
    context: BrowserContext, address: str, path: str
) -> None:
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        said.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address + path, wait_until="networkidle")
    for button in page.get_by_role("button", name="Explore").all():
        button.click()
    page.wait_for_timeout(200)
    assert said == []
    assert all(url.startswith(address) for url in asked)


@needs_vendor
def test_a_chart_can_be_explored_and_put_back(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(address + "/why/v-wifi-save")
    figure = page.locator("#own")
    button = figure.get_by_role("button", name="Explore WiFi")
    button.click()
    expect(figure.locator("canvas")).to_be_visible()
    expect(figure.locator("svg.chart")).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(figure.locator("canvas")).to_have_count(0)
    expect(figure.locator("svg.chart")).to_be_visible()


@needs_vendor
def test_the_refresh_moves_nothing_keeps_focus_and_says_only_what_changed(
    context: BrowserContext, address: str
) -> None:
    page = context.new_page()
    page.goto(address + "/")
    link = page.get_by_role("link", name="40 min ago")
    link.focus()
    before = link.bounding_box()
    announced = page.locator("#announce")
    _refresh(page)
    assert page.evaluate("document.activeElement.textContent").strip() == "40 min ago"
    assert link.bounding_box() == before
    assert announced.inner_text() == ""

    fresh = slow(id="v-new", step="print", start=NOW - timedelta(minutes=2))
    page.route("**/?part=live", lambda route: route.fulfill(body=_with(route.fetch().text(), fresh.id)))
    _refresh(page)
    expect(announced).to_contain_text("Printing is slow.")
    assert "Saving" not in announced.inner_text()


@needs_vendor
def test_what_was_unfolded_stays_unfolded(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(address + "/")
    page.get_by_text("The same answer for 1 more").click()
    other = page.get_by_role("link", name="saving in case-record over WiFi", exact=True)
    expect(other).to_be_visible()
    _refresh(page)
    expect(other).to_be_visible()


@needs_vendor
def test_updates_can_be_paused(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(address + "/")
    pause = page.get_by_role("button", name="Pause updates")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("htmx.trigger('#live', 'every')")
    page.wait_for_timeout(300)
    assert asked == []


def _refresh(page: Page) -> None:
    with page.expect_response("**/?part=live"):
        page.evaluate("htmx.trigger('#live', 'every')")
    page.wait_for_timeout(200)


def _with(text: str, verdict_id: str) -> str:
    item = f'<li class="verdict is-slow" id="v-{verdict_id}" data-verdict="{verdict_id}">'
    return text.replace(
        '<ol class="verdicts">', f'<ol class="verdicts">{item}<p class="say">Printing is slow.</p></li>'
    )
