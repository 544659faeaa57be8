"""A radio that says again what a real kernel said: nl80211 datagrams recorded by ``make lab-wifi``."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyroute2.netlink.nl80211 import MarshalNl80211

from probes.context.radio import Association, association_of

FILE = Path(__file__).with_name("wifi.jsonl")
NEW_STATION = 19  # NL80211_CMD_NEW_STATION
NO_RETRIES = "08000b0000000000"  # the attribute TX_RETRIES, length 8, type 11, as little-endian machines write it


def replies(moment: str) -> list[bytes]:
    lines = map(json.loads, FILE.read_text(encoding="ascii").splitlines())
    return [bytes.fromhex(reply) for line in lines if line["moment"] == moment for reply in line["replies"]]


def stations(datagrams: Iterable[bytes]) -> list[Any]:
    """Decode as pyroute2 does when it has asked the kernel."""
    found = [message for datagram in datagrams for message in MarshalNl80211().parse(datagram)]
    return [message for message in found if message.get("cmd") == NEW_STATION]


def resent(datagrams: Iterable[bytes], frames: int) -> list[bytes]:
    """Put another number of frames sent again: the simulated radio never has to."""
    changed = NO_RETRIES[:8] + frames.to_bytes(4, "little").hex()
    found = [datagram.hex() for datagram in datagrams]
    assert sum(datagram.count(NO_RETRIES) for datagram in found) == 1
    return [bytes.fromhex(datagram.replace(NO_RETRIES, changed)) for datagram in found]


class Recorded:
    """Gives one moment after the other, the last one for ever."""

    def __init__(self, *moments: str | list[bytes]) -> None:
        self._left = [replies(moment) if isinstance(moment, str) else moment for moment in moments]
        self.closed = False

    def association(self, device: str) -> Association | None:
        assert device.startswith("wlan")
        datagrams = self._left.pop(0) if len(self._left) > 1 else self._left[0]
        return association_of(stations(datagrams))

    def close(self) -> None:
        self.closed = True
