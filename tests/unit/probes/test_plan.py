"""A plan is checked whole before anything is walked: names, secrets, samplers, and what it costs."""

from pathlib import Path

import pytest

from collector.model.access import Link
from collector.model.errors import ConfigError
from probes.agent.plan import make
from tests.agents.held import JOURNEY as HELD_JOURNEY
from tests.agents.rig import JOURNEY
from whichlayer.agent import check_plan
from whichlayer.settings import Settings, agent_of, load, places

CANARY = "canary-8841"
PRINTING = """
  - step: print
    action: print
    safe_record: SAFE
    requests: [{{path: /cases/1/print, expect: {{status: 200}}}}]
"""


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WL_USER", "user")
    monkeypatch.setenv("WL_PASSWORD", CANARY)


def write(folder: Path, agent: str, *, journey: str = JOURNEY) -> Path:
    (folder / "cases.yaml").write_text(journey.format(url="http://127.0.0.1:9"))
    config = folder / "whichlayer.yaml"
    config.write_text(f"site: test\nagent:\n{agent}")
    return config


def mistakes(config: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        check_plan(config)
    assert CANARY not in str(caught.value)
    return [str(mistake).removeprefix(f"{config}:") for mistake in caught.value.mistakes]


ENTRY = """\
  endpoint: desk-1
  journeys:
    - file: cases.yaml
      every: {every}
      account: probe-1
      secrets: {{username: env:WL_USER, password: env:WL_PASSWORD}}
"""


def test_a_right_plan_says_what_it_costs(tmp_path: Path) -> None:
    config = write(tmp_path, ENTRY.format(every="5 min") + "  budget: {endpoints: 3, logons_per_hour: 36}\n")
    costs = {demand.line: (demand.asked, demand.allowed) for demand in check_plan(config)}
    assert costs == {
        "logons_per_hour": (36.0, 36.0),
        "writes_per_hour": (0.0, 0.0),
        "pages_per_day": (0.0, 0.0),
        "concurrent_licences": (3.0, 4.0),
    }


def test_what_exceeds_the_budget_is_refused_at_its_line_with_the_sum(tmp_path: Path) -> None:
    config = write(
        tmp_path, ENTRY.format(every="10 s") + "  budget:\n    concurrent_licences: 1\n    logons_per_hour: 100\n"
    )
    assert mistakes(config) == [
        "11:5 agent: budget.logons_per_hour: the plan asks 360, 100 are allowed: cases every 10 s = 360 runs × 1"
    ]


def test_printing_and_writing_need_a_declared_budget(tmp_path: Path) -> None:
    text = JOURNEY + PRINTING + PRINTING.replace("print\n", "save\n", 1).replace("action: print", "action: write")
    text = text.replace("/cases/1/print, expect", "/cases/1/notes, method: POST, expect")
    assert text.count("action: ") == 2
    config = write(tmp_path, ENTRY.format(every="1 h"), journey=text)
    found = mistakes(config)
    assert [line.split(" the plan")[0].split("agent: ")[1] for line in found] == [
        "budget.writes_per_hour:",
        "budget.pages_per_day:",
    ]
    assert "asks 24, 0 are allowed: cases every 3600 s = 24 runs × 1" in found[1]


def test_every_mistake_at_once_with_its_place(tmp_path: Path) -> None:
    config = write(
        tmp_path,
        "  endpoint: desk-1\n"
        "  journeys:\n"
        "    - file: cases.yaml\n"
        "      secrets: {username: env:WL_NOT_SET, pasword: env:WL_PASSWORD}\n"
        "      variables: {base: x}\n"
        "    - file: gone.yaml\n"
        "    - file: cases.yaml\n"
        "      driver: telepathy\n"
        "  samplers:\n"
        "    - {sampler: crystal-ball, component: a}\n"
        "    - sampler: volume\n"
        "      component: b\n"
        "      settings:\n"
        "        folder: x\n",
    )
    found = mistakes(config)
    places = {line.split(" ")[0] for line in found}
    text = "\n".join(found)
    assert places >= {"5:7", "6:7", "7:7", "10:7", "16:9"}
    assert "journeys.0.variables: the journey has no base: it has base_url" in text
    assert "journeys.0.secrets: the journey has no pasword: it has password, username" in text
    assert "journeys.0.account: is missing: cases signs in" in text
    assert "secret password of cases has no value" in text
    assert "gone.yaml:1:1 there is no such file" in text
    assert "10:7 agent: journeys.2.driver: 'telepathy' is not one of" in text
    assert "12:8 agent: samplers.0.sampler: 'crystal-ball' is not one of" in text
    assert "16:9 agent: samplers.1.settings.folder: is not a known key" in text
    assert "samplers.1.settings.directory: is missing" in text


def test_a_secret_that_cannot_be_resolved_is_found_by_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WL_PASSWORD")
    found = mistakes(write(tmp_path, ENTRY.format(every="5 min")))
    assert [line.split(" agent")[0] for line in found] == ["8:7"]
    assert "env:WL_PASSWORD is not set" in found[0]


def test_a_header_that_cannot_be_resolved_is_found_by_check(tmp_path: Path) -> None:
    telemetry = f"  telemetry: {{endpoint: 'http://127.0.0.1:9', headers: {{api-key: {CANARY}}}}}\n"
    (found,) = mistakes(write(tmp_path, ENTRY.format(every="5 min") + telemetry))
    assert found.startswith("9:")
    assert "telemetry.headers.api-key: a secret is given by reference" in found


def test_reading_back_has_its_own_time_in_the_lease(tmp_path: Path) -> None:
    saving = """
  - step: save
    action: write
    safe_record: SAFE
    timeout: 40 s
    requests: [{{path: /cases/1}}]
    verify_saved: {{path: /cases/1, marker: "note {{{{run_id}}}}"}}
"""
    without = longest(tmp_path, JOURNEY + saving.replace("    verify_saved", "    # verify_saved"))
    assert longest(tmp_path, JOURNEY + saving) - without == 40.0


def longest(folder: Path, journey: str) -> float:
    budget = "  budget: {writes_per_hour: 12}\n"
    config = write(folder, ENTRY.format(every="5 min") + budget, journey=journey)
    settings = load(config)
    assert settings.agent is not None
    (planned,) = make("test", settings.agent, folder, places(config).mistake).walks
    return planned.longest_seconds


@pytest.mark.parametrize("every", [".inf", ".nan", "yes", "true", "-5 s"])
def test_an_interval_is_a_finite_duration(tmp_path: Path, every: str) -> None:
    (found,) = mistakes(write(tmp_path, ENTRY.format(every=every)))
    assert found.startswith("6:7 agent.journeys.0.every: ")
    assert "duration" in found


def test_an_agent_may_only_sample(tmp_path: Path) -> None:
    config = write(tmp_path, "  endpoint: app-server\n  samplers: [{sampler: host, component: app-1}]\n")
    assert {demand.asked for demand in check_plan(config)} == {0.0}


def test_paths_are_relative_to_the_file_not_to_where_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write(tmp_path, ENTRY.format(every="5 min") + "  collector: {url: 'https://c.example', ca_file: ca.pem}\n")
    monkeypatch.chdir("/")
    _, agent = agent_of(config)
    assert agent.state == tmp_path / "whichlayer-agent"
    assert agent.journeys[0].file == tmp_path / "cases.yaml"
    assert agent.collector is not None
    assert agent.collector.ca_file == tmp_path / "ca.pem"


def test_only_the_site_is_required(tmp_path: Path) -> None:
    config = tmp_path / "whichlayer.yaml"
    config.write_text("site: council-a\n")
    assert load(config).model_dump(exclude={"collector"}) == Settings(site="council-a").model_dump(
        exclude={"collector"}
    )
    with pytest.raises(ConfigError, match=r"whichlayer\.yaml:1:1 has no agent section"):
        agent_of(config)


@pytest.mark.parametrize("line", ["endpoint: Desk 1", "environment: LIVE!", "state: 7"])
def test_names_that_would_not_survive_are_refused(tmp_path: Path, line: str) -> None:
    config = tmp_path / "whichlayer.yaml"
    config.write_text(f"site: test\nagent:\n  {line}\n")
    with pytest.raises(ConfigError):
        load(config)


def test_labels_of_access_are_words_of_the_model(tmp_path: Path) -> None:
    config = write(tmp_path, "  endpoint: desk-1\n  access: {link: wifi}\n")
    assert agent_of(config)[1].access.link is Link.WIFI
    config.write_text(config.read_text().replace("wifi", "carrier-pigeon"))
    with pytest.raises(ConfigError, match=r"4:12 agent\.access\.link"):
        load(config)


HELD = """\
  endpoint: desk-1
  sessions:
    - file: held.yaml
      account: {account}
      active: {active}
      secrets: {{username: env:WL_USER, password: env:WL_PASSWORD}}
      variables: {{base_url: "http://127.0.0.1:9"}}
      sentinel: {{safe_record: {safe}, open: open, save: {save}, every: 10 min}}
"""


def held(folder: Path, more: str = "", **given: str) -> Path:
    chosen = {"account": "probe-held", "active": "look", "safe": "WHICHLAYER SAFE RECORD", "save": "save"} | given
    (folder / "held.yaml").write_text(HELD_JOURNEY)
    return write(folder, HELD.format(**chosen) + more)


def test_a_session_held_open_counts_for_log_ons_writes_and_licences(tmp_path: Path) -> None:
    config = held(tmp_path, "  budget: {endpoints: 2, writes_per_hour: 24}\n")
    costs = {demand.line: demand.asked for demand in check_plan(config)}
    assert costs == {"logons_per_hour": 24.0, "writes_per_hour": 24.0, "pages_per_day": 0.0, "concurrent_licences": 2.0}
    assert mistakes(held(tmp_path)) == [
        "2:1 agent: budget.writes_per_hour: the plan asks 12, 0 are allowed: sentinel of held = at most 12 × 1"
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"safe": "Another record"}, "sentinel.save: save does not act on this safe record"),
        ({"save": "draft"}, "sentinel.save: draft needs verify_saved: what was never saved would count as lost"),
        ({"save": "look"}, "sentinel.save: look is no step with action: write"),
        ({"active": "save"}, "active: save acts: a step that is repeated all day may only read"),
        ({"active": "login"}, "active: held has no step login after the log-on: it has look, open, save, draft"),
        ({"safe": "''"}, "sentinel.safe_record: "),
    ],
)
def test_a_sentinel_without_its_safe_record_is_refused(tmp_path: Path, given: dict[str, str], words: str) -> None:
    found = mistakes(held(tmp_path, "  budget: {writes_per_hour: 24}\n", **given))
    assert any(words in line for line in found), found


def test_an_account_is_held_by_one_session_and_used_by_nothing_else(tmp_path: Path) -> None:
    config = held(tmp_path, ENTRY.format(every="1 h").split("\n", 1)[1].replace("probe-1", "probe-held"))
    found = mistakes(config)
    assert "account: probe-held is held all day by this session, so nothing else can use it" in found[-1] + found[0]


SAMPLERS = """\
  endpoint: desk-1
  samplers:
    - {sampler: directory, component: dc-1, every: 10 s, settings: {url: "ldaps://dc-1", entry: "dc=example"}}
    - {sampler: resolve, component: dns, every: 1 s, account: probe-1, settings: {name: a.example}}
    - sampler: directory
      component: dc-2
      every: 60 s
      account: probe-1
      secrets: {user: env:WL_USER, password: env:WL_NOWHERE}
      settings: {url: "ldaps://dc-1", entry: "dc=example"}
"""


def test_a_sampler_that_signs_in_needs_account_and_secrets_and_no_probe_costs_more_than_it_may(tmp_path: Path) -> None:
    found = mistakes(write(tmp_path, SAMPLERS))
    told = [line.split("agent: ")[1] for line in found]
    logons = "resolve of dns every 1 s = 3600 logons + directory of dc-2 every 60 s = 60 logons"
    assert told == [
        "samplers.0.account: is missing: directory signs in, so name its account (never the password)",
        "samplers.0.secrets: directory needs user, password, each as a reference",
        "samplers.0.every: directory would ask up to 4320 operations an hour, 720 are allowed: write 60 s or more",
        "samplers.1.account: resolve signs in nowhere: leave it out",
        "samplers.1.every: resolve would ask up to 7200 operations an hour, 1440 are allowed: write 5 s or more",
        "samplers.2.secrets: the secret env:WL_NOWHERE is not set: export WL_NOWHERE before you start",
        f"budget.logons_per_hour: the plan asks 3660, 60 are allowed: {logons}",
    ]
    assert found[2].startswith("5:45 "), found[2]
