"""One logon to the directory (Active Directory, OpenLDAP …): connection, TLS, bind, and a search of one named entry.

It signs in with an account, so the rules of journeys' accounts hold for it: secrets by reference, never two uses at
once, and after two refused sign-ins it stops everywhere until a person resumes the account. The password goes over TLS
only (``ldaps://``, or StartTLS with ``ldap://``), to a server whose certificate is trusted. A refused password is an
answer of the directory: it is told, and is no failure of it. A logon that is not answered is "at least".
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from collector.document import Document, Seconds, validate
from collector.model.layer import Layer
from collector.model.sample import Sample
from probes.sampler import Cost, SignedIn
from probes.samplers._bounded import AT_LEAST, Bounded, Late
from probes.samplers._ldap import PORTS, Directory, LogOn, log_on, reached

_SLACK = 2.0  # seconds beyond the deadline of the logon itself: the lookup of a name is bounded by this alone
_REMEDIES = {
    "ca_file": "ca_file cannot be read, or holds no certificate: check it",
    "name": "its name cannot be looked up: check url",
    "unreachable": "it refuses connections or cannot be reached: check url, and the firewall for this port",
    "timeout": "it does not answer in time: check url, and the firewall for this port",
    "certificate": "its certificate is not trusted here or of another name: give ca_file, or the name it is for",
    "tls": "it does not speak TLS there: use ldaps://, or switch StartTLS on at the server",
    "closed": "it hangs up: check that url is that of a directory",
    "protocol": "what answers is no directory: check url",
}


class DirectorySettings(Document):
    """Which server, and what is looked for there."""

    url: str = Field(description="ldaps://dc1.example.org, or ldap://dc1.example.org for StartTLS; :port if another")
    entry: str = Field(min_length=3, description="distinguished name of the entry that is looked for, after the logon")
    ca_file: Path | None = Field(default=None, description="PEM file of the authority, if the system does not know it")
    timeout: Seconds = Field(default=5.0, gt=0, le=30, description="how long logon and search may take together")

    @field_validator("url")
    @classmethod
    def _server(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.username:
            raise ValueError("must be ldaps://HOST or ldap://HOST, with :PORT if it is another")
        return value


class _OpenDirectory:
    def __init__(self, *, site: str, component: str, settings: DirectorySettings) -> None:
        self._site = site
        self._component = component
        self._entry = settings.entry
        ca_file = settings.ca_file.expanduser() if settings.ca_file else None
        self._directory = Directory(url=settings.url, ca_file=ca_file, timeout=settings.timeout)
        self.longest_seconds = settings.timeout + _SLACK
        self._bounded: Bounded[LogOn] = Bounded(self.longest_seconds)

    def sign_in(self, secrets: Mapping[str, str]) -> SignedIn:
        """Log on once and look for the entry."""
        at = datetime.now(UTC)
        user, password = (secrets[name] for name in _Directory.secrets)
        found = self._bounded.run(lambda: log_on(self._directory, self._entry, user, password))
        if isinstance(found, Late):
            found = LogOn(why="name")
        return SignedIn(samples=list(self._samples(found, at)), authenticated=found.authenticated)

    def hindrances(self) -> Sequence[str]:
        """Go as far as the certificate; the account is not used."""
        looked: Bounded[str] = Bounded(self.longest_seconds)
        found = looked.run(lambda: reached(self._directory))
        why = "name" if isinstance(found, Late) else found
        return [f"the directory {self._directory.url} cannot be asked: {_REMEDIES[why]}"] if why else []

    def close(self) -> None:
        """Nothing is kept open."""

    def _samples(self, found: LogOn, at: datetime) -> Iterator[Sample]:
        if found.logon is not None:
            late = found.late and found.search is None
            yield self._sample("directory.logon.duration", found.logon, at, AT_LEAST if late else {})
        if found.search is not None:
            yield self._sample("directory.search.duration", found.search, at, AT_LEAST if found.late else {})
        why = {"why": found.why} if found.why else {}
        if found.authenticated is not None:
            refused = found.authenticated is False
            yield self._sample("directory.logon.refused", float(refused), at, why if refused else {})
        failed = bool(found.why) and found.authenticated is not False
        yield self._sample("probe.failed", float(failed), at, why if failed else {})

    def _sample(self, metric: str, value: float, at: datetime, labels: Mapping[str, str]) -> Sample:
        return Sample(
            site=self._site, component=self._component, layer=Layer.IDENTITY, metric=metric, at=at, value=value,
            labels=labels,
        )  # fmt: skip


class _Directory:
    secrets = ("user", "password")
    cost = Cost(operations=12, sent_bytes=4000, received_bytes=65536, cpu_seconds=0.05, least_every=60.0)

    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenDirectory:
        """Open with DirectorySettings. Raises ConfigError."""
        known = validate(settings, DirectorySettings, file="agent.samplers")
        return _OpenDirectory(site=site, component=component, settings=known)


PLUGIN = _Directory()
