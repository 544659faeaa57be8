"""``whichlayer agents``: which agents are enrolled, when each was heard, and refusing one from now on."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collector.registry import Agent

_Config = Annotated[Path, typer.Option(help="The configuration file.")]
_DEFAULT = Path("whichlayer.yaml")


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Enrolled agents: when each was heard; refusing one.", invoke_without_command=True)
    group.callback()(_list)
    group.command("revoke")(_revoke)
    app.add_typer(group, name="agents")


def _list(
    context: typer.Context,
    config: _Config = _DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List agents and operators, by endpoint: last heard, version, state (active, silent, never heard, revoked)."""
    if context.invoked_subcommand is not None:
        return
    from datetime import UTC

    from pydantic import TypeAdapter
    from pydantic_core import to_json

    from collector.registry import Agent
    from whichlayer.data import opened
    from whichlayer.settings import load

    settings, now = load(config), datetime.now(UTC)
    with opened(settings.collector) as (_store, registry):
        agents = list(registry.agents())
    states = [_state(agent, now, settings.analysis.stale_seconds) for agent in agents]
    if as_json:
        told = TypeAdapter(list[Agent]).dump_python(agents, mode="json")
        print(to_json([agent | {"state": state} for agent, state in zip(told, states, strict=True)]).decode())
        return
    _print(agents, states)


def _print(agents: "list[Agent]", states: list[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("endpoint", "id", "may", "last heard", "version", "state")
    for agent, state in zip(agents, states, strict=True):
        heard = "" if agent.seen_at is None else f"{agent.seen_at:%Y-%m-%d %H:%M:%S} UTC"
        may = "send" if agent.scope.value == "agent" else "operate"
        table.add_row(agent.endpoint, agent.agent_id, may, heard, agent.version or "", state)
    Console().print(table if agents else "No agent is enrolled yet: whichlayer invite makes a code.")


def _state(agent: "Agent", now: datetime, stale_seconds: float) -> str:
    if agent.revoked_at is not None:
        return "revoked"
    if agent.seen_at is None:
        return "never heard"
    return "silent" if (now - agent.seen_at).total_seconds() > stale_seconds else "active"


def _revoke(
    name: Annotated[str, typer.Argument(help="An endpoint, for every agent enrolled as it; or the id of one.")],
    config: _Config = _DEFAULT,
) -> None:
    """Refuse an agent from now on. What it sent stays; to send again it must be enrolled with a new code."""
    from datetime import UTC

    from collector.model.errors import WhichlayerError
    from collector.registry import Scope
    from whichlayer.data import opened
    from whichlayer.settings import load

    with opened(load(config).collector) as (_store, registry):
        agents = [agent for agent in registry.agents() if agent.revoked_at is None]
        named = [a for a in agents if a.agent_id == name or (a.endpoint == name and a.scope is Scope.AGENT)]
        if not named:
            known = ", ".join(sorted({a.endpoint for a in agents if a.scope is Scope.AGENT})) or "none"
            raise WhichlayerError(f"there is no agent {name} that is not revoked; endpoints with one: {known}")
        for agent in named:
            registry.revoke(agent.agent_id, now=datetime.now(UTC))
    print(f"refused from now on: {', '.join(f'{agent.agent_id} of {agent.endpoint}' for agent in named)}")
