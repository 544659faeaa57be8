"""How a step's time is divided: every moment counts once, and belongs to what the page waited for."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model.run import Phase
from probes.drivers.browser import critical_path
from probes.drivers.browser.network import Exchange


def exchange(start: float, end: float, *, url: str = "http://app/", kind: str = "Fetch", **more: object) -> Exchange:
    """Answered half-way, on an open connection."""
    timing = {"requestTime": start, "sendStart": 0.0, "sendEnd": 0.0, "receiveHeadersStart": (end - start) * 500}
    made = Exchange(url=url, kind=kind, priority="High", main=kind == "Document", method="GET", started=start)
    made.timing, made.ended, made.status, made.reused = timing, end, 200, True
    for name, value in more.items():
        setattr(made, name, value)
    return made


def test_time_without_a_request_is_the_browser_s() -> None:
    assert critical_path.phases([], 10.0, 12.0) == {Phase.RENDER: 2.0}


def test_a_request_is_processing_and_transfer_and_the_rest_is_rendering() -> None:
    found = critical_path.phases([exchange(1.0, 3.0)], 0.0, 4.0)
    assert found == {Phase.PROCESSING: 1.0, Phase.TRANSFER: 1.0, Phase.RENDER: 2.0}


def test_requests_at_the_same_time_count_once() -> None:
    found = critical_path.phases([exchange(0.0, 10.0), exchange(5.0, 12.0)], 0.0, 12.0)
    assert math.fsum(found.values()) == pytest.approx(12.0)
    assert Phase.RENDER not in found or found[Phase.RENDER] == 0.0


def test_a_new_connection_has_its_phases() -> None:
    timing = {"requestTime": 0.0, "dnsStart": 0.0, "dnsEnd": 10.0, "connectStart": 10.0, "connectEnd": 70.0}
    timing |= {"sslStart": 40.0, "sslEnd": 70.0, "sendStart": 70.0, "sendEnd": 71.0, "receiveHeadersStart": 121.0}
    found = critical_path.phases([exchange(0.0, 0.15, timing=timing, reused=False)], 0.0, 0.2)
    expected = {Phase.RESOLVE: 0.01, Phase.CONNECT: 0.03, Phase.TLS: 0.03, Phase.PROCESSING: 0.05, Phase.TRANSFER: 0.03}
    assert {phase: pytest.approx(seconds) for phase, seconds in expected.items()} | {
        Phase.RENDER: pytest.approx(0.05)
    } == found


def test_waiting_for_a_connection_that_was_begun_before_is_connecting() -> None:
    timing = {"requestTime": 0.0, "sendStart": 50.0, "sendEnd": 50.0, "receiveHeadersStart": 100.0}
    found = critical_path.phases([exchange(0.0, 0.1, timing=timing, reused=False)], 0.0, 0.1)
    assert found[Phase.CONNECT] == pytest.approx(0.05)


def test_pictures_caches_and_earlier_requests_are_not_waited_for() -> None:
    others = [
        exchange(1.0, 3.0, kind="Image"),
        exchange(1.0, 3.0, cached=True),
        exchange(-1.0, 3.0),
        exchange(1.0, 3.0, kind="Script", priority="Low"),
    ]
    assert critical_path.phases(others, 0.0, 4.0) == {Phase.RENDER: 4.0}


def test_the_identity_provider_s_time_is_one_phase_of_its_own() -> None:
    asked = [exchange(0.0, 1.0), exchange(1.0, 4.0, url="https://id.example/login"), exchange(4.0, 5.0)]
    found = critical_path.phases(asked, 0.0, 5.0, identity=frozenset({"https://id.example:443"}))
    assert found[Phase.IDENTITY] == 3.0
    assert found[Phase.PROCESSING] + found[Phase.TRANSFER] == pytest.approx(2.0)


def test_the_server_s_own_account_counts_for_the_share_that_was_waited_for() -> None:
    said = {"server-timing": "app;dur=300, db;dur=100"}
    found = critical_path.phases([exchange(0.0, 1.0, headers=said)], 0.0, 1.0)
    assert found[Phase.SERVER_APP] == pytest.approx(0.3)
    half = critical_path.phases([exchange(0.0, 1.0, headers=said)], 0.0, 0.25)
    assert half[Phase.SERVER_DB] == pytest.approx(0.05)


TIMES = st.floats(0.0, 10.0).map(lambda value: round(value, 3))


@given(st.lists(st.tuples(TIMES, TIMES), max_size=8), TIMES)
def test_phases_always_add_up_to_the_step(spans: list[tuple[float, float]], length: float) -> None:
    asked = [exchange(min(pair), max(pair)) for pair in spans]
    found = critical_path.phases(asked, 0.0, length)
    assert math.fsum(found.values()) == pytest.approx(length)
    assert min(found.values()) >= 0.0
