"""Blocks of memory that Windows fills, into values: offsets of 64-bit Windows, and nothing that needs Windows.

The offsets are those of Microsoft's headers. ``tests/windows/layouts.c`` fills the same structures through a C
compiler, and the tests read its output.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_TICKS = 1e7  # of a FILETIME in a second
_COUNTER_ITEM = struct.Struct("<QI4xd")  # PDH_FMT_COUNTERVALUE_ITEM_W: name, state, value
_COUNTER_STATES = frozenset({0, 1})  # PDH_CSTATUS_VALID_DATA, PDH_CSTATUS_NEW_DATA
_INTERFACE_BYTES = 532  # WLAN_INTERFACE_INFO
_INTERFACE_STATE = 528
_CONNECTED = 1  # wlan_interface_state_connected
_BSSID = slice(560, 566)  # in WLAN_CONNECTION_ATTRIBUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Bytes Windows filled, the address they lay at (texts in them are pointers), and how many items they hold."""

    content: bytes
    address: int = 0
    count: int = 1

    def number(self, offset: int, form: str = "<I") -> int:
        """Give the whole number at ``offset``."""
        return int(struct.unpack_from(form, self.content, offset)[0])

    def text(self, pointer: int) -> str:
        """Give the text a pointer into this block leads to; empty when it leads elsewhere."""
        start = pointer - self.address
        if not 0 <= start < len(self.content):
            return ""
        units = self.content[start:].decode("utf-16-le", errors="replace")
        return units.partition("\0")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class WifiLink:
    """A connected WiFi card: quality in percent, rates in bit/s; ``bssid`` says whether Windows named the radio."""

    quality_percent: int
    receive_bps: float
    transmit_bps: float
    bssid: bool


def protocol(block: Block) -> int:
    """Read WTSClientProtocolType: 0 console, 1 ICA, 2 RDP."""
    return block.number(0, "<H")


def seconds_since_logon(block: Block) -> float | None:
    """Read WTSINFOW; None when it knows no logon."""
    logon, now = block.number(200, "<q"), block.number(208, "<q")
    return (now - logon) / _TICKS if 0 < logon <= now else None


def counter_values(block: Block) -> Mapping[str, float]:
    """Read a PDH array: value by instance, those without a valid value left out."""
    found: dict[str, float] = {}
    for position in range(block.count):
        pointer, state, value = _COUNTER_ITEM.unpack_from(block.content, position * _COUNTER_ITEM.size)
        if state in _COUNTER_STATES:
            found[block.text(pointer)] = float(value)
    return found


def connected_cards(block: Block) -> Sequence[bytes]:
    """Read WLAN_INTERFACE_INFO_LIST: the GUIDs of the connected cards."""
    places = (8 + number * _INTERFACE_BYTES for number in range(block.number(0)))
    return [
        block.content[place : place + 16] for place in places if block.number(place + _INTERFACE_STATE) == _CONNECTED
    ]


def wifi_link(block: Block) -> WifiLink:
    """Read WLAN_CONNECTION_ATTRIBUTES; names and addresses in it are not kept. Its rates are kbit/s."""
    return WifiLink(
        quality_percent=block.number(576),
        receive_bps=block.number(580) * 1000.0,
        transmit_bps=block.number(584) * 1000.0,
        bssid=any(block.content[_BSSID]),
    )
