"""``whichlayer agents`` lists and revokes, whether the registry is opened here or asked of its owner."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from collector.model.errors import WhichlayerError
from collector.registries.database import DatabaseRegistry
from collector.registry import Credentials, Registry, Scope
from tests.doors.owner import configuration, owner
from whichlayer.__main__ import APP

pytestmark = pytest.mark.integration


@contextmanager
def opened(folder: Path) -> Iterator[Registry]:
    (folder / "data").mkdir(exist_ok=True)
    with closing(DatabaseRegistry(f"sqlite:///{folder / 'data' / 'registry.sqlite'}")) as registry:
        yield registry


def enrolled(registry: Registry, endpoint: str, scope: Scope = Scope.AGENT) -> Credentials:
    now = datetime.now(UTC)
    given = registry.enrol(registry.invite(endpoint, scope=scope, now=now), now=now)
    assert given is not None
    return given


def whichlayer(folder: Path, *words: str) -> str:
    done = CliRunner().invoke(APP, [*words, "--config", str(folder / "whichlayer.yaml")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def listed(folder: Path) -> dict[str, Any]:
    return {agent["agent_id"]: agent for agent in json.loads(whichlayer(folder, "agents", "--json"))}


def send(url: str, agent: Credentials, sequence: int) -> int:
    headers, body = {"Authorization": f"Bearer {agent.token}"}, {"sequence": sequence, "samples": []}
    return httpx2.post(f"{url}/v1/samples", headers=headers, json=body, trust_env=False).status_code


def test_without_an_owner(tmp_path: Path) -> None:
    configuration(tmp_path)
    now = datetime.now(UTC)
    with opened(tmp_path) as registry:
        first, second, other = (enrolled(registry, name) for name in ("ward-3-pc", "ward-3-pc", "ward-4-pc"))
        boss = enrolled(registry, "ward-3-pc", Scope.OPERATOR)
        registry.seen(first.agent_id, now=now, skew_seconds=None, version="whichlayer/0.1.0")
        registry.seen(other.agent_id, now=now - timedelta(hours=2), skew_seconds=None, version=None)
    found = listed(tmp_path)
    states = {given.agent_id: found[given.agent_id]["state"] for given in (first, second, other, boss)}
    assert list(states.values()) == ["active", "never heard", "silent", "never heard"]
    assert found[first.agent_id]["version"] == "whichlayer/0.1.0"
    assert "token" not in json.dumps(found)
    whichlayer(tmp_path, "agents", "revoke", "ward-3-pc")
    found = listed(tmp_path)
    assert [found[given.agent_id]["state"] for given in (first, second)] == ["revoked"] * 2
    assert found[boss.agent_id]["state"] == "never heard", "who operates is not an agent of that endpoint"
    with pytest.raises(WhichlayerError, match="endpoints with one: ward-4-pc"):
        whichlayer(tmp_path, "agents", "revoke", "ward-3-pc")


def test_beside_a_running_owner_a_revoked_agent_is_refused_at_once(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        given = enrolled(registry, "ward-3-pc")
    with owner(configuration(tmp_path)) as running:
        url = running.ready()
        before = send(url, given, 1)
        said = whichlayer(tmp_path, "agents") + whichlayer(tmp_path, "agents", "revoke", given.agent_id)
        after = send(url, given, 2)
        state = listed(tmp_path)[given.agent_id]["state"]
    assert (before, after, state) == (204, 401, "revoked")
    assert "ward-3-pc" in said
    assert given.token not in said + running.log.read_text()
