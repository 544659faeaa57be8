"""What Windows answers in raw memory becomes facts, in the right order and without names or addresses."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from collector.model.access import Presentation
from collector.model.errors import WhichlayerError
from collector.model.layer import Layer
from probes.context import presentation
from probes.samplers import citrix
from probes.samplers.citrix import CitrixSettings, _OpenCitrix, own
from probes.windows import layout
from probes.windows.port import Windows
from tests.windows.recording import Recording, absent, blocks, denied

KEY = r"SOFTWARE\Citrix\Ica\Session\2\Connection"


def no_function() -> int:
    raise AttributeError("function 'WFGetActiveProtocol' not found")


@pytest.mark.parametrize(
    ("machine", "name", "shown", "decided_by"),
    [
        ({"wts": 1}, "Console", Presentation.CITRIX, "WTSClientProtocolType"),
        ({"wts": 2}, "", Presentation.RDP, "WTSClientProtocolType"),
        ({"wts": 0, "citrix": lambda: 1}, "Console", Presentation.CITRIX, "WFGetActiveProtocol"),
        ({"wts": 0, "citrix": lambda: 0, "keys": (KEY,)}, "ICA-tcp#1", Presentation.LOCAL, "WFGetActiveProtocol"),
        ({"wts": 0, "keys": (KEY,)}, "Console", Presentation.CITRIX, "registry"),
        ({"wts": None, "keys": (KEY,)}, "", Presentation.CITRIX, "registry"),
        ({"wts": 0}, "ICA-CGP#4", Presentation.CITRIX, "SESSIONNAME, a hint"),
        ({"wts": 0}, "Console", Presentation.LOCAL, "no Citrix agent"),
        ({"wts": 0, "citrix": no_function}, "", Presentation.LOCAL, "no Citrix agent"),
        ({"wts": None}, "RDP-Tcp#3", Presentation.RDP, "SESSIONNAME, a hint"),
        ({"wts": None}, "Console", Presentation.LOCAL, "SESSIONNAME, a hint"),
        ({"wts": None}, "", Presentation.UNKNOWN, "no answer"),
    ],
)
def test_the_first_that_can_tell_decides(
    machine: dict[str, Any], name: str, shown: Presentation, decided_by: str
) -> None:
    found = presentation.of_windows(Windows(Recording(**machine)).session(name))
    assert (found.what, decided_by in found.source) == (shown, True), found


def test_sureness_falls_in_the_order_of_asking() -> None:
    machines: list[tuple[dict[str, Any], str]] = [
        ({"wts": 1}, ""), ({"wts": 0, "keys": (KEY,)}, ""), ({"wts": 0}, "ICA-tcp#1"), ({"wts": None}, ""),
    ]  # fmt: skip
    sure = [presentation.of_windows(Windows(Recording(**one)).session(name)).confidence for one, name in machines]
    assert sure == sorted(sure, reverse=True)
    assert len(set(sure)) == 4


def test_what_gave_no_answer_says_why() -> None:
    answers = Windows(Recording(wts=None)).session("")
    assert answers.unable == {"wts": "OSError 1702", "citrix": "FileNotFoundError 126"}
    assert answers.registry is False


def test_counters_are_read_by_instance_and_invalid_ones_are_absent() -> None:
    assert layout.counter_values(blocks()["counters"]) == {"1": 15.0, "2": 312.5, "Max": 312.5}


def test_the_time_since_logon_is_windows_own() -> None:
    assert layout.seconds_since_logon(blocks()["session"]) == 30.0
    assert layout.seconds_since_logon(layout.Block(content=bytes(216))) is None


def test_a_text_that_points_elsewhere_is_empty() -> None:
    assert layout.Block(content=b"a\0b\0\0\0", address=64).text(64) == "ab"
    assert layout.Block(content=b"a\0b\0\0\0", address=64).text(0) == ""
    assert layout.Block(content=b"a\0b\0\0\0", address=64).text(4096) == ""


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        (Recording().connection, (62, 130e6, 65e6, "named")),
        (denied, (None, None, None, "not permitted")),
    ],
)
def test_the_connected_card_is_described_without_its_names(
    connection: Callable[[bytes], layout.Block], expected: tuple[object, ...]
) -> None:
    facts = Windows(Recording(connection=connection)).wifi()
    assert facts is not None
    assert (facts.quality_percent, facts.receive_bps, facts.transmit_bps, facts.bssid) == expected
    assert facts.dbm == -67
    assert "Ward" not in repr(facts)


def test_no_connected_card_is_no_wifi() -> None:
    one_that_is_not = layout.Block(content=b"\x01" + blocks()["interfaces"].content[1:])
    assert Windows(Recording(cards=one_that_is_not)).wifi() is None
    assert Windows(Recording(cards=layout.Block(content=bytes(8)))).wifi() is None


def open_citrix(recording: Recording, **settings: Any) -> _OpenCitrix:
    return _OpenCitrix(site="test", component="desk-1", settings=CitrixSettings(**settings), windows=Windows(recording))


def test_a_session_is_sampled_in_seconds_and_in_its_layers() -> None:
    recording = Recording()
    sampler = open_citrix(recording, network="network_core")
    found = {sample.metric: sample for sample in (*sampler.read(), *sampler.read())}
    assert {name: (sample.value, sample.layer) for name, sample in found.items()} == {
        "session.ica.latency": (0.3125, Layer.NETWORK_CORE),
        "session.input.delay": (0.3125, Layer.REMOTE_SESSION),
    }
    assert recording.open_queries == 1
    sampler.close()
    assert recording.open_queries == 0
    assert recording.asked == []


def test_what_the_machine_does_not_count_is_absent_not_0() -> None:
    sampler = open_citrix(Recording(missing=(citrix.LATENCY,)))
    assert [sample.metric for sample in sampler.read()] == ["session.input.delay"]
    assert open_citrix(Recording(missing=(citrix.LATENCY, citrix.INPUT_DELAY))).read() == []


def test_a_round_trip_is_told_once_and_0_is_not_measured() -> None:
    row = {"SessionID": 2, "RoundtripTime": 84, "NetworkLatency": 21, "At": "t1"}
    recording = Recording(round_trips=json.dumps([row, {**row, "SessionID": 5, "RoundtripTime": 900}]))
    sampler = open_citrix(recording, round_trip=True)

    def told() -> list[float]:
        return [sample.value for sample in sampler.read() if sample.metric == "session.ica.roundtrip"]

    assert told() == [0.084]
    assert told() == []
    recording.round_trips = json.dumps([{**row, "RoundtripTime": 0, "At": "t2"}])
    assert told() == []
    recording.round_trips = json.dumps([{**row, "RoundtripTime": 91, "At": "t3"}])
    assert told() == [0.091]
    recording.round_trips = "\r\n"
    assert told() == []
    recording.round_trips = "Get-CimInstance : Invalid namespace"
    with pytest.raises(WhichlayerError, match="did not answer with JSON"):
        told()


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        ({"ICA-tcp#2 (someone)": 9.0, "ICA-tcp#12 (other)": 1.0}, "", 9.0),
        ({"ica-cgp#7": 4.0, "ica-cgp#2": 8.0}, "ICA-CGP#7", 4.0),
        ({"Console": 5.0, "_Total": 6.0}, "", 5.0),
        ({"ICA-tcp#3": 1.0, "ICA-tcp#4": 2.0}, "", None),
        ({}, "Console", None),
    ],
)
def test_only_the_own_session_is_sampled(values: dict[str, float], name: str, expected: float | None) -> None:
    assert own(values, 2, name) == expected


def test_a_missing_agent_of_citrix_is_no_error() -> None:
    assert Windows(Recording(citrix=absent)).session("").citrix is None
