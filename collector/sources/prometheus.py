"""A Prometheus that is there already: asks it for what it has scraped, by mappings of its exporters.

Each row of a mapping is one range query, from where the last reading ended. Series of one component are put
together by Prometheus: shares, times and signals as their mean, everything else as their sum. A point that is not
a number (no operation in the window) is no sample.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from pydantic import Field, HttpUrl

from collector.document import Document, Seconds, validate
from collector.mapping import How, MetricMapping, Row, load
from collector.model.checks import as_name
from collector.model.errors import ConfigError, Mistake, SourceError
from collector.model.facts import Facts
from collector.model.sample import Sample
from collector.secret import resolve

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_REFUSED = {401, 403}
_MOST_AT_ONCE = timedelta(hours=6)  # after an outage: Prometheus refuses more than 11,000 points of a series
_PORT = re.compile(r":\d+$")


class PrometheusSettings(Document):
    """Settings of one ``prometheus`` source."""

    url: HttpUrl = Field(description="address of Prometheus, with the path it is behind")
    mappings: tuple[str, ...] = Field(min_length=1, description="products, or paths of mapping files")
    match: Mapping[str, str] = Field(default_factory=dict, description="labels its series must have: job, datacentre")
    components: Mapping[str, str] = Field(default_factory=dict, description="stable names for what labels call it")
    user: str | None = Field(default=None, description="user name, where a password is asked for")
    password: str | None = Field(default=None, description="secret reference: keyring:…, file:… or env:…")
    token: str | None = Field(default=None, description="secret reference of a bearer token")
    step: Seconds = Field(default=15.0, ge=1, description="distance of the points")
    window: Seconds = Field(default=60.0, ge=2, description="span of a rate: at least four times its scrape interval")
    since: Seconds = Field(default=0.0, ge=0, description="how far back the first reading after a start goes")
    timeout: Seconds = Field(default=10.0, ge=1, le=120, description="how long one query may take")


class _Prometheus:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> "OpenPrometheus":
        """Open with PrometheusSettings; asks at the first reading. Raises ConfigError."""
        checked = validate(settings, PrometheusSettings, file="collector.sources")
        mappings = load(checked.mappings, Path())
        for mapping in mappings:
            _check(mapping, checked.match)
        return OpenPrometheus(site=site, component=component, settings=checked, mappings=mappings)


@dataclass(slots=True, kw_only=True)
class OpenPrometheus:
    """Remembers until when it has read."""

    site: str
    component: str
    settings: PrometheusSettings
    mappings: Sequence[MetricMapping]
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _client: httpx2.Client | None = None
    _until: datetime | None = None

    def read(self) -> Facts:
        """Give every whole step since the last reading, at most six hours. After a SourceError it is read again."""
        step = timedelta(seconds=self.settings.step)
        end = datetime.fromtimestamp(self.clock().timestamp() // step.total_seconds() * step.total_seconds(), UTC)
        start = self._until + step if self._until else end - timedelta(seconds=self.settings.since)
        if start > end:
            return Facts()
        end = min(end, start + _MOST_AT_ONCE)
        found = Facts(samples=tuple(self.between(start, end)))
        self._until = end
        return found

    def between(self, start: datetime, end: datetime) -> Iterator[Sample]:
        """Give the samples of a period, ``start`` and ``end`` included. Raises SourceError."""
        for mapping in self.mappings:
            for row in mapping.rows:
                for series in self._asked(query(mapping, row, self.settings), start, end):
                    yield from self._samples(mapping, row, series)

    def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _asked(self, text: str, start: datetime, end: datetime) -> list[Mapping[str, Any]]:
        given = {"query": text, "start": start.timestamp(), "end": end.timestamp(), "step": self.settings.step}
        return list(self.ask("query_range", given)["result"])

    def ask(self, what: str, given: Mapping[str, Any]) -> Any:  # noqa: ANN401  each question has its own answer
        """Ask the API under ``/api/v1/``; give the ``data`` of its answer. Only reads. Raises SourceError."""
        url = f"{str(self.settings.url).rstrip('/')}/api/v1/{what}"
        try:
            answer = self._connected().request("POST" if given else "GET", url, data=given or None)
        except httpx2.HTTPError as error:
            self.close()
            raise SourceError(f"{self.settings.url} does not answer: {type(error).__name__}") from None
        if answer.status_code in _REFUSED:
            raise SourceError(f"{self.settings.url} refuses: check user, password or token", permanent=True)
        try:
            told = answer.json()
            if told["status"] != "success":
                raise SourceError(f"{self.settings.url}: {str(told.get('error'))[:200]}")
            return told["data"]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SourceError(f"{self.settings.url} does not answer as Prometheus ({answer.status_code})") from None

    def _samples(self, mapping: MetricMapping, row: Row, series: Mapping[str, Any]) -> Iterator[Sample]:
        labels = {label: _PORT.sub("", value) for label, value in series["metric"].items()}
        called = mapping.component_of(row, labels) or self.component
        component = as_name(self.settings.components.get(called, called)) or self.component
        period = row.period if row.how is How.GAUGE else self.settings.window
        for at, text in series["values"]:
            value = float(text) * row.factor
            if math.isfinite(value):
                yield Sample(
                    site=self.site,
                    component=component,
                    layer=mapping.layer_of(row),
                    metric=row.metric,
                    at=datetime.fromtimestamp(float(at), UTC),
                    value=1.0 - value if row.one_minus else value,
                    period_seconds=period,
                    labels={"product": mapping.product},
                )

    def _connected(self) -> httpx2.Client:
        if self._client is None:
            headers, user = {"User-Agent": "whichlayer"}, self.settings.user
            if self.settings.token is not None:
                headers["Authorization"] = f"Bearer {resolve(self.settings.token)}"
            password = resolve(self.settings.password) if self.settings.password else ""
            auth = None if user is None else httpx2.BasicAuth(user, password)
            self._client = httpx2.Client(timeout=self.settings.timeout, headers=headers, auth=auth)
        return self._client


PLUGIN = _Prometheus()


def query(mapping: MetricMapping, row: Row, settings: PrometheusSettings) -> str:
    """Write one row as PromQL."""
    wanted = {**row.where, **settings.match}
    chosen = "{" + ",".join(f"{label}={json.dumps(value)}" for label, value in sorted(wanted.items())) + "}"
    span = f"[{settings.window:g}s]"
    by = f"by ({', '.join(row.component or mapping.component)})"
    if row.how is How.RATIO:
        return f"sum {by} (rate({row.name}{chosen}{span})) / sum {by} (rate({row.per}{chosen}{span}))"
    value = f"rate({row.name}{chosen}{span})" if row.how is How.RATE else f"{row.name}{chosen}"
    if row.over is not None:
        return f"sum {by} ({value}) / sum {by} ({row.over}{chosen})"
    return f"{'avg' if row.is_mean else 'sum'} {by} ({value})"


def _check(mapping: MetricMapping, match: Mapping[str, str]) -> None:
    """Refuse names that are none in PromQL: nothing but names may reach a query."""
    for row in mapping.rows:
        metrics = [name for name in (row.name, row.per, row.over) if name is not None]
        labels = [*mapping.component, *row.component, *row.where, *match]
        wrong = [name for name in metrics if not _METRIC.fullmatch(name)]
        wrong += [label for label in labels if not _LABEL.fullmatch(label)]
        if wrong:
            what = f"{wrong[0]!r} is no name of a metric or label in Prometheus"
            raise ConfigError([Mistake(file=mapping.product, line=1, column=1, message=what)])
