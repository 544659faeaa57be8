"""The port to Windows: the session, its counters, the WiFi card. Each read is small and scans nothing.

``Calls`` is what Windows is asked, answered in raw memory by ``calls.py``, or by a recording.
Nothing here runs while a step is timed: an access is detected before a walk, samplers are jobs of their own.
Printers are in ``spooler.py``.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

from collector.model.errors import WhichlayerError
from probes.windows import layout
from probes.windows.layout import Block, WifiLink

WTS_CLIENT_PROTOCOL = 16
WTS_SESSION_INFO = 24
T = TypeVar("T")
# Only numbers and a time come back, and only of this session: the class has no names in these four.
_ROUND_TRIPS = (
    "ConvertTo-Json -Compress @(Get-CimInstance -ErrorAction Stop -Namespace root/citrix/euem"
    " -ClassName Citrix_Euem_RoundTrip | Select-Object SessionID, RoundtripTime, NetworkLatency,"
    " @{n='At';e={[string]$_.Timestamp}})"
)


class Calls(Protocol):
    """What Windows can be asked. Every call raises OSError when Windows says no."""

    def session_id(self) -> int:
        """Give the number of this session."""

    def session_information(self, kind: int) -> Block:
        """Ask WTSQuerySessionInformationW."""

    def citrix_protocol(self) -> int:
        """Ask WFGetActiveProtocol of the Citrix agent."""

    def has_key(self, path: str) -> bool:
        """Look for a key in HKEY_LOCAL_MACHINE."""

    def open_counters(self, paths: Sequence[str]) -> tuple[int, dict[str, int]]:
        """Open a PDH query; gives its handle and one for each counter there is."""

    def collect_counters(self, query: int) -> None:
        """Read the counters now."""

    def counter_array(self, counter: int, /) -> Block:
        """Give the values of one counter."""

    def close_counters(self, query: int, /) -> None:
        """Let go of a query."""

    def wifi_cards(self) -> Block:
        """List WiFi cards."""

    def wifi_connection(self, card: bytes) -> Block:
        """Ask a card what it is connected to."""

    def wifi_rssi(self, card: bytes, /) -> int:
        """Ask a card for its signal in dBm."""

    def powershell(self, script: str) -> str:
        """Run a script."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAnswers:
    """What Windows said about the session this process runs in; None where it gave no answer.

    ``wts`` and ``citrix`` are protocol numbers: 0 console, 1 ICA, 2 RDP. ``registry`` says whether Citrix
    keeps a connection for this session. ``unable`` has the reason for each missing answer.
    """

    session: int | None = None
    wts: int | None = None
    citrix: int | None = None
    registry: bool | None = None
    name: str = ""
    unable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WifiFacts:
    """The WiFi under this session. ``dbm`` is None where the driver does not tell; ``bssid`` says if it was named."""

    quality_percent: int | None
    dbm: int | None
    receive_bps: float | None
    transmit_bps: float | None
    bssid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """What Citrix' end-user monitoring measured last for this session, in seconds; ``at`` tells values apart."""

    seconds: float
    network_seconds: float | None
    at: str


class Windows:
    """What an agent wants to know of Windows, over ``Calls``."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def session(self, name: str) -> SessionAnswers:
        """Ask all that can tell how this session is shown; ``name`` is its SESSIONNAME. Raises nothing."""
        unable: dict[str, str] = {}
        session = _try("session", self._calls.session_id, unable)
        return SessionAnswers(
            session=session,
            wts=_try("wts", lambda: layout.protocol(self._calls.session_information(WTS_CLIENT_PROTOCOL)), unable),
            citrix=_try("citrix", self._calls.citrix_protocol, unable),
            registry=None if session is None else _try("registry", lambda: self._citrix_keeps(session), unable),
            name=name,
            unable=unable,
        )

    def session_id(self) -> int:
        """Give the number of this session. Raises OSError."""
        return self._calls.session_id()

    def seconds_since_logon(self) -> float | None:
        """Say how long ago this session was logged on to. Raises OSError."""
        return layout.seconds_since_logon(self._calls.session_information(WTS_SESSION_INFO))

    def counters(self, *paths: str) -> "Counters":
        """Open performance counters by their English paths. Raises OSError."""
        return Counters(self._calls, paths)

    def round_trip(self, session: int) -> RoundTrip | None:
        """Ask Citrix' end-user monitoring, through PowerShell: half a second of a processor. Raises OSError."""
        found = [row for row in _rows(self._calls.powershell(_ROUND_TRIPS)) if row["SessionID"] == session]
        if len(found) != 1 or not found[0]["RoundtripTime"]:
            return None  # it measures after input only: 0 is "not measured"
        latency = found[0].get("NetworkLatency")
        return RoundTrip(
            seconds=found[0]["RoundtripTime"] / 1000,
            network_seconds=None if latency is None else latency / 1000,
            at=str(found[0]["At"]),
        )

    def wifi(self) -> WifiFacts | None:
        """Describe the first connected WiFi card; None without one. Never scans. Raises OSError."""
        for card in layout.connected_cards(self._calls.wifi_cards()):
            link: WifiLink | None = None
            try:
                link = layout.wifi_link(self._calls.wifi_connection(card))
                bssid = "named" if link.bssid else "not named"
            except PermissionError:
                bssid = "not permitted"
            return WifiFacts(
                quality_percent=link.quality_percent if link else None,
                dbm=_try("rssi", partial(self._calls.wifi_rssi, card), {}),
                receive_bps=link.receive_bps if link else None,
                transmit_bps=link.transmit_bps if link else None,
                bssid=bssid,
            )
        return None

    def _citrix_keeps(self, session: int) -> bool:
        return self._calls.has_key(rf"SOFTWARE\Citrix\Ica\Session\{session}\Connection")


class Counters:
    """An open query; a counter that this machine does not have is in ``missing``."""

    def __init__(self, calls: Calls, paths: Sequence[str]) -> None:
        self._calls = calls
        self._query, self._handles = calls.open_counters(paths)
        self.missing = tuple(path for path in paths if path not in self._handles)

    def read(self) -> Mapping[str, Mapping[str, float]]:
        """Read now: for each path the value of each instance. Raises OSError."""
        if not self._handles:
            return {}
        self._calls.collect_counters(self._query)
        return {path: layout.counter_values(self._calls.counter_array(one)) for path, one in self._handles.items()}

    def close(self) -> None:
        """Let go of the query."""
        self._calls.close_counters(self._query)


def this_machine() -> Windows:
    """Give the port to the Windows this runs on. Raises WhichlayerError elsewhere."""
    if sys.platform == "win32":
        from probes.windows import calls  # noqa: PLC0415  loads libraries only Windows has

        return Windows(calls)
    raise WhichlayerError(f"only Windows can be asked this, and this is {sys.platform}: take it out of the plan")


def _rows(answer: str) -> list[dict[str, Any]]:
    try:
        return list(json.loads(answer.strip() or "[]"))
    except ValueError:
        raise OSError("PowerShell did not answer with JSON") from None


def _try(what: str, ask: Callable[[], T], unable: dict[str, str]) -> T | None:
    try:
        return ask()
    except (OSError, AttributeError) as error:  # AttributeError: the library has no such function
        unable[what] = (
            f"{type(error).__name__} {getattr(error, 'winerror', None) or getattr(error, 'errno', '')}".strip()
        )
        return None
