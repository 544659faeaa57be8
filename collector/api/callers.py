"""Who sent lately: a body every few milliseconds must not cost a question to the registry each."""

import hashlib
import time
from datetime import datetime, timedelta

from collector.registry import Agent, Registry

_REMEMBERED_SECONDS = 1.0
_MOST = 10_000
_HEARD_EVERY = timedelta(seconds=5)


class Callers:
    """Holders of tokens, each remembered for a second; who is revoked at a door is forgotten at once.

    Safe for threads. Tokens are kept as digests, and only valid ones.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[bytes, tuple[Agent, float]] = {}
        self._heard: dict[str, datetime] = {}
        self._forgotten = 0

    def known(self, token: str) -> Agent | None:
        """Give the holder of ``token`` when it is remembered. Never blocks."""
        agent, since = self._known.get(_digest(token), (None, 0.0))
        return agent if time.monotonic() - since < _REMEMBERED_SECONDS else None

    def find(self, token: str) -> Agent | None:
        """Ask the registry for the holder of ``token``; None when unknown or revoked."""
        began, forgotten = time.monotonic(), self._forgotten
        agent = self._registry.agent_of(token)
        if agent is not None and forgotten == self._forgotten:  # else it may have been revoked meanwhile
            if len(self._known) >= _MOST:
                self._known = {}
            self._known[_digest(token)] = agent, began
        return agent

    def forget(self) -> None:
        """Remember nobody: one of them was revoked."""
        self._forgotten += 1
        self._known = {}

    def is_due(self, agent: Agent, now: datetime) -> bool:
        """Say whether it is time to note that ``agent`` was heard: at most every few seconds, each note is a write."""
        last = self._heard.get(agent.agent_id) or agent.seen_at
        return last is None or abs(now - last) >= _HEARD_EVERY

    def note(self, agent: Agent, now: datetime, skew_seconds: float | None, version: str | None) -> None:
        """Write down that ``agent`` was heard. Blocks."""
        self._heard[agent.agent_id] = now
        self._registry.seen(agent.agent_id, now=now, skew_seconds=skew_seconds, version=version)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
