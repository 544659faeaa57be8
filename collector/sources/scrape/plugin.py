"""An exporter that nobody scrapes yet: its page of metrics is read as a Prometheus would, by mappings.

One entry is one target. What answers not, or answers something else, is a source that cannot be read: that is told and
nothing is stored, least of all zeros; the first page after that gives no rates.
"""

import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import truststore
from pydantic import Field, HttpUrl, field_validator

from collector.document import Document, Seconds, validate
from collector.mapping import MetricMapping, Row, load
from collector.model.checks import as_name
from collector.model.errors import SourceError
from collector.model.facts import Facts
from collector.model.sample import Sample
from collector.secret import resolve
from collector.sources.scrape.page import ACCEPTED, NoPage, Page, parse
from collector.sources.scrape.series import Value, values

_REFUSED = {401, 403}


class ScrapeSettings(Document):
    """Settings of one ``scrape`` source."""

    url: HttpUrl = Field(description="its page: http://app01.example:9100/metrics, with what an exporter asks for")
    mappings: tuple[str, ...] = Field(min_length=1, description="products, or paths of mapping files")
    components: Mapping[str, str] = Field(default_factory=dict, description="stable names for what labels call it")
    user: str | None = Field(default=None, description="user name, where a password is asked for")
    password: str | None = Field(default=None, description="secret reference: keyring:…, file:… or env:…")
    token: str | None = Field(default=None, description="secret reference of a bearer token")
    timeout: Seconds = Field(default=10.0, ge=1, le=120, description="how long the whole page may take")
    most_bytes: int = Field(default=32 << 20, ge=1024, description="how long a page may be, unpacked")

    @field_validator("url")
    @classmethod
    def _without_password(cls, value: HttpUrl) -> HttpUrl:
        if "@" in urlsplit(str(value)).netloc:
            raise ValueError("must not hold a password: give user and a reference in password")
        return value


class _Scrape:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> "OpenScrape":
        """Open with ScrapeSettings; asks at the first reading. Raises ConfigError."""
        checked = validate(settings, ScrapeSettings, file="collector.sources")
        return OpenScrape(site=site, component=component, settings=checked, mappings=load(checked.mappings, Path()))


@dataclass(slots=True, kw_only=True)
class OpenScrape:
    """Remembers the page it read last."""

    site: str
    component: str
    settings: ScrapeSettings
    mappings: Sequence[MetricMapping]
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _client: httpx2.Client | None = None
    _last: Page = field(default_factory=dict)

    def read(self) -> Facts:
        """Give what the page says now, and rates since the page before. Raises SourceError."""
        at = self.clock().timestamp()
        try:
            text, kind = self._page()
            page = parse(text, kind, self._wanted(), at=at)
        except NoPage as error:
            self.close()
            raise SourceError(f"{self.settings.url} is {error}") from None
        except SourceError:
            self.close()
            raise
        if not page:
            products = ", ".join(mapping.product for mapping in self.mappings)
            self.close()
            raise SourceError(f"{self.settings.url} has none of the metrics of {products}")
        last, self._last = self._last, page
        return Facts(samples=tuple(self._samples(page, last)))

    def close(self) -> None:
        """Let go of the connection, and forget the last page."""
        client, self._client = self._client, None
        self._last = {}
        if client is not None:
            client.close()

    def _wanted(self) -> frozenset[str]:
        rows = (row for mapping in self.mappings for row in mapping.rows)
        return frozenset(name for row in rows for name in (row.name, row.per, row.over) if name is not None)

    def _page(self) -> tuple[str, str]:
        """Give the page and what kind of text it is."""
        until = time.monotonic() + self.settings.timeout
        content = bytearray()
        try:
            with self._connected().stream("GET", str(self.settings.url)) as answer:
                self._check(answer.status_code)
                for part in answer.iter_bytes():
                    content += part
                    if len(content) > self.settings.most_bytes:
                        raise SourceError(f"{self.settings.url} is longer than {self.settings.most_bytes} bytes")
                    if time.monotonic() > until:  # the client's own limit is for one wait, not for all of them
                        raise httpx2.ReadTimeout("the whole page")
                kind = answer.headers.get("content-type", "")
        except httpx2.HTTPError as error:
            raise SourceError(f"{self.settings.url} does not answer: {type(error).__name__}") from None
        return content.decode("utf-8", "replace"), kind

    def _check(self, status: int) -> None:
        if status in _REFUSED:
            raise SourceError(f"{self.settings.url} refuses: check user, password or token", permanent=True)
        if status != httpx2.codes.OK:
            raise SourceError(f"{self.settings.url} answers {status}")

    def _samples(self, page: Page, last: Page) -> Iterator[Sample]:
        for mapping in self.mappings:
            for value in values(mapping, page, last, partial(self._name, mapping)):
                yield self._sample(mapping, value)

    def _name(self, mapping: MetricMapping, row: Row, labels: Mapping[str, str]) -> str:
        """Name the component of a series: what Prometheus would call its instance is this entry's component."""
        called = mapping.component_of(row, {**labels, "instance": self.component}) or self.component
        return as_name(self.settings.components.get(called, called)) or self.component

    def _sample(self, mapping: MetricMapping, found: Value) -> Sample:
        return Sample(
            site=self.site,
            component=found.component,
            layer=mapping.layer_of(found.row),
            metric=found.row.metric,
            at=datetime.fromtimestamp(found.at, UTC),
            value=found.value,
            period_seconds=found.seconds,
            labels={"product": mapping.product},
        )

    def _connected(self) -> httpx2.Client:
        if self._client is None:
            headers, user = {"User-Agent": "whichlayer", "Accept": ACCEPTED}, self.settings.user
            if self.settings.token is not None:
                headers["Authorization"] = f"Bearer {resolve(self.settings.token)}"
            password = resolve(self.settings.password) if self.settings.password else ""
            auth = None if user is None else httpx2.BasicAuth(user, password)
            trust = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if self.settings.url.scheme == "https" else False
            self._client = httpx2.Client(timeout=self.settings.timeout, headers=headers, auth=auth, verify=trust)
        return self._client


PLUGIN = _Scrape()
