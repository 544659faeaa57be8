"""How long one name takes to look up, asked of this machine's own resolver as any program does.

It may have the answer in a memory of its own (nscd, systemd-resolved, Windows): then that is what programs get here,
and the name servers were not asked. A name with a short life, or one of a random label under a wildcard, is asked anew.
"""

import secrets
import socket
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from collector.document import Document, Seconds, validate
from collector.model.layer import Layer
from collector.model.sample import Sample
from probes.sampler import Cost
from probes.samplers._bounded import AT_LEAST, Bounded, Late

_RANDOM = "*."


class ResolveSettings(Document):
    """Which name."""

    name: str = Field(
        min_length=1, description="the name; a leading *. becomes a random label, which nothing remembers"
    )
    timeout: Seconds = Field(default=5.0, gt=0, description="how long an answer is waited for")


class _OpenResolve:
    def __init__(self, *, site: str, component: str, settings: ResolveSettings) -> None:
        self._site = site
        self._component = component
        self._name = settings.name
        self._bounded: Bounded[tuple[float, str]] = Bounded(settings.timeout)

    def read(self) -> Sequence[Sample]:
        """Ask once. A resolver that says there is no such name has answered; one that cannot say has failed."""
        at = datetime.now(UTC)
        found = self._bounded.run(lambda: _asked(self._name))
        if isinstance(found, Late):
            seconds, why, labels = found.seconds, "timeout", AT_LEAST
        else:
            (seconds, why), labels = found, {}
        failed = self._sample("probe.failed", 1.0 if why else 0.0, at, {"why": why} if why else {})
        if why and not labels:
            return [failed]  # it gave up early: that is no time of a lookup
        return [self._sample("dns.lookup.duration", seconds, at, labels), failed]

    def hindrances(self) -> Sequence[str]:
        """Ask once."""
        found = self._bounded.run(lambda: _asked(self._name))
        why = "it does not answer in time" if isinstance(found, Late) else found[1] and "it cannot say"
        return (
            [f"the resolver cannot be asked for {self._name}: {why}; check this machine's name servers"] if why else []
        )

    def close(self) -> None:
        """Nothing is kept open."""

    def _sample(self, metric: str, value: float, at: datetime, labels: Mapping[str, str]) -> Sample:
        return Sample(
            site=self._site, component=self._component, layer=Layer.NETWORK_CORE, metric=metric, at=at, value=value,
            labels=labels,
        )  # fmt: skip


class _Resolve:
    cost = Cost(operations=2, sent_bytes=200, received_bytes=2000, cpu_seconds=0.01, least_every=5.0)

    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenResolve:
        """Open with ResolveSettings. Raises ConfigError."""
        known = validate(settings, ResolveSettings, file="agent.samplers")
        return _OpenResolve(site=site, component=component, settings=known)


PLUGIN = _Resolve()


def _asked(name: str) -> tuple[float, str]:
    """Give the seconds, and why there was no answer: empty when there was one."""
    asked = f"{secrets.token_hex(6)}.{name.removeprefix(_RANDOM)}" if name.startswith(_RANDOM) else name
    started = time.perf_counter()
    try:
        socket.getaddrinfo(asked, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno not in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)):
            return time.perf_counter() - started, "resolver"
    return time.perf_counter() - started, ""
