"""The doors for facts: what is kept, what is refused, and how it is said."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from collector.stores.memory import MemoryStore
from tests.doors.knock import Collector, collector, run, runs


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Collector]:
    with collector(tmp_path) as running:
        yield running


def test_a_batch_is_kept_once(here: Collector) -> None:
    assert here.send("/v1/runs", runs(17)).status_code == 204
    assert here.send("/v1/runs", runs(17)).status_code == 204
    assert [row["run_id"] for row in here.rows("runs")] == [f"{17:032x}"]
    assert [row["seconds"] for row in here.rows("steps")] == [0.84]


def test_an_agent_speaks_for_its_own_endpoint_only(here: Collector) -> None:
    other = runs(18)
    other["runs"][0]["endpoint"] = "ward-9-pc"
    refused = here.send("/v1/runs", other)
    assert (refused.status_code, refused.json()["field"]) == (422, "runs.0.endpoint")
    assert here.rows("runs") == []


def test_samples_and_sessions_are_kept(here: Collector) -> None:
    sample: dict[str, Any] = {"site": "s", "component": "app-1", "layer": "app_server", "metric": "system.paging.in"}
    sample |= {"at": "2026-11-23T08:59:00+01:00", "value": 5.0}
    event: dict[str, Any] = {
        "session_id": "x",
        "site": "s",
        "endpoint": "ward-3-pc",
        "access": {"link": "wired", "presentation": "citrix"},
    }
    event |= {"at": "2026-11-23T08:59:00Z", "kind": "ended", "open_seconds": 9.0, "cause": "network"}
    assert here.send("/v1/samples", {"sequence": 1, "samples": [sample]}).status_code == 204
    assert here.send("/v1/sessions", {"sequence": 2, "sessions": [event]}).status_code == 204
    assert here.rows("samples")[0]["at"].isoformat() == "2026-11-23T07:59:00"
    assert here.rows("sessions")[0]["cause"] == "network"


def test_changes_go_to_the_registry_once(here: Collector) -> None:
    change = {"change_id": "c1", "site": "s", "what": "w", "layer": "storage", "start": "2026-11-20T00:00:00Z"}
    change |= {"declared_by": "p", "declared_at": "2026-11-20T00:00:00Z"}
    for _ in range(2):
        assert here.send("/v1/changes", {"sequence": 3, "changes": [change]}).status_code == 204
    listed = here.client.get("/v1/changes", headers=here.as_operator()).json()
    assert [found["change_id"] for found in listed] == ["c1"]


def test_an_agent_cannot_replace_a_change(here: Collector) -> None:
    change = {"change_id": "c1", "site": "s", "what": "w", "layer": "storage", "start": "2026-11-20T00:00:00Z"}
    change |= {"declared_by": "p", "declared_at": "2026-11-20T00:00:00Z"}
    assert here.send("/v1/changes", {"sequence": 1, "changes": [change]}).status_code == 204
    assert here.send("/v1/changes", {"sequence": 2, "changes": [change]}).status_code == 204
    other = {"sequence": 3, "changes": [change | {"what": "another"}]}
    refused = here.send("/v1/changes", other)
    assert (refused.status_code, refused.json()["field"]) == (422, "changes.0.change_id")
    assert here.client.post("/v1/changes", json=other, headers=here.as_operator()).status_code == 204
    listed = here.client.get("/v1/changes", headers=here.as_operator()).json()
    assert [found["what"] for found in listed] == ["another"]


DOORS = [("POST", "/v1/runs"), ("POST", "/v1/samples"), ("POST", "/v1/sessions"), ("POST", "/v1/changes")]
DOORS += [("POST", "/v1/metrics"), ("GET", "/v1/agents"), ("GET", "/v1/changes"), ("GET", "/v1/verdicts")]
DOORS += [("POST", "/v1/accounts/a/lease"), ("POST", "/v1/invitations"), ("POST", "/v1/registry/agents")]
DOORS += [("GET", "/v1/accounts"), ("GET", "/metrics"), ("DELETE", "/v1/agents/a"), ("PUT", "/v1/verdicts")]


@pytest.mark.parametrize(("method", "door"), DOORS)
def test_nothing_without_a_known_token(here: Collector, method: str, door: str) -> None:
    for header in (b"", b"Bearer unknown", b"Bearer ", b"Basic dTpw", "Bearer ü".encode()):
        headers = {b"Content-Type": b"application/json", b"Authorization": header}
        answer = here.client.request(method, door, content=b"{}", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert "token" in answer.json()["detail"]


OPERATORS: list[tuple[str, str, Any]] = [
    ("GET", "/v1/agents", None),
    ("POST", "/v1/invitations", {"endpoint": "x"}),
    ("GET", "/v1/verdicts", None),
]
OPERATORS += [("POST", "/v1/registry/agents", {}), ("POST", "/v1/accounts/a/resume", None), ("PUT", "/v1/verdicts", [])]
OPERATORS += [("GET", "/v1/changes", None), ("GET", "/v1/standing", None), ("DELETE", "/v1/agents/x", None)]


@pytest.mark.parametrize(("method", "door", "body"), OPERATORS)
def test_an_agent_is_no_operator(here: Collector, method: str, door: str, body: Any) -> None:
    answer = here.client.request(method, door, json=body, headers=here.as_agent())
    assert (answer.status_code, answer.json()["status"]) == (403, 403)


def test_a_revoked_token_is_refused_at_once(here: Collector) -> None:
    assert here.send("/v1/runs", runs(1)).status_code == 204
    door = f"/v1/agents/{here.agent.agent_id}"
    assert here.client.delete(door, headers=here.as_operator()).status_code == 204
    assert here.send("/v1/runs", runs(2)).status_code == 401
    assert here.client.delete("/v1/agents/unknown", headers=here.as_operator()).status_code == 404


def test_a_skewed_clock_is_kept_and_flagged(here: Collector) -> None:
    future = run(slot="2027-11-23T08:59:00Z", started_at="2027-11-23T08:59:04Z")
    body = {"sequence": 1, "sent_at": "2027-11-23T09:00:00Z", "runs": [future]}
    assert here.send("/v1/runs", body).status_code == 204
    assert here.rows("runs")[0]["skew_seconds"] == 365 * 86400
    agents = here.client.get("/v1/agents", headers=here.as_operator()).json()
    assert 365 * 86400 in [agent["skew_seconds"] for agent in agents]
    page = here.client.get("/metrics", headers=here.as_operator()).text
    assert "whichlayer_rows_in_the_future_total 2.0" in page


def test_without_room_nothing_is_kept(tmp_path: Path) -> None:
    with collector(tmp_path, store=MemoryStore(limit_bytes=10)) as here:
        answer = here.send("/v1/runs", runs(1))
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert here.rows("runs") == []


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/nothing", 404), ("PATCH", "/v1/runs", 405)])
def test_every_error_is_a_problem(here: Collector, method: str, path: str, status: int) -> None:
    answer = here.client.request(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_mistake_of_ours_tells_nothing(here: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_batch: object) -> bool:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(here.store, "append", broken)
    answer = here.send("/v1/runs", runs(1))
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "hunter2" not in answer.text
    assert float(answer.headers["X-Whichlayer-Time"]) > 0


@pytest.mark.parametrize("path", ["/healthz", "/v1/nothing", "/v1/runs"])
def test_every_answer_says_what_time_it_is(here: Collector, path: str) -> None:
    assert abs(float(here.client.get(path).headers["X-Whichlayer-Time"]) - time.time()) < 60


async def test_a_sender_that_goes_away_is_not_a_mistake_of_ours(here: Collector) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in here.as_agent(Content_Length="9").items()]
    scope = {"type": "http", "method": "POST", "path": "/v1/samples", "query_string": b"", "headers": headers}

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pytest.fail(f"nobody is there to read {message}")

    with capture_logs() as said:
        await here.client.app(scope, receive, send)
    assert [line["event"] for line in said if line["log_level"] != "debug"] == [
        "the sender went away before it had sent all"
    ]


def test_no_token_and_no_body_in_the_log(here: Collector, caplog: pytest.LogCaptureFixture, capsys: Any) -> None:
    caplog.set_level(logging.DEBUG)
    code = here.client.post("/v1/invitations", json={"endpoint": "x"}, headers=here.as_operator()).json()["code"]
    token = here.client.post("/v1/enrol", json={"code": code}).json()["token"]
    here.client.post("/v1/enrol", json={"code": code})
    here.send("/v1/runs", {"sequence": 1, "runs": [run(outcome="canary-value")]})
    here.client.get("/v1/agents", headers={"Authorization": f"Bearer {token}"})
    printed = capsys.readouterr()
    text = printed.out + printed.err + caplog.text
    assert "/v1/enrol" in text
    for canary in (code, token, here.agent.token, here.operator.token, "canary-value"):
        assert canary not in text


def test_enrolment_hands_out_one_token_per_code(here: Collector) -> None:
    invitation = here.client.post("/v1/invitations", json={"endpoint": "ward-3-pc"}, headers=here.as_operator())
    assert invitation.status_code == 201
    first = here.client.post("/v1/enrol", json=invitation.json())
    assert here.client.post("/v1/enrol", json=invitation.json()).status_code == 403
    headers = here.as_agent() | {"Authorization": f"Bearer {first.json()['token']}"}
    assert here.client.post("/v1/runs", json=runs(1), headers=headers).status_code == 204


def test_two_failed_sign_ins_pause_an_account_until_an_operator_resumes_it(here: Collector) -> None:
    def post(verb: str, body: Any = None) -> Any:
        return here.send(f"/v1/accounts/probe-1/{verb}", body)

    assert post("lease", {"seconds": 120}).json() == {"state": "granted"}
    assert post("lease", {"seconds": 120}).json() == {"state": "busy"}
    assert post("release", {"authenticated": False}).json() == {"state": "granted"}
    assert post("release", {"authenticated": False}).json() == {"state": "paused"}
    assert post("lease", {"seconds": 120}).json() == {"state": "paused"}
    assert here.client.get("/v1/accounts", headers=here.as_operator()).json()[0]["paused_at"]
    assert here.client.post("/v1/accounts/probe-1/resume", headers=here.as_operator()).status_code == 204
    assert post("lease", {"seconds": 120}).json() == {"state": "granted"}
    assert post("lease", {"seconds": 0}).status_code == 422
    assert here.client.post("/v1/accounts/unknown/resume", headers=here.as_operator()).status_code == 404


def test_metrics_show_the_last_run_with_its_phases(here: Collector) -> None:
    here.send("/v1/runs", runs(1))
    page = here.client.get("/metrics", headers=here.as_operator()).text
    place = 'environment="live",journey="case-record",link="wifi",presentation="local",site="test-site",step="save"'
    assert f"whichlayer_step_duration_seconds{{{place}}} 0.84" in page
    assert 'phase="processing"' in page
    assert 'whichlayer_batches_total{door="runs",known="no"} 1.0' in page
    assert 'whichlayer_agent_last_seen_timestamp_seconds{agent="' in page


def test_openapi_has_an_example_for_every_body(here: Collector) -> None:
    schema = here.client.get("/openapi.json").json()
    # of RemoteStore
    own = {f"/v1/{name}" for name in ("batches", "scan", "counts", "hourly", "trend", "pin", "maintain", "forget")}
    for path, operations in schema["paths"].items():
        if path in own:
            continue
        for operation in operations.values():
            for media in operation.get("requestBody", {}).get("content", {}).values():
                binary = media["schema"].get("format") == "binary"
                assert binary or "example" in media or "examples" in media, path
