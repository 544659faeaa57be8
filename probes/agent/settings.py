"""What the ``agent:`` section of ``whichlayer.yaml`` may say."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, HttpUrl

from collector.document import Document, PluginSettings, Seconds
from probes.context.access import AccessLabels
from probes.journey.use import JourneyUse, Name
from probes.sessions.settings import SessionEntry


class CollectorAddress(Document):
    """Where an agent sends to. Agents only ever dial out."""

    url: HttpUrl = Field(description="address of the collector, for example https://collector.example:8620")
    ca_file: Path | None = Field(default=None, description="PEM file of the authority, if the system does not know it")


class JourneyEntry(JourneyUse):
    """One journey this endpoint walks."""

    every: Seconds = Field(default=300.0, ge=1, description="the interval; slots are its multiples on the clock")


class SamplerEntry(Document):
    """One thing the agent reads of its own machine."""

    sampler: str = Field(description="what is read: the name of a file in probes/samplers")
    component: Name = Field(description="stable name of what is measured, as it appears in evidence")
    every: Seconds = Field(default=10.0, ge=1, description="how often it is read")
    account: Name | None = Field(default=None, description="name of the account it signs in with, if it signs in")
    secrets: Mapping[str, str] = Field(
        default_factory=dict, description="each secret it needs as keyring:SERVICE/NAME, file:PATH or env:NAME"
    )
    settings: PluginSettings = Field(default_factory=dict, description="what this kind of sampler needs to know")


class Budget(Document):
    """The load all endpoints of this plan together may put on the live system."""

    endpoints: int = Field(default=1, ge=1, description="how many endpoints follow this plan, this one included")
    logons_per_hour: float = Field(default=60.0, ge=0, description="sign-ins an hour")
    writes_per_hour: float = Field(default=0.0, ge=0, description="steps that save something, an hour")
    pages_per_day: float = Field(default=0.0, ge=0, description="printed pages a day")
    concurrent_licences: int = Field(default=4, ge=0, description="accounts in use at the same time")


class OutboxSettings(Document):
    """What is kept while the collector cannot be reached."""

    limit_bytes: int = Field(
        default=64 << 20, ge=1 << 16, description="room on disk; the oldest goes first, and is told"
    )


class TelemetrySettings(Document):
    """Runs as OpenTelemetry traces and metrics, for a site that has a receiver."""

    endpoint: HttpUrl = Field(description="base address of any OTLP/HTTP receiver, without /v1/traces")
    headers: Mapping[str, str] = Field(
        default_factory=dict, description="request headers; each value is a secret reference"
    )


class MetricsSettings(Document):
    """A page of this agent for Prometheus, on loopback only."""

    port: int = Field(ge=0, le=65535, description="port on 127.0.0.1; 0 takes a free one")


class AgentSettings(Document):
    """What one endpoint does. An agent without journeys only samples its machine."""

    endpoint: Name = Field(description="stable name of this endpoint; on pooled desktops the slot, not the machine")
    environment: Name = Field(default="live", description="which installation is measured: live, test …")
    state: Path = Field(default=Path("whichlayer-agent"), description="folder of the token, outbox and account locks")
    collector: CollectorAddress | None = Field(default=None, description="where to send; needed by run and enrol")
    access: AccessLabels = Field(default=AccessLabels(), description="labels that win over detection")
    journeys: tuple[JourneyEntry, ...] = Field(default=(), description="what is walked")
    sessions: tuple[SessionEntry, ...] = Field(default=(), description="what is held open over the working day")
    samplers: tuple[SamplerEntry, ...] = Field(default=(), description="what is read of this machine")
    budget: Budget = Field(default=Budget(), description="what the probes may cost the live system")
    outbox: OutboxSettings = Field(default=OutboxSettings(), description="what is kept until it could be sent")
    telemetry: TelemetrySettings | None = Field(default=None, description="OpenTelemetry export; off if absent")
    metrics: MetricsSettings | None = Field(default=None, description="Prometheus page; off if absent")

    def beside(self, folder: Path) -> "AgentSettings":
        """Give the same settings with every path made absolute: they are relative to ``folder``."""
        collector = self.collector
        if collector and collector.ca_file:
            collector = collector.model_copy(update={"ca_file": folder / collector.ca_file.expanduser()})
        used = {
            key: tuple(one.model_copy(update={"file": folder / one.file.expanduser()}) for one in entries)
            for key, entries in (("journeys", self.journeys), ("sessions", self.sessions))
        }
        state = folder / self.state.expanduser()
        return self.model_copy(update={"collector": collector, "state": state, **used})
