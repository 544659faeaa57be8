"""The logon check against a real directory: every way it can end, and no secret anywhere."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme

from collector.model.errors import ConfigError, SecretError, WhichlayerError
from collector.model.layer import Layer
from collector.model.sample import Sample
from probes.account import Accounts
from probes.agent.plan import Plan, make
from probes.agent.sheet import describe
from probes.agent.sign_in import SignIns
from probes.sampler import SignedIn
from probes.samplers.directory import PLUGIN
from tests.sites import directory, raw
from tests.sites.directory import ENTRY, PASSWORD, USER, Running
from whichlayer.settings import agent_of, places

pytestmark = pytest.mark.integration

RIGHT = {"user": USER, "password": PASSWORD}
WRONG = {**RIGHT, "password": "canary-5520-wrong"}
AT_LEAST = {"censored": "at_least"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Running]:
    with directory.serving(tmp_path_factory.mktemp("directory"), authority) as running:
        yield running


def logon(url: str, secrets: Mapping[str, str] = RIGHT, **settings: Any) -> SignedIn:
    sampler = PLUGIN.open(site="test", component="dc-1", settings={"url": url, "entry": ENTRY, **settings})
    return sampler.sign_in(secrets)


def told(samples: SignedIn) -> dict[str, tuple[float, Mapping[str, str]]]:
    return {one.metric: (one.value, one.labels) for one in samples.samples}


@pytest.mark.parametrize("door", ["ldaps", "ldap"])
def test_a_logon_and_a_search_are_timed_over_tls_and_over_starttls(server: Running, ca_file: Path, door: str) -> None:
    port = server.tls if door == "ldaps" else server.plain
    found = logon(f"{door}://localhost:{port}", ca_file=ca_file)
    values = told(found)
    assert found.authenticated is True
    assert 0 < values["directory.search.duration"][0] < values["directory.logon.duration"][0] < 5
    assert (values["directory.logon.refused"], values["probe.failed"]) == ((0.0, {}), (0.0, {}))
    assert {one.layer for one in found.samples} == {Layer.IDENTITY}


def test_a_wrong_password_is_an_answer_of_the_directory_and_no_time(server: Running, ca_file: Path) -> None:
    found = logon(f"ldaps://localhost:{server.tls}", WRONG, ca_file=ca_file)
    assert found.authenticated is False
    assert told(found) == {"directory.logon.refused": (1.0, {"why": "password"}), "probe.failed": (0.0, {})}


def test_a_directory_that_hangs_is_at_least(server: Running, ca_file: Path) -> None:
    with server.hang():
        found = logon(f"ldaps://localhost:{server.tls}", ca_file=ca_file, timeout=0.3)
    values = told(found)
    assert found.authenticated is None, "nothing was learnt of the account"
    assert 0.3 <= values["directory.logon.duration"][0] < 2
    assert values["directory.logon.duration"][1] == AT_LEAST
    assert values["probe.failed"] == (1.0, {"why": "timeout"})


def test_what_fails_is_told_apart_and_is_no_time(server: Running, ca_file: Path, servers: ExitStack) -> None:
    closed = servers.enter_context(raw.serving(lambda wire: wire.close()))
    here = f"ldaps://localhost:{server.tls}"
    given: list[tuple[str, str, dict[str, Any]]] = [
        ("certificate", here, {}),
        ("certificate", here.replace("localhost", "127.0.0.1"), {"ca_file": ca_file}),
        ("ca_file", here, {"ca_file": ca_file.with_name("none.pem")}),
        ("unreachable", "ldaps://localhost:9", {"ca_file": ca_file}),
        ("name", "ldaps://nobody.invalid", {"ca_file": ca_file}),
        ("closed", f"ldap://localhost:{closed}", {"ca_file": ca_file}),
        ("tls", f"ldaps://localhost:{server.plain}", {"ca_file": ca_file}),
    ]
    for why, url, settings in given:
        found = logon(url, **settings)
        assert told(found) == {"probe.failed": (1.0, {"why": why})}, why
        assert found.authenticated is None
        sampler = PLUGIN.open(site="t", component="c", settings={"url": url, "entry": ENTRY, **settings})
        (hindered,) = sampler.hindrances()
        assert url in hindered


def test_an_entry_that_is_not_there_is_told_beside_the_logon(server: Running, ca_file: Path) -> None:
    found = logon(f"ldaps://localhost:{server.tls}", ca_file=ca_file, entry="ou=nobody,dc=council,dc=example")
    assert found.authenticated is True
    assert told(found)["probe.failed"] == (1.0, {"why": "entry"})
    assert "directory.search.duration" not in told(found)


def test_looking_whether_it_could_be_asked_signs_in_nowhere(server: Running, ca_file: Path) -> None:
    settings = {"url": f"ldap://localhost:{server.plain}", "entry": ENTRY, "ca_file": ca_file}
    assert PLUGIN.open(site="t", component="c", settings=settings).hindrances() == []


@pytest.mark.parametrize("url", ["http://dc-1", "ldaps://", "ldaps://me@dc-1", "ldap://dc-1/ou=people"])
def test_an_address_of_nothing_to_ask_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="ldaps://HOST"):
        PLUGIN.open(site="t", component="c", settings={"url": url, "entry": ENTRY})


def test_no_secret_is_in_a_sample_a_log_or_readable_on_the_wire(
    server: Running,
    ca_file: Path,
    servers: ExitStack,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    heard: list[bytes] = []
    samples: list[Sample] = []
    port = servers.enter_context(raw.serving(raw.relaying(server.plain, heard, heard)))
    with caplog.at_level(logging.DEBUG):
        for secrets in (RIGHT, WRONG):
            samples += logon(f"ldap://localhost:{port}", secrets, ca_file=ca_file).samples
    printed = capfd.readouterr()
    left = repr(samples) + caplog.text + printed.out + printed.err + b"".join(heard).decode("latin-1")
    assert "canary" not in left
    assert USER not in left
    assert b"1.3.6.1.4.1.1466.20037" in b"".join(heard), "StartTLS was asked for, so this is the right wire"


def test_one_logon_keeps_to_its_stated_bytes(server: Running, ca_file: Path, servers: ExitStack) -> None:
    sent: list[bytes] = []
    got: list[bytes] = []
    port = servers.enter_context(raw.serving(raw.relaying(server.plain, sent, got)))
    assert logon(f"ldap://localhost:{port}", ca_file=ca_file).authenticated
    assert sum(map(len, sent)) <= PLUGIN.cost.sent_bytes
    assert sum(map(len, got)) <= PLUGIN.cost.received_bytes


PLAN = """\
site: test
agent:
  endpoint: desk-1
  samplers:
    - sampler: directory
      component: dc-1
      every: 60 s
      account: probe-1
      secrets: {{user: env:WL_USER, password: env:WL_PASSWORD}}
      settings: {{url: "ldap://localhost:{port}", entry: "{entry}", ca_file: {ca_file}}}
"""


def planned(folder: Path, port: int, ca_file: Path) -> tuple[Plan, SignIns]:
    config = folder / "whichlayer.yaml"
    config.write_text(PLAN.format(port=port, entry=ENTRY, ca_file=ca_file))
    _, settings = agent_of(config)
    plan = make("test", settings, folder, places(config).mistake)
    return plan, SignIns(accounts=Accounts(folder / "state" / "accounts", None), folder=folder)


def test_a_wrong_password_is_tried_twice_and_then_no_more_until_a_person_resumes(
    server: Running, ca_file: Path, servers: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    port = servers.enter_context(raw.serving(raw.relaying(server.plain, sent, [])))
    plan, sign_ins = planned(tmp_path, port, ca_file)
    monkeypatch.setenv("WL_USER", USER)
    monkeypatch.setenv("WL_PASSWORD", WRONG["password"])
    (one,) = plan.samplers
    for _ in range(2):
        assert [sample.value for sample in sign_ins.read(*one)] == [1.0, 0.0]
    before = len(sent)
    with pytest.raises(WhichlayerError, match="probe-1 is paused") as caught:
        sign_ins.read(*one)
    assert len(sent) == before, "nothing was sent"
    assert "canary" not in str(caught.value)
    sign_ins.accounts.forget("probe-1")
    monkeypatch.setenv("WL_PASSWORD", PASSWORD)
    assert len(sign_ins.read(*one)) == 4, "a changed password needs no restart"
    monkeypatch.delenv("WL_PASSWORD")
    with pytest.raises(SecretError, match="env:WL_PASSWORD is not set"):
        sign_ins.read(*one)


def test_the_sheet_says_account_address_and_cost(tmp_path: Path, ca_file: Path) -> None:
    plan, _ = planned(tmp_path, 3890, ca_file)
    sheet: Mapping[str, Any] = describe(plan, version="1", python="3")
    account = {"account": "probe-1", "used_by": "directory of dc-1"}
    assert sheet["accounts"] == [
        {**account, "secrets_by_reference": "password from env:WL_PASSWORD, user from env:WL_USER"}
    ]
    (address,) = sheet["connections"]
    assert (address["host"], address["port"], address["scheme"]) == ("localhost", 3890, "ldap")
    (cost,) = sheet["probes"]
    assert (cost["operations_an_hour"], cost["bytes_sent_an_hour"]) == (60 * PLUGIN.cost.operations, 60 * 4000)
    assert next((one.line, one.asked) for one in plan.demands()) == ("logons_per_hour", 60.0)
