"""What driving a browser adds to every time it measures, on this machine, now."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page

from probes.journey.browser import BrowserAction

_PAGE = (
    "data:text/html,<title>floor</title><label>field<input></label>"
    "<button onclick=\"this.textContent='after'\">before</button>"
)
_ROUNDS = 5
_FRESH_SECONDS = 900.0
_LIKE = {  # an action costs the tool what the one it is like costs it; what is not here is not waited for
    "open": "open",
    "fill": "fill",
    "fill_secret": "fill",
    "totp": "fill",
    "select": "fill",
    "click": "click",
    "press": "click",
    "download": "click",
    "wait_for": "look",
    "expect": "look",
    "print_pdf": "look",
    "capture": "look",
}


@dataclass(slots=True)
class NoiseFloor:
    """Seconds that actions take on a page without a server or anything to do: the worst of a few tries.

    It is the ± of every step: that much of its time may be the tool's own.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    measured_at: float | None = None  # on the monotonic clock

    @property
    def stale(self) -> bool:
        """Say whether the machine may be another by now."""
        return self.measured_at is None or time.monotonic() - self.measured_at > _FRESH_SECONDS

    def of(self, actions: Iterable[BrowserAction]) -> float:
        """Add up the floors of these actions."""
        return sum(self.seconds.get(_LIKE.get(action.kind, ""), 0.0) for action in actions)


def measure(floor: NoiseFloor, browser: Browser) -> None:
    """Walk the trivial page a few times; the first, which also warms the browser up, does not count."""
    context = browser.new_context()
    try:
        page = context.new_page()
        rounds = [_round(page) for _ in range(_ROUNDS + 1)][1:]
    finally:
        context.close()
    floor.seconds = {kind: max(one[kind] for one in rounds) for kind in rounds[0]}
    floor.measured_at = time.monotonic()


def _round(page: Page) -> dict[str, float]:
    marks = [time.perf_counter()]
    page.goto(_PAGE, wait_until="domcontentloaded")
    marks.append(time.perf_counter())
    page.get_by_label("field").fill("text")
    marks.append(time.perf_counter())
    page.get_by_role("button", name="before").click()
    marks.append(time.perf_counter())
    page.get_by_text("after").wait_for()
    marks.append(time.perf_counter())
    kinds = ("open", "fill", "click", "look")
    return {kind: after - before for kind, before, after in zip(kinds, marks, marks[1:], strict=False)}
