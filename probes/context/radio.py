"""What the WiFi radio of this machine says of its association, through nl80211 (Linux).

Asking reads what the kernel knows already: nothing is scanned and nothing sent. The address of the
access point stays in this process, where it is compared; it is never stored, logged or sent.
"""

import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from collector.model.errors import WhichlayerError

_RADIOS = Path("/sys/class/ieee80211")  # there with nl80211, on Linux only
_BITRATE_UNIT = 100_000.0  # nl80211 counts in 100 kbit/s


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """The link to one access point. A value the driver of the radio does not give is None.

    Signal in dBm, bitrate (towards the access point) in bit/s. ``retries`` counts frames sent again
    since the association began, ``seconds`` ago; ``began`` is that moment in nanoseconds since boot.
    """

    access_point: str = field(repr=False)
    signal: float | None = None
    bitrate: float | None = None
    retries: int | None = None
    seconds: float | None = None
    began: int | None = None

    def continues(self, before: "Association") -> bool:
        """Say whether this is still the association that was seen ``before``."""
        if self.access_point != before.access_point:
            return False
        if self.began is not None and before.began is not None:
            return self.began == before.began
        return self.seconds is None or before.seconds is None or self.seconds >= before.seconds


class Radio(Protocol):
    """Whoever can be asked for the association."""

    def association(self, device: str) -> Association | None:
        """Give the association of a device; None when it has none. Raises WhichlayerError."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class KernelRadio:
    """Asks the kernel, over one netlink socket that stays open."""

    def __init__(self) -> None:
        """Raises WhichlayerError when this kernel has no nl80211, and so no WiFi."""
        if not _RADIOS.is_dir():  # the client, told so by the kernel, would leave its socket open
            raise WhichlayerError("there is no WiFi radio here: the kernel has no nl80211")
        from pyroute2 import IW, NetlinkError  # noqa: PLC0415  only endpoints with WiFi need it

        self._netlink: Any = IW()
        self._failure = (NetlinkError, OSError)

    def association(self, device: str) -> Association | None:
        """See ``Radio``."""
        try:
            return association_of(self._netlink.get_stations(socket.if_nametoindex(device)))
        except self._failure as error:
            raise WhichlayerError(f"the radio {device} cannot be asked: {error}") from None

    def close(self) -> None:
        """Close the socket."""
        self._netlink.close()


def association_of(stations: Iterable[Any]) -> Association | None:
    """Read a dump of stations (NL80211_CMD_NEW_STATION): of an endpoint's device it has the access point.

    A direct link to a neighbour (TDLS) is a station too, and passed over.
    """
    for station in stations:
        address, info = station.get_attr("NL80211_ATTR_MAC"), station.get_attr("NL80211_ATTR_STA_INFO")
        if address is None or info is None or _is_neighbour(info):
            continue
        return Association(
            access_point=address,
            signal=_first(info, "SIGNAL_AVG", "SIGNAL"),
            bitrate=_bitrate(info.get_attr("NL80211_STA_INFO_TX_BITRATE")),
            retries=info.get_attr("NL80211_STA_INFO_TX_RETRIES"),
            seconds=info.get_attr("NL80211_STA_INFO_CONNECTED_TIME"),
            began=info.get_attr("NL80211_STA_INFO_ASSOC_AT_BOOTTIME"),
        )
    return None


def _is_neighbour(info: Any) -> bool:  # noqa: ANN401  a message of pyroute2
    flags = info.get_attr("NL80211_STA_INFO_STA_FLAGS")
    return bool(flags and flags["TDLS_PEER"])


def _first(info: Any, *names: str) -> float | None:  # noqa: ANN401
    values = (info.get_attr(f"NL80211_STA_INFO_{name}") for name in names)
    return next((float(value) for value in values if value is not None), None)


def _bitrate(rate: Any) -> float | None:  # noqa: ANN401
    if rate is None:
        return None
    counted = rate.get_attr("NL80211_RATE_INFO_BITRATE32") or rate.get_attr("NL80211_RATE_INFO_BITRATE")
    return counted * _BITRATE_UNIT if counted else None
