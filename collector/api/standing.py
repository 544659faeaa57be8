"""What is concluded now, as metrics: for alerts and boards of a Prometheus that scrapes the collector."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from prometheus_client.core import GaugeMetricFamily

from collector.model.verdict import Interval, Status, Verdict

_LABELS = ("site", "environment", "journey", "step", "link", "presentation", "against")
_MOST = 2000  # of the newest conclusions: what nobody concludes any more makes room
_CURRENT = timedelta(minutes=15)


def families(standing: Iterable[Verdict], now: datetime) -> Sequence[GaugeMetricFamily]:
    """Give the gauges. What was concluded more than 15 minutes ago has its time left and nothing else: never a 0."""
    newest = sorted(standing, key=lambda verdict: verdict.reached_at, reverse=True)[:_MOST]
    when = _gauge("concluded_timestamp_seconds", "when it was last concluded")
    status = _gauge("status", "1 for what is said of the step now, 0 for what is not", "state")
    excess = _gauge("excess_seconds", "seconds above its reference", "bound")
    failures = _gauge("excess_failures_ratio", "failures per run above its reference", "bound")
    shares = _gauge("layer_share_ratio", "share of the excess, of a layer that is blamed", "layer", "bound")
    left = _gauge("unexplained_ratio", "share of the excess no layer accounts for", "bound")
    for verdict in newest:
        key = _key(verdict)
        when.add_metric(key, verdict.reached_at.timestamp())
        if now - verdict.reached_at > _CURRENT:
            continue
        for state in Status:
            status.add_metric((*key, str(state)), float(verdict.status is state))
        _bounds(excess, key, verdict.excess_seconds)
        _bounds(failures, key, verdict.excess_rate)
        for layer in verdict.blamed:
            for bound, value in (("estimate", layer.share), ("low", layer.low), ("high", layer.high)):
                shares.add_metric((*key, str(layer.layer), bound), value)
        if verdict.unexplained is not None:
            part = verdict.unexplained
            for bound, value in (("estimate", part.share), ("low", part.low), ("high", part.high)):
                left.add_metric((*key, bound), value)
    return (when, status, excess, failures, shares, left)


def _gauge(name: str, text: str, *more: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"whichlayer_verdict_{name}", text, labels=(*_LABELS, *more))


def _key(verdict: Verdict) -> tuple[str, ...]:
    population = verdict.population
    place = (verdict.site, verdict.environment, verdict.journey, verdict.step)
    return (*place, str(population.link), str(population.presentation), str(verdict.against))


def _bounds(family: GaugeMetricFamily, key: tuple[str, ...], value: Interval | None) -> None:
    if value is not None:
        for bound, number in (("estimate", value.estimate), ("low", value.low), ("high", value.high)):
            family.add_metric((*key, bound), number)
