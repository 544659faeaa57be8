"""The windows of one run: what the one in front shows, and where an element of it is."""

import re
import time
from contextlib import suppress

from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page
from playwright.sync_api import Error as PlaywrightError

from probes.driver import WalkContext
from probes.drivers.browser.network import NetworkLog
from probes.journey.browser import Element

SIGN_IN_FIELD = "input[type=password]:visible"
_LOOK = """root => ({text: root.ownerDocument.body ? root.ownerDocument.body.innerText : '',
                     ready: root.ownerDocument.readyState === 'complete'})"""
_LOOK_MILLISECONDS = 1000.0


class Windows:
    """The windows of a browser context; a journey works in the one that was opened last."""

    def __init__(self, browser_context: BrowserContext, context: WalkContext, log: NetworkLog, test_id: str) -> None:
        self._windows = browser_context
        self._context = context
        self._log = log
        self._test_id = test_id
        self.crashed = False
        self._first = browser_context.pages[0]
        self._first.on("crash", self._crashed)
        browser_context.on("page", self._opened)

    @property
    def page(self) -> Page:
        """Give the window in front; the first one, closed, when none is left: using it then says so."""
        windows = self._windows.pages
        return windows[-1] if windows else self._first

    def _opened(self, page: Page) -> None:
        page.on("crash", self._crashed)
        with suppress(PlaywrightError):  # it may be closed again already
            self._log.attach(self._windows.new_cdp_session(page))

    def _crashed(self, _page: Page) -> None:
        self.crashed = True

    def stop_loading(self) -> None:
        """Give up the page that does not come, as a person does who presses Escape: Playwright waits for it else."""
        with suppress(PlaywrightError):
            session = self._windows.new_cdp_session(self.page)
            session.send("Page.stopLoading")
            session.detach()

    def look(self, within_milliseconds: float) -> tuple[str, bool]:
        """Read what a person can read in all frames; say also whether the window is loaded.

        While a page gives way to the next there is nothing to read: ``""`` and False.
        """
        limit = max(1.0, min(within_milliseconds, _LOOK_MILLISECONDS))
        texts, ready = [], True
        for frame in self.page.frames:
            try:
                seen = frame.locator(":root").evaluate(_LOOK, timeout=limit)
            except PlaywrightError:
                if frame is self.page.main_frame:
                    return "", False
                continue
            texts.append(seen["text"])
            ready = ready and seen["ready"]
        return "\n".join(texts), ready

    def idle(self, *, ready: bool, seconds: float = 0.0) -> bool:
        """Say whether the page waits for nothing, and has not for ``seconds``."""
        return ready and not self._log.waiting and time.perf_counter() - self._log.changed_at >= seconds

    def locate(self, element: Element) -> Locator:
        """Give where ``element`` is to be found, in the window in front."""
        found = self._find(element, self._within(element))
        return found.first if element.first else found

    def _within(self, element: Element) -> Page | FrameLocator:
        if element.frame is None:
            return self.page
        name = _quoted(self._context.fill(element.frame))
        return self.page.frame_locator(f"iframe[title={name}], iframe[name={name}], frame[name={name}]")

    def _find(self, element: Element, within: Page | FrameLocator) -> Locator:
        fill, exact = self._context.fill, element.exact
        if element.role is not None:
            name = fill(element.name) if element.name is not None else None
            return within.get_by_role(element.role, name=name, exact=exact)  # type: ignore[arg-type]  # checked when read
        if element.label is not None:
            return within.get_by_label(fill(element.label), exact=exact)
        if element.text is not None:
            return within.get_by_text(fill(element.text), exact=exact)
        return within.locator(f"[{self._test_id}={_quoted(fill(element.test_id or ''))}]")


def words_for(element: Element) -> str:
    """Name an element for people, placeholders unfilled: they may stand for a name nobody should read."""
    if element.role is not None:
        return f"{element.role} {element.name!r}" if element.name is not None else element.role
    way = next(way for way in ("label", "text", "test_id") if getattr(element, way) is not None)
    return f"{way.replace('_', ' ')} {getattr(element, way)!r}"


def contains(shown: str, words: str) -> bool:
    """Say whether ``words`` can be read in ``shown``, however the lines are broken."""
    return words in shown or " ".join(words.split()) in re.sub(r"\s+", " ", shown)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
