"""Windows as it answered: memory laid out by its headers (``layouts.c``), given back call by call on any system."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from probes.windows.layout import Block
from probes.windows.port import WTS_CLIENT_PROTOCOL

_COUNTS = {"counters": 4, "printers": 2}


def blocks() -> dict[str, Block]:
    lines = (Path(__file__).parent / "layouts.txt").read_text(encoding="ascii").splitlines()
    rows = (line.split() for line in lines)
    return {
        name: Block(content=bytes.fromhex(content), address=int(address, 16), count=_COUNTS.get(name, 1))
        for name, address, content in rows
    }


def denied(*_: object) -> Block:
    raise PermissionError(5, "Access is denied")


def absent(*_: object) -> int:
    raise FileNotFoundError(126, "The specified module could not be found")


@dataclass
class Recording:
    """Answers of one machine: session 2 of a Citrix host, with a connected WiFi card."""

    session: int = 2
    wts: int | None = 1
    citrix: Callable[[], int] = absent
    keys: Sequence[str] = ()
    connection: Callable[[bytes], Block] = lambda _card: blocks()["connection"]
    cards: Block = field(default_factory=lambda: blocks()["interfaces"])
    missing: Sequence[str] = ()
    round_trips: str = "[]"
    asked: list[str] = field(default_factory=list)
    open_queries: int = 0

    def session_id(self) -> int:
        return self.session

    def session_information(self, kind: int) -> Block:
        if kind != WTS_CLIENT_PROTOCOL:
            return blocks()["session"]
        if self.wts is None:
            raise OSError(1702, "The binding handle is invalid")
        return Block(content=self.wts.to_bytes(2, "little"))

    def citrix_protocol(self) -> int:
        return self.citrix()

    def has_key(self, path: str) -> bool:
        self.asked.append(path)
        return path in self.keys

    def open_counters(self, paths: Sequence[str]) -> tuple[int, dict[str, int]]:
        self.open_queries += 1
        return 7, {path: number for number, path in enumerate(paths) if path not in self.missing}

    def collect_counters(self, query: int) -> None:
        assert query == 7

    def counter_array(self, _counter: int) -> Block:
        return blocks()["counters"]

    def close_counters(self, _query: int) -> None:
        self.open_queries -= 1

    def wifi_cards(self) -> Block:
        return self.cards

    def wifi_connection(self, card: bytes) -> Block:
        return self.connection(card)

    def wifi_rssi(self, _card: bytes) -> int:
        return -67

    def powershell(self, script: str) -> str:
        self.asked.append(script)
        return self.round_trips
