"""One printer as the Windows spooler sees it: there after logon, usable, its jobs. Prints nothing.

A job of its own, never inside a timed step. A printer that Citrix maps into a session has the session's
number in its name, so it is given as a pattern.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pydantic import Field

from collector.document import Document, validate
from collector.model.errors import WhichlayerError
from collector.model.sample import Sample
from probes.samplers._printer_watch import PrinterWatch, Seen
from probes.windows.port import Windows, this_machine
from probes.windows.spooler import Spooler, this_spooler


class SpoolerSettings(Document):
    """Which printer."""

    printer: str = Field(min_length=1, description="its name in Windows; * and ? stand for anything: Ward 3 (from *")


class OpenSpooler:
    """Looks at the first printer that matches; ``windows`` and ``spooler`` are those of this machine if not given."""

    def __init__(
        self,
        *,
        site: str,
        component: str,
        printer: str,
        windows: Windows | None = None,
        spooler: Spooler | None = None,
    ) -> None:
        self._printer = printer
        self._windows = windows
        self._spooler = spooler
        self._watch = PrinterWatch(site=site, component=component)

    def read(self) -> Sequence[Sample]:
        """Ask the spooler once. Raises WhichlayerError where it cannot be asked."""
        windows, spooler = self._windows or this_machine(), self._spooler or this_spooler()
        try:
            seen = self._look(spooler)
        except OSError as error:
            raise WhichlayerError(f"the spooler cannot be asked: {error.strerror or error}") from None
        since = None
        with suppress(OSError):  # then nobody knows, and the printer is told all the same
            since = windows.seconds_since_logon()
        return self._watch.samples(seen, since)

    def close(self) -> None:
        """Nothing is kept open."""

    def _look(self, spooler: Spooler) -> Seen | None:
        names = spooler.names(self._printer)
        if not names:
            return None
        state = spooler.state(names[0])
        return Seen(usable=state.usable, jobs=state.jobs, words=state.words)


class _Spooler:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> OpenSpooler:
        """Open with SpoolerSettings. Raises ConfigError."""
        known = validate(settings, SpoolerSettings, file="agent.samplers")
        return OpenSpooler(site=site, component=component, printer=known.printer)


PLUGIN = _Spooler()
