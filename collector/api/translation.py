"""What a series of Prometheus is here: found by its labels once, remembered while it comes again.

A series is what the mappings say. One that no mapping speaks of is kept under its own name when it says its layer
(label ``whichlayer_layer``) or when the catalogue knows it: the rule of OTLP metrics. Others are not kept.
The component is what the mapping says, else the label ``whichlayer_component``, ``instance`` or ``job``.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from collector.mapping import How, MetricMapping, Row
from collector.model.catalogue import CATALOGUE
from collector.model.checks import as_name
from collector.model.layer import Layer

_MOST_LABELS = 32
_LONGEST_LABEL = 200
_OWN = ("whichlayer_component", "instance", "job")
_LAYERS = frozenset(map(str, Layer))
_PORT = re.compile(r":\d+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What the values of a series are: ``factor`` makes them the catalogue's unit, ``labels`` is a JSON object."""

    component: str
    layer: str
    metric: str
    labels: str
    factor: float = 1.0
    one_minus: bool = False
    period_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the two series that a rate or a ratio is made of; ``key`` is the same for both."""

    key: bytes
    how: How
    below: bool  # the counter of operations, or what a gauge is divided by
    divided: bool  # by the other part; a rate without one is divided by the time that passed, and one with by both
    meaning: Meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What one series gives: samples as they are, parts of rates and ratios; nothing when nobody knows what it is."""

    kept: tuple[Meaning, ...] = ()
    parts: tuple[Part, ...] = ()


class Translation:
    """Knows the mappings of a collector, and the stable ``components`` for what labels call them."""

    def __init__(self, mappings: Sequence[MetricMapping], components: Mapping[str, str]) -> None:
        self._components = components
        self._rows: dict[str, list[tuple[MetricMapping, Row, bool]]] = {}
        for mapping in mappings:
            for row in mapping.rows:
                self._rows.setdefault(row.name, []).append((mapping, row, False))
                for other in (row.per, row.over):
                    if other is not None:
                        self._rows.setdefault(other, []).append((mapping, row, True))

    def of(self, labels: Mapping[str, str]) -> Series:
        """Say what the series with these labels is, ``__name__`` among them."""
        rows = self._rows.get(labels["__name__"])
        if rows is None:
            own = self._own(labels)
            return Series(kept=(own,) if own else ())
        kept, parts = [], []
        for mapping, row, below in rows:
            meaning = self._mapped(mapping, row, labels)
            if meaning is None:
                continue
            if row.how is How.GAUGE and row.over is None:
                kept.append(meaning)
            else:
                key = _key(mapping, row, labels)
                divided = row.how is not How.RATE or row.over is not None
                parts.append(Part(key=key, how=row.how, below=below, divided=divided, meaning=meaning))
        return Series(kept=tuple(kept), parts=tuple(parts))

    def _mapped(self, mapping: MetricMapping, row: Row, labels: Mapping[str, str]) -> Meaning | None:
        if any(labels.get(name) != value for name, value in row.where.items()):
            return None
        hosts = {name: _PORT.sub("", value) for name, value in labels.items()}
        component = self._component(mapping.component_of(row, hosts))
        if not component:
            return None
        told = {*row.where, *(row.component or mapping.component)}
        return Meaning(
            component=component,
            layer=str(mapping.layer_of(row)),
            metric=row.metric,
            labels=_json({name: value for name, value in labels.items() if name not in told}, product=mapping.product),
            factor=row.factor,
            one_minus=row.one_minus,
            period_seconds=row.period if row.how is How.GAUGE else None,
        )

    def _own(self, labels: Mapping[str, str]) -> Meaning | None:
        metric = as_name(labels["__name__"])
        layer = labels.get("whichlayer_layer") or (str(CATALOGUE[metric].layer) if metric in CATALOGUE else "")
        called = next((labels[name] for name in _OWN if labels.get(name)), "")
        component = self._component(_PORT.sub("", called))
        if not metric or not component or layer not in _LAYERS:
            return None
        rest = {name: value for name, value in labels.items() if not name.startswith("whichlayer_")}
        return Meaning(component=component, layer=layer, metric=metric, labels=_json(rest))

    def _component(self, called: str) -> str:
        return as_name(self._components.get(called, called))


def _key(mapping: MetricMapping, row: Row, labels: Mapping[str, str]) -> bytes:
    """Give the same key for the two series of a row: all labels but the name."""
    text = json.dumps([mapping.product, row.name, row.metric, sorted(row.where.items()), sorted(_unnamed(labels))])
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _unnamed(labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in labels.items() if name != "__name__")


def _json(labels: Mapping[str, str], **more: str) -> str:
    kept = dict(sorted(_unnamed(labels))[:_MOST_LABELS]) | more
    return json.dumps({k: v[:_LONGEST_LABEL] for k, v in kept.items()}, sort_keys=True, separators=(",", ":"))
