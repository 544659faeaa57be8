"""The remote session this agent runs in, as Windows and Citrix count it: latency, round trip, input delay.

A job of its own, never inside a timed step: one read of open performance counters. Citrix measures the
round trip only after somebody typed or clicked, so it may be absent for hours; absent is not 0.
"""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from collector.document import Document, validate
from collector.model.errors import WhichlayerError
from collector.model.layer import Layer
from collector.model.sample import Sample
from probes.windows.port import Counters, Windows, this_machine

LATENCY = r"\ICA Session(*)\Latency - Last Recorded"
INPUT_DELAY = r"\User Input Delay per Session(*)\Max Input Delay"
_MILLISECOND = 1e-3


class CitrixSettings(Document):
    """What to ask, and what the network under the session is."""

    network: Literal["access_network", "network_core"] = Field(
        default="access_network", description="the layer ICA latency speaks of: the weakest part on its way"
    )
    round_trip: bool = Field(
        default=False,
        description="also ask Citrix end-user monitoring; starts PowerShell, so read every minute at most",
    )


class _OpenCitrix:
    def __init__(self, *, site: str, component: str, settings: CitrixSettings, windows: Windows | None = None) -> None:
        self._site = site
        self._component = component
        self._settings = settings
        self._windows = windows
        self._counters: Counters | None = None
        self._last_round_trip: str | None = None

    def read(self) -> Sequence[Sample]:
        """Give what is known of this session now. Raises WhichlayerError where it cannot be asked."""
        windows = self._windows or this_machine()
        try:
            session = windows.session_id()
            values = self._open(windows).read()
            found = {
                "session.ica.latency": own(values.get(LATENCY, {}), session, os.environ.get("SESSIONNAME", "")),
                "session.input.delay": values.get(INPUT_DELAY, {}).get(str(session)),
            }
            samples = {name: value * _MILLISECOND for name, value in found.items() if value is not None}
            samples |= self._round_trip(windows, session)
        except OSError as error:
            self.close()
            raise WhichlayerError(f"the session's counters cannot be read: {error.strerror or error}") from None
        return [self._sample(name, value) for name, value in samples.items()]

    def close(self) -> None:
        """Let go of the counters."""
        if self._counters is not None:
            self._counters.close()
            self._counters = None

    def _open(self, windows: Windows) -> Counters:
        if self._counters is None:
            self._counters = windows.counters(LATENCY, INPUT_DELAY)
        return self._counters

    def _round_trip(self, windows: Windows, session: int) -> dict[str, float]:
        """Give a measurement once: the same one is shown until there is a new one."""
        found = windows.round_trip(session) if self._settings.round_trip else None
        if found is None or found.at == self._last_round_trip:
            return {}
        self._last_round_trip = found.at
        return {"session.ica.roundtrip": found.seconds}

    def _sample(self, name: str, value: float) -> Sample:
        network = name == "session.ica.latency"
        return Sample(
            site=self._site,
            component=self._component,
            layer=Layer(self._settings.network) if network else Layer.REMOTE_SESSION,
            metric=name,
            at=datetime.now(UTC),
            value=value,
        )


class _Citrix:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenCitrix:
        """Open with CitrixSettings. Raises ConfigError."""
        known = validate(settings, CitrixSettings, file="agent.samplers")
        return _OpenCitrix(site=site, component=component, settings=known)


PLUGIN = _Citrix()


def own(values: Mapping[str, float], session: int, name: str) -> float | None:
    """Pick this session's value: by the session's name, by its number, or because it is the only one.

    None when that does not decide: another person's latency is worse than none.
    """
    named = [value for instance, value in values.items() if name and instance.casefold() == name.casefold()]
    number = re.compile(rf"(?<!\d){session}(?!\d)")
    numbered = [value for instance, value in values.items() if number.search(instance)]
    alone = [value for instance, value in values.items() if instance != "_Total"]
    for candidates in (named, numbered, alone):
        if len(candidates) == 1:
            return candidates[0]
    return None
