"""What every registry promises, whether its database is in this process or behind the owner's doors."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from collector import registries
from collector.model.errors import StoreError
from collector.plugin import names
from collector.registries._tables import METADATA
from collector.registries.database import DatabaseRegistry
from collector.registry import Credentials, LeaseState, Registry, Scope
from tests.registries.openers import OPENERS

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def enrolled(registry: Registry, endpoint: str, scope: Scope = Scope.AGENT) -> Credentials:
    given = registry.enrol(registry.invite(endpoint, scope=scope, now=NOW), now=NOW)
    assert given is not None
    return given


def test_the_suite_knows_every_registry() -> None:
    assert set(names(registries)) == set(OPENERS)


def test_it_has_every_member_of_the_contract(registry: Registry) -> None:
    assert isinstance(registry, Registry)


def test_a_code_works_once(registry: Registry) -> None:
    code = registry.invite("ward-3", scope=Scope.AGENT, now=NOW)
    first = registry.enrol(code, now=NOW)
    assert first is not None
    assert registry.enrol(code, now=NOW) is None
    assert registry.enrol("unknown", now=NOW) is None
    agent = registry.agent_of(first.token)
    assert agent is not None
    assert (agent.agent_id, agent.endpoint, agent.scope) == (first.agent_id, "ward-3", Scope.AGENT)
    assert agent.enrolled_at == NOW


def test_a_code_is_too_old_after_a_day(registry: Registry) -> None:
    code = registry.invite("ward-3", scope=Scope.AGENT, now=NOW)
    assert registry.enrol(code, now=NOW + timedelta(hours=24)) is None


def test_a_name_that_is_no_name_is_refused(registry: Registry) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        registry.invite("Ward 3", scope=Scope.AGENT, now=NOW)


def test_a_revoked_agent_is_unknown(registry: Registry) -> None:
    given = enrolled(registry, "ward-3")
    registry.revoke(given.agent_id, now=NOW)
    assert registry.agent_of(given.token) is None
    assert registry.agent_of("") is None
    with pytest.raises(LookupError):
        registry.revoke("nobody", now=NOW)


def test_agents_are_listed_by_endpoint_the_revoked_too(registry: Registry) -> None:
    late, early = enrolled(registry, "ward-9"), enrolled(registry, "ward-3")
    registry.revoke(late.agent_id, now=NOW + MINUTE)
    found = {agent.agent_id: agent for agent in registry.agents() if agent.scope is Scope.AGENT}
    assert list(found) == [early.agent_id, late.agent_id]
    assert [agent.revoked_at for agent in found.values()] == [None, NOW + MINUTE]
    assert [agent.seen_at for agent in found.values()] == [None, None]


def test_what_was_heard_of_an_agent_is_kept(registry: Registry) -> None:
    given = enrolled(registry, "ward-3")
    registry.seen(given.agent_id, now=NOW, skew_seconds=1.5, version="0.1")
    registry.seen(given.agent_id, now=NOW + MINUTE, skew_seconds=None, version=None)
    (agent,) = [agent for agent in registry.agents() if agent.agent_id == given.agent_id]
    assert (agent.seen_at, agent.skew_seconds, agent.version) == (NOW + MINUTE, 1.5, "0.1")


def test_an_account_is_leased_to_one_run_at_a_time(registry: Registry) -> None:
    until = NOW + 2 * MINUTE
    assert registry.lease("probe-1", holder="a", until=until, now=NOW) is LeaseState.GRANTED
    assert registry.lease("probe-1", holder="b", until=until, now=NOW) is LeaseState.BUSY
    assert registry.lease("probe-1", holder="a", until=until, now=NOW) is LeaseState.BUSY
    assert registry.lease("probe-2", holder="b", until=until, now=NOW) is LeaseState.GRANTED
    assert registry.release("probe-1", holder="a", authenticated=True, now=NOW) is LeaseState.GRANTED
    assert registry.lease("probe-1", holder="b", until=until, now=NOW) is LeaseState.GRANTED
    assert registry.lease("probe-1", holder="a", until=until, now=until) is LeaseState.GRANTED


def test_who_holds_an_account_may_keep_it_and_nobody_else(registry: Registry) -> None:
    until, later = NOW + MINUTE, NOW + 2 * MINUTE
    assert registry.lease("probe-1", holder="a", until=until, now=NOW) is LeaseState.GRANTED
    assert registry.lease("probe-1", holder="b", until=later, now=NOW, renew=True) is LeaseState.BUSY
    assert registry.lease("probe-1", holder="a", until=later, now=NOW, renew=True) is LeaseState.GRANTED
    assert registry.lease("probe-1", holder="b", until=later, now=until) is LeaseState.BUSY
    for _ in range(2):
        registry.release("probe-1", holder="b", authenticated=False, now=NOW)
    assert registry.lease("probe-1", holder="a", until=later, now=NOW, renew=True) is LeaseState.PAUSED


def test_who_does_not_hold_an_account_cannot_give_it_back(registry: Registry) -> None:
    registry.lease("probe-1", holder="a", until=NOW + MINUTE, now=NOW)
    assert registry.release("probe-1", holder="b", authenticated=None, now=NOW) is LeaseState.BUSY
    assert registry.lease("probe-1", holder="c", until=NOW + MINUTE, now=NOW) is LeaseState.BUSY


def test_two_failures_in_a_row_on_any_agents_pause_until_a_person_resumes(registry: Registry) -> None:
    assert registry.release("probe-1", holder="a", authenticated=False, now=NOW) is LeaseState.GRANTED
    assert registry.release("probe-1", holder="b", authenticated=None, now=NOW) is LeaseState.GRANTED
    assert registry.release("probe-1", holder="b", authenticated=False, now=NOW) is LeaseState.PAUSED
    later = NOW + timedelta(days=30)
    assert registry.lease("probe-1", holder="c", until=later + MINUTE, now=later) is LeaseState.PAUSED
    assert registry.release("probe-1", holder="c", authenticated=True, now=later) is LeaseState.PAUSED
    (account,) = registry.accounts()
    assert account.paused_at == NOW
    registry.resume("probe-1")
    assert registry.lease("probe-1", holder="c", until=later + MINUTE, now=later) is LeaseState.GRANTED
    assert registry.release("probe-1", holder="c", authenticated=False, now=later) is LeaseState.GRANTED
    with pytest.raises(LookupError):
        registry.resume("unknown")


def test_a_success_between_failures_clears_them(registry: Registry) -> None:
    for worked in (False, True, False, True, False):
        assert registry.release("probe-1", holder="a", authenticated=worked, now=NOW) is LeaseState.GRANTED


def test_of_many_who_ask_at_once_one_gets_the_account(registry: Registry) -> None:
    start = threading.Barrier(8)
    states: list[LeaseState] = []

    def ask(number: int) -> None:
        start.wait()
        states.append(registry.lease("probe-1", holder=f"agent-{number}", until=NOW + MINUTE, now=NOW))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == [LeaseState.BUSY] * 7 + [LeaseState.GRANTED]


def test_failures_reported_at_once_are_all_counted(registry: Registry) -> None:
    start = threading.Barrier(6)
    states: list[LeaseState] = []

    def report(number: int) -> None:
        start.wait()
        states.append(registry.release("probe-1", holder=f"agent-{number}", authenticated=False, now=NOW))

    threads = [threading.Thread(target=report, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states.count(LeaseState.GRANTED) == 1
    assert registry.accounts()[0].failures_in_a_row == 6


def test_a_code_for_another_endpoint_is_refused_and_stays_good(registry: Registry) -> None:
    code = registry.invite("desk-1", scope=Scope.AGENT, now=NOW)
    assert registry.enrol(code, now=NOW, endpoint="desk-2") is None
    assert registry.enrol(code, now=NOW, endpoint="desk-1") is not None


def test_the_database_holds_no_token_and_no_code(tmp_path: Path) -> None:
    registry = DatabaseRegistry(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    code = registry.invite("ward-3", scope=Scope.AGENT, now=NOW)
    given = registry.enrol(code, now=NOW)
    assert given is not None
    registry.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert given.agent_id.encode() in kept
    assert given.token.encode() not in kept
    assert code.encode() not in kept


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    DatabaseRegistry(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(StoreError, match=r"9999.*newer whichlayer"):
        DatabaseRegistry(f"sqlite:///{path}")


def test_the_migrations_make_the_tables_the_code_uses(tmp_path: Path) -> None:
    registry = DatabaseRegistry(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    with registry._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, METADATA) == []
    registry.close()
