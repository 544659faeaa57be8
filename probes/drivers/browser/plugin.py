"""Walks a journey in a browser that is on this machine, and tells its own time from the network's.

``docs/drivers/browser.md`` says what the numbers mean. No step is ever tried again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from collector import document
from collector.model.errors import WhichlayerError
from probes.checkup import Checkup, Need
from probes.driver import WalkContext
from probes.drivers.browser import executable
from probes.drivers.browser.settings import FROM_ENVIRONMENT, NO_PROXY, BrowserSettings
from probes.error_text import short

if TYPE_CHECKING:
    from probes.drivers.browser.launch import Launch
    from probes.drivers.browser.session import OpenBrowser


@dataclass(frozen=True, slots=True)
class BrowserDriver:
    """Opens one browser context per run, in a browser that the runs of this process share."""

    settings: BrowserSettings = field(default_factory=BrowserSettings)
    languages: frozenset[str] = frozenset({"browser"})

    def configured(self, settings: Mapping[str, Any]) -> "BrowserDriver":
        """Give a driver with these settings. Raises ConfigError with every mistake."""
        return BrowserDriver(document.validate(settings, BrowserSettings, file="drivers.browser"))

    def open(self, context: WalkContext) -> "OpenBrowser":
        """Start with no cookies, no cache and no windows; the browser is started if there is none.

        Raises WhichlayerError without a browser or Playwright, and for unusable certificates.
        """
        try:
            # Here, since only endpoints that have a browser need Playwright.
            from probes.drivers.browser.session import open_browser  # noqa: PLC0415
        except ModuleNotFoundError as missing:
            raise WhichlayerError(
                f"the browser driver needs the package {missing.name}: pip install 'whichlayer[browser]'"
            ) from None
        return open_browser(context, self._launch(), self.settings)

    def doctor(self) -> Checkup:
        """Look for Playwright and a browser; with both, start it and measure its noise floor, some seconds."""
        needs = executable.needs(self.settings.browser)
        if any(need.found is None for need in needs):
            return Checkup(needs=needs)
        from probes.drivers.browser.process import floor_of  # noqa: PLC0415  as above

        try:
            floor = floor_of(self._launch())
        except WhichlayerError as error:
            return Checkup(
                needs=(
                    *needs,
                    Need(name="start", purpose=short(str(error)), install=executable.START, found=None),
                )
            )
        return Checkup(needs=needs, noise_floor_seconds=floor, noise_floor_of="a page without a server, opened")

    def _launch(self) -> "Launch":
        from probes.drivers.browser.launch import Launch  # noqa: PLC0415  as above

        settings = self.settings
        return Launch(
            executable=executable.find(settings.browser),
            headed=settings.headed,
            slow_milliseconds=settings.slow * 1e3,
            proxy=settings.proxy if settings.proxy not in {FROM_ENVIRONMENT, NO_PROXY} else None,
            arguments=settings.arguments,
            ca_file=settings.ca_file,
            ahead=settings.ahead,
            idle_seconds=settings.idle,
        )


PLUGIN = BrowserDriver()
