"""The WiFi of this endpoint: signal, bitrate, frames sent again, roams. Reads what the kernel knows, never scans."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from collector.document import Document, validate
from collector.model.errors import WhichlayerError
from collector.model.layer import Layer
from collector.model.sample import Sample
from probes.context.access import default_device
from probes.context.radio import Association, KernelRadio, Radio
from probes.samplers._counters import Counters


class WifiSettings(Document):
    """Which radio is asked."""

    device: str | None = Field(
        default=None, description="name of the interface (`wlan0`); the device of the default route if not given"
    )


class OpenWifi:
    """One radio, asked again and again. It is opened at the first read: radios come and go with docks and drivers."""

    def __init__(self, *, site: str, component: str, device: str | None, radio: Radio | None = None) -> None:
        self._site = site
        self._component = component
        self._device = device
        self._radio = radio
        self._counters = Counters()
        self._before: Association | None = None
        self._roams = 0

    def read(self) -> Sequence[Sample]:
        """Ask once. Gives nothing while it is not associated. Raises WhichlayerError when there is no radio."""
        device = self._device or default_device(Path("/"))
        if device is None:
            raise WhichlayerError("no default route: name the device of the radio")
        if self._radio is None:
            self._radio = KernelRadio()
        at, now = datetime.now(UTC), time.monotonic()
        try:
            seen = self._radio.association(device)
        except WhichlayerError:
            self.close()
            raise
        return [] if seen is None else self._samples(seen, at, now)

    def close(self) -> None:
        """Let go of the radio."""
        if self._radio is not None:
            self._radio.close()
            self._radio = None

    def _samples(self, seen: Association, at: datetime, now: float) -> list[Sample]:
        roamed = self._before is not None and not seen.continues(self._before)
        self._before = seen
        self._roams += roamed
        counted = {"roams": float(self._roams)}
        if seen.retries is not None and not roamed:  # another association counts from zero
            counted["retries"] = float(seen.retries)
        growth = self._counters.advance(now, counted)
        instant = {"signal": seen.signal, "bitrate": seen.bitrate}
        rates = {name: growth.rate(name) for name in ("retries", "roams")}
        return [
            *(self._sample(name, value, at, None) for name, value in instant.items() if value is not None),
            *(self._sample(name, value, at, growth.seconds) for name, value in rates.items() if value is not None),
        ]

    def _sample(self, name: str, value: float, at: datetime, period: float | None) -> Sample:
        return Sample(
            site=self._site,
            component=self._component,
            layer=Layer.ACCESS_NETWORK,
            metric=f"endpoint.wifi.{name}",
            at=at,
            value=value,
            period_seconds=period,
        )


class _Wifi:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> OpenWifi:
        """Open with WifiSettings. Raises ConfigError."""
        device = validate(settings, WifiSettings, file="agent.samplers").device
        return OpenWifi(site=site, component=component, device=device)


PLUGIN = _Wifi()
