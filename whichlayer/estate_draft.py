"""Drafts a map of the estate from what has data: a start for the person who knows what data do not say.

It writes down names, layers and kinds, and leaves who uses what, what runs on what and who answers as comments to be
filled in. What a draft says passes the check of maps as it is.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from collector import estate, history
from collector.model.checks import as_name
from collector.sources.prometheus import OpenPrometheus
from collector.store import Every, Slice, Store

_LATELY = timedelta(minutes=5)
_PROBES = "group by (instance, job) (last_over_time(probe_success[1h]))"
_NAMED = 4  # metrics of a component, in one line
# how the metrics of a kind of component begin: the first that most of its metrics begin so
_KINDS = {
    "db.": "database", "storage.lun.": "lun", "storage.array.": "array", "datastore.": "datastore", "vm.": "vm",
    "network.port.": "port", "network.path.": "station", "wifi.ap.": "access point", "printer.": "printer",
    "share.": "share", "link.": "link", "session.": "session host", "system.": "host",
}  # fmt: skip
_HEAD = """\
# Drafted by whichlayer estate draft on {day} from {source}.
# It knows what has data, and nothing of what that is for. Fill in who uses each component, what it runs on and who
# answers for it (docs/estate.md), then: whichlayer estate check estate.yaml
"""
_ASKED = """\
    # environments: [{environment}]      # who uses it directly
    # runs_on: [{{on: host-1}}]
    # supplied: [{{by: hosting}}]
"""


@dataclass(slots=True, kw_only=True)
class Found:
    """What has data. ``metrics`` counts by component its (layer, metric); ``sites`` and ``endpoints`` are by name."""

    metrics: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    sites: dict[str, str] = field(default_factory=dict)
    endpoints: dict[str, str] = field(default_factory=dict)
    environments: set[str] = field(default_factory=set)
    probes: list[Mapping[str, str]] = field(default_factory=list)


def from_store(store: Store, now: datetime, back: timedelta) -> Found:
    """Look at the samples and runs of the last days."""
    found, rows = Found(), Slice(start=now - back, end=now + timedelta(seconds=1))
    by = ("site", "component", "layer", "metric")
    for one in store.trend("samples", rows, every=Every.DAY, by=by).to_pylist():
        found.metrics[one["component"]][one["layer"], one["metric"]] += 1
        found.sites[one["component"]] = one["site"]
    runs = store.scan("runs", rows, columns=["site", "endpoint", "environment"])
    for one in runs.group_by(["site", "endpoint", "environment"]).aggregate([]).to_pylist():
        found.endpoints[one["endpoint"]] = one["site"]
        found.environments.add(one["environment"])
    return found


def from_prometheus(source: OpenPrometheus, mappings: Sequence[str], now: datetime) -> Found:
    """Ask a Prometheus what it has of the mappings, and what it probes. Raises SourceError, ConfigError."""
    source.mappings = history.known(source, mappings, Path())
    found = Found()
    for sample in source.between(now - _LATELY, now):
        if sample.component != source.component:  # series that name no component
            found.metrics[sample.component][str(sample.layer), sample.metric] += 1
            found.sites[sample.component] = source.site
    for one in source.ask("query", {"query": _PROBES, "time": now.timestamp()})["result"]:
        found.probes.append({label: str(one["metric"].get(label, "")) for label in ("instance", "job")})
        found.endpoints[_vantage(found.probes[-1])] = source.site
    return found


def written(found: Found, *, site: str, source: str, now: datetime) -> str:
    """Write the draft; ``site`` is that of an empty one, ``source`` says what was looked at."""
    environments = sorted(found.environments, key=lambda name: (name != "live", name)) or ["live"]
    sites = sorted({site, *found.sites.values(), *found.endpoints.values()})
    own = {name: counted for name, counted in sorted(found.metrics.items()) if name not in found.endpoints}
    lines = [_HEAD.format(day=f"{now:%Y-%m-%d}", source=source), "sites:"]
    lines += [f"  - {{name: {_text(name)}}}" for name in sites]
    lines += [f"environments: [{', '.join(map(_text, environments))}]", "suppliers: []", "# - {name: hosting}"]
    lines += ["", "endpoints:" if found.endpoints else "endpoints: []"]
    lines += [f"  - {{name: {_text(name)}, site: {_text(at)}}}" for name, at in sorted(found.endpoints.items())]
    lines += ["", "components:" if own else "components: []"]
    for name, counted in own.items():
        if _whole(name, own) is None:
            parts = [other for other in own if _whole(other, own) == name]
            lines += _component(name, counted, parts, found.sites.get(name, site), environments[0])
    if found.probes:
        lines += [
            "",
            "# What each probe stands for: set endpoint, journey and link (wired, wifi, vpn, mobile).",
            "probes:",
        ]
        lines += [_probe(one) for one in sorted(found.probes, key=str)]
    text = "\n".join(lines) + "\n"
    estate.understood(text, Path("the draft"))
    return text


def _component(
    name: str, counted: Mapping[tuple[str, str], int], parts: Sequence[str], site: str, environment: str
) -> Iterator[str]:
    metrics = sorted({metric for _, metric in counted})
    layers = Counter(layer for layer, _ in counted)
    yield f"  - name: {_text(name)}"
    yield f"    layer: {layers.most_common(1)[0][0]}"
    yield f"    kind: {_kind(metrics)}"
    yield f"    site: {_text(site)}"
    yield f"    # has: {_some(metrics)}"
    if parts:
        yield f"    # of it, or components of their own: {_some(parts)}"
    yield _ASKED.format(environment=environment).rstrip("\n")


def _probe(one: Mapping[str, str]) -> str:
    host = as_name(re.split(r"[/:]", re.sub(r"^\w+://", "", one["instance"]))[0]) or "page"
    job = f", job: {_text(one['job'])}" if one["job"] else ""
    return f"  - {{instance: {_text(one['instance'])}{job}, endpoint: {_text(_vantage(one))}, journey: {_text(host)}}}"


def _vantage(probe: Mapping[str, str]) -> str:
    return as_name(probe["job"]) or "prober"


def _whole(name: str, names: Iterable[str]) -> str | None:
    """Name what a component is a part of by its name, as a disk of a host is (``db01-d``); None where of nothing."""
    return min((other for other in names if name.startswith(f"{other}-")), key=len, default=None)


def _kind(metrics: Sequence[str]) -> str:
    counted = Counter(kind for metric in metrics for begins, kind in _KINDS.items() if metric.startswith(begins))
    return counted.most_common(1)[0][0] if counted else "component"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _text(text: str) -> str:
    """Write a text so that YAML reads exactly it."""
    plain = re.fullmatch(r"[A-Za-z][\w./-]*", text) and text.lower() not in {
        "yes",
        "no",
        "on",
        "off",
        "true",
        "false",
        "null",
    }
    return text if plain else json.dumps(text, ensure_ascii=False)
