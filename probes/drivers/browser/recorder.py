"""Opens a browser in which a person shows a journey, and gives the journey file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

from probes.drivers.browser.launch import Launch, launched
from probes.drivers.browser.recording import Event, Recording, event

_SCRIPT = Path(__file__).with_name("recorder.js")


def record(launch: Launch, url: str, name: str, person: Callable[[Page], None] | None = None) -> str:
    """Open ``url`` and give the text of the journey that was shown, once the window is closed.

    ``person`` does what is shown in place of a person. Raises WhichlayerError when no browser starts.
    """
    events: list[Event] = []

    def take(_source: dict[str, Any], told: dict[str, Any]) -> None:
        events.append(event(told))

    with launched(launch) as running:
        context = running.browser.new_context(no_viewport=launch.headed)
        context.expose_binding("whichlayerRecord", take)
        context.add_init_script(path=_SCRIPT)
        page = context.new_page()
        page.goto(url, wait_until="domcontentloaded")
        heading = _until_closed(page, person)
        context.close()
    recording = Recording(name, url)
    recording.add(events, heading)
    return recording.text()


def _until_closed(page: Page, person: Callable[[Page], None] | None) -> str:
    """Wait for the person to close the window; give the last heading it showed."""
    if person is not None:
        person(page)
        return _heading(page)
    heading = ""
    while not page.is_closed():
        heading = _heading(page) or heading
        try:
            page.wait_for_timeout(250)
        except PlaywrightError:
            break  # closed meanwhile
    return heading


def _heading(page: Page) -> str:
    try:
        found = page.locator("h1").first.inner_text(timeout=500)
    except PlaywrightError:
        return ""
    return " ".join(found.split())
