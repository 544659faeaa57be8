"""Does the actions of a step in the window in front; each ends when its own wait is over."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pyotp
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from collector import secret
from collector.model.run import Outcome
from probes.driver import WalkContext
from probes.drivers.browser.clock import BrowserClock, StepClock
from probes.drivers.browser.failure import ended_by, timed_out
from probes.drivers.browser.network import NetworkLog
from probes.drivers.browser.watch import Watch
from probes.drivers.browser.window import SIGN_IN_FIELD, Windows, contains, words_for
from probes.drivers.http.failure import StepEnded
from probes.drivers.http.transport import origin
from probes.journey.browser import BrowserAction, Element, PageCapture, PageExpect, WaitFor

POLL_MILLISECONDS = 20.0
_QUIET_SECONDS = 1.0  # a page that waited for nothing this long will not change by itself
_QUIET_LOOKS = 4  # and was seen so often: on a busy endpoint a second may be no time at all
_SLICE_MILLISECONDS = 250.0
_FILE_LIMIT = 8 * 2**20
_OWNER = "e => [e.ownerDocument.location.origin, e.form ? new URL(e.form.action, e.baseURI).origin : '']"


@dataclass(slots=True, kw_only=True)
class Actions:
    """Everything an action needs. ``secrets_in`` grows by the fields that a secret was put into."""

    context: WalkContext
    windows: Windows
    log: NetworkLog
    clock_of_browser: BrowserClock
    trusted: frozenset[str]
    watch: Watch
    clock: StepClock
    secrets_in: list[Locator] = field(default_factory=list)

    def do(self, action: BrowserAction) -> None:
        """Do one action. Raises StepEnded."""
        self.clock.ended = None
        wanted = _words(action)
        try:
            _ACTIONS[action.kind](self, action)
            self.watch.network()
        except PlaywrightError as error:
            with suppress(PlaywrightError):  # what else there is to be heard of it
                self.windows.page.wait_for_timeout(POLL_MILLISECONDS)
            if self.windows.crashed:
                raise StepEnded(Outcome.BROKEN, "browser", "the page crashed during the step") from None
            self.watch.network()
            raise ended_by(error, self.log, self.clock.limit_seconds, wanted) from None

    def _open(self, action: BrowserAction) -> None:
        path = self.context.fill(action.open or "")
        url = self.context.values["base_url"].rstrip("/") + path if path.startswith("/") else path
        if not url.startswith(("http://", "https://")):
            raise StepEnded(Outcome.BROKEN, "address", f"{action.open} gives {path!r}, which is not an address")
        self.windows.page.goto(url, wait_until="domcontentloaded", timeout=self.clock.left_milliseconds)

    def _fill(self, action: BrowserAction) -> None:
        assert action.into is not None
        found = self._find(action.into)
        found.fill(self.context.fill(action.fill or ""), timeout=self.clock.left_milliseconds)

    def _fill_secret(self, action: BrowserAction) -> None:
        self._put_secret(action, self.context.fill_secret(action.fill_secret or ""))

    def _totp(self, action: BrowserAction) -> None:
        try:
            code = pyotp.TOTP(self.context.fill_secret(action.totp or "").replace(" ", "")).now()
        except ValueError:
            raise StepEnded(Outcome.NOT_READY, "setup", "the TOTP secret is not base 32: give it again") from None
        secret.remember(code)
        self._put_secret(action, code)

    def _put_secret(self, action: BrowserAction, value: str) -> None:
        assert action.into is not None
        found = self._find(action.into)
        for place in found.evaluate(_OWNER, timeout=self.clock.left_milliseconds):
            if place and not self._is_trusted(place):
                raise StepEnded(
                    Outcome.FAILED, "address", f"would have given a secret to {place}: name it in trusted_origins"
                )
        self.secrets_in.append(found)
        found.fill(value, timeout=self.clock.left_milliseconds)
        self.watch.secret_used_at = self.clock_of_browser.at(time.perf_counter())

    def _is_trusted(self, place: str) -> bool:
        return place.startswith("http") and origin(httpx2.URL(place)) in self.trusted

    def _click(self, action: BrowserAction) -> None:
        assert action.click is not None
        self._find(action.click).click(timeout=self.clock.left_milliseconds)

    def _press(self, action: BrowserAction) -> None:
        key = action.press or ""
        if action.into is not None:
            self._find(action.into).press(key, timeout=self.clock.left_milliseconds)
        else:
            self.windows.page.keyboard.press(key)

    def _select(self, action: BrowserAction) -> None:
        assert action.into is not None
        label = self.context.fill(action.select or "")
        self._find(action.into).select_option(label=label, timeout=self.clock.left_milliseconds)

    def _wait_for(self, action: BrowserAction) -> None:
        wanted = action.wait_for
        assert wanted is not None
        self._until(lambda: self._is_there(wanted), f"waiting for {_words(action)}")

    def _is_there(self, wanted: WaitFor) -> bool:
        if wanted.url is not None:
            return re.search(wanted.url.regex, self.windows.page.url) is not None
        slice_milliseconds = min(_SLICE_MILLISECONDS, self.clock.left_milliseconds)
        with suppress(PlaywrightTimeout):
            self.windows.locate(wanted).wait_for(state=wanted.state, timeout=slice_milliseconds)
            return True
        return False

    def _find(self, element: Element) -> Locator:
        """Give the element once it can be seen; fails when it is not there and the page does nothing any more."""
        found = self.windows.locate(element)

        def visible() -> bool:
            slice_milliseconds = min(_SLICE_MILLISECONDS, self.clock.left_milliseconds)
            with suppress(PlaywrightTimeout):
                found.wait_for(state="visible", timeout=slice_milliseconds)
                return True
            return False

        self._until(visible, words_for(element), lacking=lambda _: f"the page shows no {words_for(element)}")
        return found

    def _expect(self, action: BrowserAction) -> None:
        wanted = action.expect
        assert wanted is not None
        self._until(lambda: self._holds(wanted), _words(action), lacking=lambda shown: self._lacking(wanted, shown))

    def _holds(self, wanted: PageExpect) -> bool:
        if any(one.main for one in self.log.waiting):
            return False  # what is still shown is the page before
        shown, ready = self.windows.look(self.clock.left_milliseconds)
        if self._lacking(wanted, shown) is not None:
            return False
        return wanted.positive or self.windows.idle(ready=ready)

    def _lacking(self, wanted: PageExpect, shown: str) -> str | None:
        """Say what the page lacks, without showing what it holds."""
        fill = self.context.fill
        for words in map(fill, wanted.text):
            if not contains(shown, words):
                return f"the page does not show {words!r}"
        for pattern in wanted.regex:
            if not re.search(pattern, shown, re.MULTILINE):
                return f"nothing on the page matches {pattern!r}"
        if wanted.url is not None and not re.search(wanted.url.regex, self.windows.page.url):
            return f"the address does not match {wanted.url.regex!r}"
        return next(
            (f"the page shows {words!r}" for words in map(fill, wanted.not_text) if contains(shown, words)), None
        )

    def _until(
        self, holds: Callable[[], bool], wanted: str, lacking: Callable[[str], str | None] | None = None
    ) -> None:
        """Wait until ``holds``. With ``lacking``, give up as failed when the page has come to rest without."""
        self.log.changed_at = time.perf_counter()  # what was done just before may not have led to anything yet
        looks = 0
        while not holds():
            looks += 1
            self.watch.network()
            shown, ready = self.windows.look(self.clock.left_milliseconds)
            self.watch.text(shown)
            at_rest = looks > _QUIET_LOOKS and self.windows.idle(ready=ready, seconds=_QUIET_SECONDS)
            if lacking is not None and at_rest:
                message = lacking(shown)
                if message is not None:
                    raise self._failed(message)
            if self.clock.over:
                raise timed_out(self.log, self.clock.limit_seconds, wanted)
            self.windows.page.wait_for_timeout(POLL_MILLISECONDS)

    def _failed(self, message: str) -> StepEnded:
        """Say why; whatever words it uses, a page that asks for the password again has not taken this one."""
        if self.watch.signing_in and self.windows.page.locator(SIGN_IN_FIELD).count():
            return StepEnded(Outcome.FAILED, "authentication", f"the page asks for the password again: {message}")
        wrong = next((one for one in self.log.exchanges if (one.status or 0) >= 400 and one.critical), None)
        if wrong is not None:
            message = f"{message}; a request of it was answered {wrong.status}"
        return StepEnded(Outcome.FAILED, "expect", message)

    def _download(self, action: BrowserAction) -> None:
        wanted = action.download
        assert wanted is not None
        element = self._find(wanted)
        clicked = time.perf_counter()
        with self.windows.page.expect_download(timeout=self.clock.left_milliseconds) as coming:
            element.click(timeout=self.clock.left_milliseconds)
        begun = time.perf_counter()
        download = coming.value
        problem = download.failure()  # waits for its end
        self.clock.stop()
        moments = [self.clock_of_browser.at(one) for one in (clicked, begun, time.perf_counter())]
        try:
            with Path(download.path()).open("rb") as file:
                content = file.read(_FILE_LIMIT)
        except (PlaywrightError, OSError):
            content = b""
        finally:
            download.delete()
        self.log.note_download(download.url, *moments, received=len(content))
        if problem is not None:
            raise StepEnded(Outcome.FAILED, "reset", f"the download of {words_for(wanted)} did not arrive: {problem}")
        if wanted.regex is not None and not re.search(wanted.regex, content.decode("latin-1"), re.MULTILINE):
            raise StepEnded(Outcome.FAILED, "expect", f"nothing in the file matches {wanted.regex!r}")

    def _print_pdf(self, action: BrowserAction) -> None:
        assert action.print_pdf is not None
        size = len(self.windows.page.pdf())
        if size < action.print_pdf.min_bytes:
            least = action.print_pdf.min_bytes
            raise StepEnded(Outcome.FAILED, "expect", f"the PDF has {size} bytes, expected at least {least}")

    def _capture(self, action: BrowserAction) -> None:
        for name, wanted in (action.capture or {}).items():
            value = self._value(wanted)
            if value is None:
                raise StepEnded(
                    Outcome.BROKEN, "capture", f"the page is as expected but holds no {name}: correct its capture"
                )
            self.context.values[name] = value

    def _value(self, wanted: PageCapture) -> str | None:
        if wanted.url is not None:
            return _first(wanted.url.regex, self.windows.page.url)
        if wanted.regex is not None:
            return _first(wanted.regex, self.windows.look(self.clock.left_milliseconds)[0])
        found = self._find(wanted)
        left = self.clock.left_milliseconds
        if wanted.attribute is None:
            return found.inner_text(timeout=left).strip()
        if wanted.attribute in {"href", "src", "action"}:
            return str(found.evaluate(f"e => e.{wanted.attribute}", timeout=left))
        return found.get_attribute(wanted.attribute, timeout=left)

    def _credentials(self, _action: BrowserAction) -> None:
        self.watch.secret_used_at = self.clock_of_browser.at(time.perf_counter())


def _first(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text, re.MULTILINE)
    return (match[1] if match.re.groups else match[0]) if match else None


def _words(action: BrowserAction) -> str:
    element = action.into or action.click or action.wait_for or action.download
    if element is None or (isinstance(element, WaitFor) and element.url is not None):
        return action.kind.replace("_", " ")
    return f"{action.kind.replace('_', ' ')} {words_for(element)}"


_ACTIONS: dict[str, Callable[[Actions, BrowserAction], None]] = {
    "open": Actions._open,
    "fill": Actions._fill,
    "fill_secret": Actions._fill_secret,
    "totp": Actions._totp,
    "click": Actions._click,
    "press": Actions._press,
    "select": Actions._select,
    "wait_for": Actions._wait_for,
    "expect": Actions._expect,
    "download": Actions._download,
    "print_pdf": Actions._print_pdf,
    "capture": Actions._capture,
    "credentials": Actions._credentials,
}
