"""One printer as the Windows spooler sees it: there after logon, usable, its jobs. Prints nothing.

A job of its own, never inside a timed step. A printer that Citrix maps into a session has the session's
number in its name, so it is given as a pattern.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from collector.document import Document, validate
from collector.model.errors import WhichlayerError
from collector.model.layer import Layer
from collector.model.sample import Sample
from probes.windows.port import Windows, this_machine


class SpoolerSettings(Document):
    """Which printer."""

    printer: str = Field(min_length=1, description="its name in Windows; * and ? stand for anything: Ward 3 (from *")


class _OpenSpooler:
    def __init__(self, *, site: str, component: str, printer: str, windows: Windows | None = None) -> None:
        self._site = site
        self._component = component
        self._printer = printer
        self._windows = windows
        self._missed_at: float | None = None  # when it was last seen to be not usable, before it first was
        self._told = False

    def read(self) -> Sequence[Sample]:
        """Ask the spooler once. Raises WhichlayerError where it cannot be asked."""
        windows = self._windows or this_machine()
        try:
            state = windows.printer(self._printer)
            usable = state is not None and state.usable
            samples = [self._sample("printer.present", float(state is not None))]
            if state is not None:
                words = ",".join(state.words) or "ready"
                samples.append(self._sample("printer.usable", float(usable), state=words))
                samples.append(self._sample("printer.jobs", float(state.jobs)))
            return [*samples, *self._after_logon(windows, usable=usable)]
        except OSError as error:
            raise WhichlayerError(f"the spooler cannot be asked: {error.strerror or error}") from None

    def close(self) -> None:
        """Nothing is kept open."""

    def _after_logon(self, windows: Windows, *, usable: bool) -> Sequence[Sample]:
        """Say once when it became usable, if that was seen: one that was usable from the start tells nothing."""
        now = time.monotonic()
        if self._told or not usable:
            self._missed_at = now
            return ()
        self._told = True
        since = windows.seconds_since_logon()
        if self._missed_at is None or since is None:
            return ()
        gap = f"{now - self._missed_at:.3f}"
        return (self._sample("printer.usable.after_logon", since, uncertainty_seconds=gap),)

    def _sample(self, name: str, value: float, **labels: str) -> Sample:
        return Sample(
            site=self._site,
            component=self._component,
            layer=Layer.PRINTING,
            metric=name,
            at=datetime.now(UTC),
            value=value,
            labels=labels,
        )


class _Spooler:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenSpooler:
        """Open with SpoolerSettings. Raises ConfigError."""
        known = validate(settings, SpoolerSettings, file="agent.samplers")
        return _OpenSpooler(site=site, component=component, printer=known.printer)


PLUGIN = _Spooler()
