"""The HTTP driver against a real application: what it measures, what it refuses, what it never tells."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from collector.model import trace
from collector.model.access import Access, Link, Presentation
from collector.model.run import Outcome, Phase, Run
from probes.drivers.http.plugin import PLUGIN
from probes.journey.file import Journey, parse
from probes.walk import Place, walk
from tests.sites import casebook as casebook_site
from tests.sites.casebook import PASSWORD, Casebook

pytestmark = pytest.mark.integration

TEMPLATES = Path(__file__).parents[2] / "probes" / "journeys"
PLACE = Place(site="council", endpoint="desk-1", access=Access(link=Link.WIRED, presentation=Presentation.LOCAL))
SECRETS = {"username": "probe-user", "password": PASSWORD}


@pytest.fixture
def casebook() -> Iterator[Casebook]:
    with casebook_site.serving(Casebook()) as running:
        yield running


def quick(name: str) -> Journey:
    """Give a template without its pauses."""
    text = (TEMPLATES / name).read_text(encoding="utf-8").replace("think: 200 ms", "think: 0 s")
    return parse(text, TEMPLATES / name)


def day(casebook: Casebook, *, secrets: dict[str, str] = SECRETS, name: str = "case-record.yaml") -> Run:
    return walk(
        quick(name),
        PLUGIN.configured({"proxy": "none"}),
        PLACE,
        slot=datetime.now(UTC),
        secrets=secrets,
        variables={"base_url": casebook.url},
    )


def test_the_template_walks_the_whole_day(casebook: Casebook) -> None:
    run = day(casebook)
    assert [(step.step, step.outcome, step.error) for step in run.steps] == [
        (name, Outcome.OK, None) for name in ("login", "search", "open", "save", "print")
    ]
    assert run.outcome is Outcome.OK
    assert run.facts == {"release": "3.58"}
    assert casebook.notes == {2: [f"probe note {run.run_id}"]}
    assert [step.requests for step in run.steps] == [3, 2, 1, 2, 1]
    assert run.steps[-1].bytes_received is not None
    assert run.steps[-1].bytes_received > 10_000
    assert run.seconds == pytest.approx(sum(step.seconds or 0 for step in run.steps))


def test_the_read_only_template_changes_nothing(casebook: Casebook) -> None:
    run = day(casebook, name="case-record-read-only.yaml")
    assert run.outcome is Outcome.OK
    assert [method for method, path, _ in casebook.seen if method != "GET"] == ["POST"]
    assert casebook.asked("POST", "/login") == 1


def test_phases_that_did_not_happen_are_absent(casebook: Casebook) -> None:
    login, search, *_ = day(casebook).steps
    assert login.connection == "new"
    assert Phase.CONNECT in login.phases
    assert Phase.RESOLVE not in login.phases  # base_url is an address: nothing was resolved
    assert Phase.TLS not in login.phases
    assert search.connection == "reused"
    assert set(search.phases) <= {Phase.PROCESSING, Phase.TRANSFER, Phase.SERVER_APP, Phase.SERVER_DB}
    assert Phase.PROCESSING in search.phases


def test_the_servers_own_account_is_summed_over_the_requests(casebook: Casebook) -> None:
    searched = day(casebook).steps[1]
    assert searched.phases[Phase.SERVER_APP] == pytest.approx(0.007)
    assert searched.phases[Phase.SERVER_DB] == pytest.approx(0.003)


def test_phases_and_uncertainty_account_for_the_whole_step(casebook: Casebook) -> None:
    for step in day(casebook).steps:
        own = sum(seconds for phase, seconds in step.phases.items() if not phase.startswith("server_"))
        assert step.seconds is not None
        assert step.uncertainty_seconds is not None
        assert own <= step.seconds + 1e-9
        assert step.seconds <= own + step.uncertainty_seconds + 1e-9


def test_every_request_carries_the_run_as_its_trace(casebook: Casebook) -> None:
    run = day(casebook)
    parents = [headers["traceparent"].split("-") for _, _, headers in casebook.seen]
    assert {parent[1] for parent in parents} == {run.run_id}
    assert len({parent[2] for parent in parents}) == len(casebook.seen)
    places = [trace.position_of(run.run_id, parent[2]) for parent in parents]
    known = [place for place in places if place is not None]
    assert [sum(place == n for place in known) for n in range(len(run.steps))] == [step.requests for step in run.steps]
    stated = [trace.stated_position(headers.get("tracestate", "")) for _, _, headers in casebook.seen]
    assert stated == places, "reading back what was saved is in no step"
    assert all(headers["user-agent"].startswith("whichlayer/") for _, _, headers in casebook.seen)


def test_a_step_over_its_target_is_slow(casebook: Casebook) -> None:
    text = (TEMPLATES / "case-record-read-only.yaml").read_text(encoding="utf-8").replace("target: 2 s", "target: 0 s")
    run = walk(
        parse(text, Path("x.yaml")),
        PLUGIN,
        PLACE,
        slot=datetime.now(UTC),
        secrets=SECRETS,
        variables={"base_url": casebook.url},
    )
    assert run.outcome is Outcome.SLOW
    assert {step.outcome for step in run.steps} == {Outcome.SLOW}
    assert run.steps[0].target_seconds == 0.0


def test_a_refused_sign_in_stops_the_run_and_is_not_tried_again(casebook: Casebook) -> None:
    run = day(casebook, secrets={**SECRETS, "password": "canary-of-another-kind"})
    assert [step.step for step in run.steps] == ["login"]
    assert run.steps[0].outcome is Outcome.FAILED
    assert run.steps[0].error_kind == "authentication"
    assert casebook.asked("POST", "/login") == 1
    assert casebook.asked("GET", "/cases") == 0


def test_a_sign_in_that_is_asked_for_again_was_refused_whatever_the_page_says(casebook: Casebook) -> None:
    casebook.asks_again = True
    run = day(casebook, secrets={**SECRETS, "password": "canary-of-another-kind"})
    assert run.steps[0].http_status == 200
    assert run.steps[0].error_kind == "authentication"
    assert run.steps[0].error == "the answer contains 'wrong user name or password'"


def test_without_its_secrets_nothing_is_sent(casebook: Casebook) -> None:
    run = day(casebook, secrets={"username": "probe-user"})
    assert run.outcome is Outcome.NOT_READY
    assert "secret password" in (run.steps[0].error or "")
    assert casebook.seen == []


def test_nothing_is_written_unless_the_page_shows_the_safe_record(casebook: Casebook) -> None:
    text = (
        (TEMPLATES / "case-record.yaml")
        .read_text(encoding="utf-8")
        .replace("safe_search: WHICHLAYER", "safe_search: smith")
    )
    text = text.replace("think: 200 ms", "").replace('text: "{safe_record}"', "text: Smith")  # opens the wrong one
    run = walk(
        parse(text, Path("x.yaml")),
        PLUGIN,
        PLACE,
        slot=datetime.now(UTC),
        secrets=SECRETS,
        variables={"base_url": casebook.url},
    )
    assert [step.outcome for step in run.steps] == [Outcome.OK, Outcome.OK, Outcome.OK, Outcome.NOT_READY]
    assert run.outcome is Outcome.NOT_READY
    assert run.steps[3].error_kind == "safe_record"
    assert run.steps[3].seconds is None
    assert "nothing was sent" in (run.steps[3].error or "")
    assert casebook.asked("POST", "/notes") == 0
    assert casebook.asked("GET", "/print") == 0
    assert casebook.notes == {}


def test_a_save_that_saved_nothing_is_a_failure_that_keeps_its_time(casebook: Casebook) -> None:
    casebook.keeps_notes = False
    run = day(casebook)
    save = run.steps[-1]
    assert (save.step, save.outcome, save.error_kind) == ("save", Outcome.FAILED, "not_saved")
    assert save.seconds is not None
    assert save.requests == 2  # reading back is not part of the step


def test_runs_share_no_cookies(casebook: Casebook) -> None:
    day(casebook)
    day(casebook)
    logins = [headers for method, path, headers in casebook.seen if (method, path) == ("GET", "/login")]
    assert len(logins) == 2
    assert all("cookie" not in headers for headers in logins)


@pytest.mark.parametrize("password", [PASSWORD, "canary-5f0b2c-wrong"])
def test_secrets_stay_out_of_everything_a_run_leaves_behind(
    casebook: Casebook, password: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    run = day(casebook, secrets={**SECRETS, "password": password})
    assert casebook.asked("POST", "/login") == 1  # it was sent where it belongs
    left = TypeAdapter(Run).dump_json(run).decode() + repr(run) + caplog.text
    assert "canary" not in left
    assert "probe-user" not in left


def test_a_run_survives_the_wire(casebook: Casebook) -> None:
    run = day(casebook)
    wire = TypeAdapter(Run)
    assert wire.validate_json(wire.dump_json(run)) == run
