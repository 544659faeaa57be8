"""The lab's name server says what a name server must, asked by hand; its real clients ask it in the lab's world."""

import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deploy.lab import resolver
from deploy.lab.resolver import Server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(resolver, "_PORT", 0)  # an ordinary user may not have port 53
    with closing(Server("127.0.0.1", "casebook.lab.example")) as bound:
        yield bound


def question(name: str, kind: int = 1, flags: int = 0x0100) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", 77, flags, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", kind, 1)


def test_the_name_has_its_address_and_no_other(server: Server) -> None:
    answer = server.answer(question("CASEBOOK.lab.example"))
    assert answer is not None
    assert struct.unpack_from("!6H", answer) == (77, 0x8580, 1, 1, 0, 0)
    assert answer.endswith(struct.pack("!HIH", 1, 0, 4) + socket.inet_aton("127.0.0.1"))
    other_kind = server.answer(question("casebook.lab.example", kind=28))  # it has no IPv6 address
    assert other_kind is not None
    assert struct.unpack_from("!4H", other_kind)[1:] == (0x8580, 1, 0)


def test_another_name_is_said_not_to_be(server: Server) -> None:
    answer = server.answer(question("other.lab.example"))
    assert answer is not None
    assert struct.unpack_from("!4H", answer)[1:] == (0x8583, 1, 0)


@pytest.mark.parametrize("query", [b"", b"\0" * 11, question("a.b")[:-3], question("a.b", flags=0x8000), b"\xff" * 30])
def test_what_is_no_question_gets_no_answer(server: Server, query: bytes) -> None:
    assert server.answer(query) is None


def test_nobody_is_asked_before_the_name_server(tmp_path: Path) -> None:
    written = resolver.settings(tmp_path / "names", "10.77.0.1")
    texts = {place.name: file.read_text() for file, place in written.items()}
    assert texts["resolv.conf"].startswith("nameserver 10.77.0.1\n")
    if "nsswitch.conf" in texts:
        assert [line for line in texts["nsswitch.conf"].splitlines() if "hosts:" in line] == ["hosts: files dns"]
