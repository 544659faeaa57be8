"""What the ``collector:`` section of ``whichlayer.yaml`` may say."""

from collections import Counter
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from collector.document import Document, PluginSettings, Seconds

_DAY = 86_400.0
MAPPING_FILES = (".yaml", ".yml")
Port = Annotated[int, Field(ge=0, le=65535)]


class TlsSettings(Document):
    """The certificate the collector shows when it is bound to more than loopback."""

    certificate: Path = Field(description="PEM file with the certificate and its chain")
    key: Path = Field(description="PEM file with the private key")


class LimitSettings(Document):
    """How much one request may bring."""

    body_bytes: int = Field(default=8 << 20, gt=0, description="largest request body as it is sent, in bytes")
    inflated_bytes: int = Field(default=16 << 20, gt=0, description="largest request body after inflating, in bytes")
    waiting_bytes: int = Field(
        default=64 << 20, gt=0, description="request bodies that wait to be decoded and stored, in bytes; more is 503"
    )
    read_seconds: Seconds = Field(default=30.0, gt=0, description="how long a sender may take to send one body")

    @model_validator(mode="after")
    def _one_body_has_room(self) -> Self:
        if self.waiting_bytes < self.body_bytes:
            raise ValueError("waiting_bytes must be at least body_bytes: the largest body has to have room")
        return self


class SourceSettings(Document):
    """One thing the collector reads by itself."""

    kind: str = Field(description="which source: the name of a file in collector/sources")
    component: str = Field(description="stable name of what is read, as it appears in evidence")
    every: Seconds = Field(default=10.0, gt=0, description="how often it is read")
    settings: PluginSettings = Field(default_factory=dict, description="what this kind of source needs to know")


class RemoteWriteSettings(Document):
    """What series that a Prometheus sends are here."""

    mappings: tuple[str, ...] | None = Field(
        default=None, description="products, or paths of mapping files; all that are shipped if absent"
    )
    components: Mapping[str, str] = Field(default_factory=dict, description="stable names for what labels call it")


class CollectorSettings(Document):
    """Where the collector listens, where it keeps data and what it reads by itself."""

    data: Path = Field(default=Path("whichlayer-data"), description="folder of the store, the registry and the spool")
    host: str = Field(default="127.0.0.1", description="address to listen on; more than loopback needs tls")
    port: Port = Field(default=8620, description="port to listen on; 0 takes a free one")
    tls: TlsSettings | None = Field(default=None, description="certificate, for any address but loopback")
    limits: LimitSettings = Field(default=LimitSettings(), description="how much one request may bring")
    spool_bytes: int = Field(default=1 << 30, gt=0, description="room for facts not yet in the lake, in bytes")
    flush: Seconds = Field(default=10.0, gt=0, description="how often facts go from the spool to the lake")
    maintain: Seconds = Field(default=600.0, gt=0, description="how often small files are merged")
    keep: Seconds = Field(
        default=396 * _DAY, ge=2 * _DAY, description="how long single facts are kept, in whole days: 13 months"
    )
    keep_rollups: Seconds | None = Field(
        default=None, description="how long hours and days are kept, at least as long as facts; without it for ever"
    )
    keep_pinned: Seconds | None = Field(
        default=92 * _DAY,
        description="how long snapshots that verdicts name are kept, with all files they need; null is for ever",
    )
    decoders: int = Field(default=1, ge=1, le=16, description="worker processes that decode OTLP and remote write")
    remote_write: RemoteWriteSettings = Field(
        default=RemoteWriteSettings(), description="what series that a Prometheus sends are"
    )
    sources: tuple[SourceSettings, ...] = Field(default=(), description="what the collector reads by itself")
    estate: Path | None = Field(default=None, description="the map of the estate: what runs on what, who answers")

    @model_validator(mode="after")
    def _rollups_last_longer(self) -> Self:
        if self.keep_rollups is not None and self.keep_rollups < self.keep:
            raise ValueError("keep_rollups must be at least as long as keep: a day's rows need their summary")
        return self

    @model_validator(mode="after")
    def _sources_are_told_apart(self) -> Self:
        for (kind, component), times in Counter((one.kind, one.component) for one in self.sources).items():
            if times > 1:
                raise ValueError(f"{times} sources of kind {kind} have the component {component!r}: name each its own")
        return self

    def beside(self, folder: Path) -> "CollectorSettings":
        """Give the same settings with every path made absolute: they are relative to ``folder``."""
        tls = self.tls
        if tls is not None:
            files = {"certificate": folder / tls.certificate.expanduser(), "key": folder / tls.key.expanduser()}
            tls = tls.model_copy(update=files)
        estate = None if self.estate is None else folder / self.estate.expanduser()
        mappings = self.remote_write.mappings
        if mappings is not None:
            mappings = tuple(str(folder / name) if name.endswith(MAPPING_FILES) else name for name in mappings)
        remote_write = self.remote_write.model_copy(update={"mappings": mappings})
        data = folder / self.data.expanduser()
        return self.model_copy(update={"data": data, "tls": tls, "estate": estate, "remote_write": remote_write})


def is_loopback(host: str) -> bool:
    """Say whether ``host`` is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
