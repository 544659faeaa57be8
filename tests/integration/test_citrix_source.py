"""Citrix Monitor by OData, against a double: it follows what Citrix documents, and nothing here ever met a real one."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from collector import secret, sources
from collector.model.catalogue import CATALOGUE
from collector.model.errors import ConfigError, SourceError
from collector.model.facts import Facts
from collector.model.layer import Layer
from collector.model.session import EndCause, SessionEventKind
from collector.plugin import load
from collector.source import ResumingSource, Source
from collector.sources.citrix.plugin import OpenCitrix
from tests.doubles import monitor as double
from tests.doubles.monitor import Fault, Monitor
from tests.doubles.monitor_rows import CANARIES, T0, at, connection, failure, metric, places, session

pytestmark = pytest.mark.integration
PASSWORD = "canary-password"
_OPEN: list[OpenCitrix] = []


@pytest.fixture
def monitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Monitor]:
    users = tmp_path / "users"
    users.write_text(f"CORP:watcher:{PASSWORD}\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(users))
    monkeypatch.setenv("CITRIX", PASSWORD)
    monkeypatch.setenv("CITRIX_CLOUD", double.SECRET)
    with double.serving() as served:
        served.sets = places()
        yield served
        while _OPEN:
            _OPEN.pop().close()
    secret._known.clear()


class Clock:
    """The collector's clock, which a test sets."""

    def __init__(self) -> None:
        self.now = T0 + timedelta(seconds=30)

    def __call__(self) -> datetime:
        return self.now

    def at(self, seconds: float) -> None:
        self.now = T0 + timedelta(seconds=seconds)


def opened(monitor: Monitor, clock: Clock, **more: Any) -> OpenCitrix:
    settings = {"url": monitor.url + double.ON_PREMISES, "user": "CORP\\watcher", "password": "env:CITRIX"}
    source = load(sources, "citrix", Source).open(site="s", component="citrix-1", settings=settings | more)
    assert isinstance(source, OpenCitrix)
    assert isinstance(source, ResumingSource)
    source.clock = clock
    _OPEN.append(source)
    return source


def cloud(monitor: Monitor, clock: Clock, **more: Any) -> OpenCitrix:
    given = {"customer": "acme", "client": double.CLIENT, "secret": "env:CITRIX_CLOUD", "password": None, "user": None}
    trade = monitor.url + double.TRADE
    return opened(monitor, clock, **{"url": monitor.url + double.CLOUD, **given, "token_url": trade, **more})


def taken(source: OpenCitrix) -> Facts:
    """Read, as the clockwork does, and say that it is kept."""
    facts = source.read()
    source.kept()
    return facts


def seconds(facts: Facts) -> dict[str, float]:
    return {sample.metric: sample.value for sample in facts.samples if sample.metric != "session.failures"}


@pytest.mark.parametrize("offers", ["NTLM", "Negotiate", "Negotiate, NTLM"])
def test_a_logon_is_split_into_its_parts_in_seconds_each_at_its_layer(monitor: Monitor, offers: str) -> None:
    monitor.offers = offers
    monitor.put("Sessions", "SessionKey", session(1, LogOnDuration=20500))
    monitor.put("Connections", "Id", connection(1))
    facts = taken(opened(monitor, Clock(), since=60))
    assert seconds(facts) == pytest.approx(
        {
            "session.logon.duration": 20.5,
            "session.logon.brokering": 1.25,
            "session.logon.authentication": 0.4,
            "session.logon.hdx": 1.5,
            "session.logon.policies": 6.5,
            "session.logon.scripts": 1.5,
            "session.logon.profile": 3.0,
            "session.logon.interactive": 5.0,
        }
    )
    for sample in facts.samples:
        assert sample.layer is CATALOGUE[sample.metric].layer
        if sample.metric != "session.failures":
            assert (sample.site, sample.component, sample.labels["group"]) == ("s", "vda-01", "social-care")
    assert next(one.layer for one in facts.samples if one.metric == "session.logon.profile") is Layer.STORAGE


def test_round_trip_and_latency_are_both_kept(monitor: Monitor) -> None:
    monitor.put("Sessions", "SessionKey", session(1))
    monitor.put("SessionMetrics", "Id", metric(7, 1, collected=50, modified=60))
    monitor.put("SessionMetrics", "Id", metric(8, 1, collected=51, modified=61, IcaRttMS=None, IcaLatency=None))
    facts = taken(opened(monitor, Clock()))
    assert seconds(facts) == {"session.ica.roundtrip": 0.084, "session.ica.latency": 0.031}
    assert {sample.at for sample in facts.samples} == {T0 + timedelta(seconds=50)}


def test_a_session_is_told_when_it_starts_and_when_it_ends_and_no_row_twice(monitor: Monitor) -> None:
    clock = Clock()
    source = opened(monitor, clock)
    monitor.put("Sessions", "SessionKey", session(1, modified=60))
    (started,) = taken(source).sessions
    assert (started.kind, started.at, started.endpoint) == (SessionEventKind.STARTED, T0, "vda-01")
    assert not started.synthetic
    clock.at(90)
    assert not taken(source)
    monitor.put("Sessions", "SessionKey", session(1, modified=5000, EndDate=at(4990), ConnectionState=3))
    clock.at(5010)
    facts = taken(source)
    (ended,) = facts.sessions
    assert (ended.kind, ended.cause, ended.open_seconds) == (SessionEventKind.ENDED, EndCause.USER, 4990.0)
    assert ended.session_id == started.session_id
    monitor.put("Sessions", "SessionKey", session(1, modified=5020, EndDate=at(4990), ConnectionState=3))
    clock.at(5030)
    assert not taken(source)


@pytest.mark.parametrize(
    ("more", "cause", "detail"),
    [
        ({}, EndCause.USER, "logged off while connected, exit code 1"),
        ({"CurrentConnection": {"DisconnectCode": 3, "DisconnectDate": at(898)}}, EndCause.USER, "logged off"),
        ({"CurrentConnection": {"DisconnectCode": 3, "DisconnectDate": at(300)}}, EndCause.UNKNOWN, "600 s after.*e 3"),
        ({"CurrentConnection": None}, EndCause.UNKNOWN, "nobody was connected"),
        ({"Failure": {"ConnectionFailureEnumValue": 23}}, EndCause.HOST, r"CommunicationError \(23\)"),
        ({"Failure": {"ConnectionFailureEnumValue": 9}}, EndCause.ADMIN, "MaintenanceMode"),
        ({"Failure": {"ConnectionFailureEnumValue": 7}}, EndCause.UNKNOWN, r"\(7\)"),
    ],
)  # fmt: skip
def test_why_a_session_ended_is_said_only_where_it_is_documented(
    monitor: Monitor, more: dict[str, Any], cause: EndCause, detail: str
) -> None:
    monitor.put("Sessions", "SessionKey", session(1, modified=901, EndDate=at(900), **more))
    ended = taken(opened(monitor, Clock())).sessions[-1]
    assert ended.cause is cause
    assert ended.detail is not None
    assert re.search(detail, ended.detail)


def test_a_session_that_never_came_to_be_is_a_failure_and_no_session(monitor: Monitor) -> None:
    clock = Clock()
    monitor.put("Sessions", "SessionKey", session(1, FailureDate=at(5), FailureId=4, EndDate=at(6)))
    monitor.sets["ConnectionFailureLogs"] = [failure(1, failed=5), failure(2, failed=299), failure(3, failed=301)]
    source = opened(monitor, clock)
    assert not taken(source)
    clock.at(650)  # the first period of five minutes is over, and five more for Citrix to write it up
    facts = taken(source)
    assert not facts.sessions
    counted = {((one.at - T0).total_seconds(), one.component): one.value * 300 for one in facts.samples}
    assert counted == {(0, "social-care"): 0, (0, "finance"): 0, (300, "social-care"): 2, (300, "finance"): 0}
    assert not taken(source)


def test_a_logon_gains_its_parts_and_a_session_is_taken_up_again(monitor: Monitor) -> None:
    clock = Clock()
    source = opened(monitor, clock)
    monitor.put("Sessions", "SessionKey", session(1))
    monitor.put("Connections", "Id", connection(1, InteractiveEndDate=None, ProfileLoadEndDate=None))
    assert "session.logon.profile" not in seconds(taken(source))
    monitor.put("Connections", "Id", connection(1, modified=70))
    assert set(seconds(taken(source))) == {"session.logon.profile", "session.logon.interactive"}
    again = connection(2, began=600, modified=605, IsReconnect=True, SessionKey=session(1)["SessionKey"])
    monitor.put("Connections", "Id", again)
    clock.at(610)
    facts = taken(source)
    assert [(one.kind, one.open_seconds) for one in facts.sessions] == [(SessionEventKind.RECONNECTED, 602.0)]
    assert all(one.labels.get("reconnect") == "yes" for one in facts.samples if one.component == "vda-01")


def test_pages_are_followed_behind_a_balancer_and_a_late_row_is_found(monitor: Monitor) -> None:
    clock, monitor.page = Clock(), 10
    for number in range(35):
        monitor.put("SessionMetrics", "Id", metric(number, 1, collected=number, modified=40 + number))
    source = opened(monitor, clock)
    assert len(taken(source).samples) == 70
    assert sum("/SessionMetrics" in one for one in monitor.asked) == 4
    clock.at(100)
    monitor.put("SessionMetrics", "Id", metric(99, 1, collected=20, modified=30))  # written after later ones
    assert len(taken(source).samples) == 2
    assert not taken(source)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault("SessionMetrics", 500, skip=20), r"cannot give SessionMetrics now \(500\)"),
        (Fault("SessionMetrics", 429, skip=10, headers={"Retry-After": "7"}), "asked too often .*wait 7 s"),
        (Fault("SessionMetrics", 200, skip=10, body=b"<html>"), "not JSON"),
        (Fault("SessionMetrics", 200, skip=10, body=b'{"error": {}}'), "no page of OData"),
        (Fault("SessionMetrics", 200, skip=10, body=b'{"value": [{"Id": 1}]}'), "no ModifiedDate"),
        (Fault("SessionMetrics", 200, wait=1.5, body=b"{}"), "in time"),
    ],
)
def test_what_fails_between_pages_is_told_and_nothing_is_lost(monitor: Monitor, fault: Fault, message: str) -> None:
    monitor.page = 10
    for number in range(35):
        monitor.put("SessionMetrics", "Id", metric(number, 1, collected=number, modified=40 + number))
    monitor.faults = [fault]
    source = opened(monitor, Clock(), timeout=1)
    with pytest.raises(SourceError, match=message) as caught:
        source.read()
    assert not caught.value.permanent
    assert len(taken(source).samples) == 70


def test_who_is_refused_never_asks_again_and_no_password_is_told(monitor: Monitor, monkeypatch: Any) -> None:
    monkeypatch.setenv("CITRIX", "canary-wrong")
    with pytest.raises(SourceError, match="read-only administrator") as caught:
        opened(monitor, Clock()).read()
    assert caught.value.permanent
    assert "canary" not in str(caught.value)
    monkeypatch.setenv("CITRIX", PASSWORD)
    with pytest.raises(SourceError, match="url must end in") as caught:
        opened(monitor, Clock(), url=f"{monitor.url}/Director").read()
    assert caught.value.permanent


def test_the_cloud_gives_a_token_and_a_refused_one_is_traded_again(monitor: Monitor) -> None:
    source = cloud(monitor, Clock())
    monitor.put("Sessions", "SessionKey", session(1))
    assert len(taken(source).sessions) == 1
    assert len(monitor.tokens) == 1
    monitor.tokens.append("ended early")
    assert not taken(source)
    assert len(monitor.tokens) == 3
    assert secret.hide(f"Bearer {monitor.tokens[2]}") == "Bearer •••"


def test_the_cloud_refuses_a_wrong_secret_for_good(monitor: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITRIX_CLOUD", "canary-wrong")
    with pytest.raises(SourceError, match="check customer, client and secret") as caught:
        cloud(monitor, Clock()).read()
    assert caught.value.permanent
    assert "canary" not in str(caught.value)


def test_no_name_of_a_person_or_client_comes_through(monitor: Monitor, tmp_path: Path) -> None:
    monitor.put("Sessions", "SessionKey", session(1, LogOnDuration=20500, EndDate=at(50)))
    monitor.put("Connections", "Id", connection(1))
    data = tmp_path / "data"
    with capture_logs() as logs:
        source = opened(monitor, Clock())
        source.resume(data)
        facts = source.read()
    kept = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    for canary in (*CANARIES, PASSWORD, session(1)["SessionKey"]):
        assert canary not in repr(facts)
        assert canary not in repr(logs)
        assert canary.encode() not in kept
    assert (data / "pseudonym.key").stat().st_mode & 0o777 == 0o600
    client = next(one.labels["client"] for one in facts.samples if "client" in one.labels)
    other = opened(monitor, Clock())
    other.resume(tmp_path / "another-site")
    assert client not in repr(other.read())
    plain = opened(monitor, Clock(), names=True)
    assert {"canary-user", "canary-pc"} <= {label for one in plain.read().samples for label in one.labels.values()}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"password": None}, "needs user and password"),
        ({"customer": "acme"}, "needs user and password"),
        ({"url": "no address"}, "url"),
        ({"colour": 1}, "colour: is not a known key"),
    ],
)
def test_wrong_settings_are_refused_when_it_is_opened(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        opened(Monitor(url="http://localhost"), Clock(), **more)
