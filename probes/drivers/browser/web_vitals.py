"""What a page says of its own loading: navigation timing and Web Vitals, as one bounded note."""

from collections.abc import Mapping
from contextlib import suppress

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

_LIMIT_MILLISECONDS = 1000.0
# Entries of the past are handed to an observer right after it began; 50 ms is ample for that.
_READ = """() => new Promise(done => {
  const seen = {lcp: null, cls: 0};
  const watch = (type, take) => new PerformanceObserver(list => list.getEntries().forEach(take))
    .observe({type, buffered: true});
  watch('largest-contentful-paint', entry => { seen.lcp = entry.startTime; });
  watch('layout-shift', entry => { if (!entry.hadRecentInput) seen.cls += entry.value; });
  setTimeout(() => {
    const [page] = performance.getEntriesByType('navigation');
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    done({ttfb: page?.responseStart || null, fcp: paint?.startTime ?? null, lcp: seen.lcp,
          load: page?.loadEventEnd || null, cls: seen.cls});
  }, 50);
})"""


def read(page: Page) -> str | None:
    """Give ``ttfb 0.012 s, fcp 0.080 s, lcp 0.080 s, load 0.095 s, cls 0.00``; what was not seen is left out."""
    with suppress(PlaywrightError):
        return _said(page.locator(":root").evaluate(_READ, timeout=_LIMIT_MILLISECONDS))
    return None


def _said(vitals: Mapping[str, float | None]) -> str:
    times = [f"{name} {value / 1e3:.3f} s" for name, value in vitals.items() if name != "cls" and value is not None]
    return ", ".join([*times, f"cls {vitals['cls'] or 0.0:.2f}"])
