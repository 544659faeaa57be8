"""Layers of which nothing was heard for most of a time: silence clears nobody, and is said.

A component was silent when the ledger says so of more than half of the time (its source failed, or no longer
spoke of it), or when its own samples stopped: the last one lies before the middle of the time, and further from its
end than three of its usual intervals.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from analysis.demand import DEMAND
from analysis.quality import AGENTS
from analysis.surroundings import INDECISIVE
from analysis.window import Window
from collector.model.layer import Layer
from collector.model.quality import UNHEARD, QualityEvent, QualityKind
from collector.model.verdict import Finding, MethodUse

SILENCE = MethodUse(name="silence", version="1")
MOST = 0.5
INTERVALS = 3
LEAST_SAMPLES = 5
NAMED = 3
Silent = Mapping[Layer, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When a component was last heard as one layer, and how far apart its samples are."""

    layer: Layer
    last: datetime
    interval: timedelta


def rhythms(window: Window) -> Mapping[tuple[str, str], Sequence[Rhythm]]:
    """Give the rhythms of what was sampled, by (site, component)."""
    samples = window.samples
    telling = samples.loc[
        ~samples["metric"].isin([*INDECISIVE, *AGENTS, *DEMAND]), ["site", "component", "layer", "metric", "at"]
    ]
    if telling.empty:
        return {}
    columns = ["site", "component", "layer", "metric"]
    one = telling.groupby(columns, observed=True)["at"].agg(["min", "max", "count"])
    one = one[one["count"] >= LEAST_SAMPLES]
    one["interval"] = (one["max"] - one["min"]) / (one["count"] - 1)
    whole = one.groupby(columns[:3], observed=True).agg({"max": "max", "interval": "min"}).reset_index()
    found: dict[tuple[str, str], list[Rhythm]] = {}
    for site, component, layer, last, interval in whole[[*columns[:3], "max", "interval"]].itertuples(index=False):
        rhythm = Rhythm(
            layer=Layer(str(layer)),
            last=last.to_pydatetime().replace(tzinfo=UTC),
            interval=interval.to_pytimedelta(),
        )
        found.setdefault((str(site), str(component)), []).append(rhythm)
    return found


def silent(
    window: Window,
    heard: Mapping[tuple[str, str], Sequence[Rhythm]],
    site: str,
    span: tuple[datetime, datetime],
    elsewhere: Collection[str],
) -> Silent:
    """Name the layers of ``site``, and their components, of which nothing is known for most of ``span``.

    ``elsewhere`` are components that say nothing of the access in question.
    """
    found: dict[Layer, set[str]] = {}
    for layer, component in (*_told(window.ledger, site, span), *_stopped(heard, site, span)):
        if component not in elsewhere:
            found.setdefault(layer, set()).add(component)
    return {layer: sorted(names) for layer, names in sorted(found.items())}


def unproven(findings: Sequence[Finding], of: Silent) -> list[Finding]:
    """Leave out what speaks for a silent layer: what was heard before, or of another part of it, proves nothing."""
    return [_without_reasons_against(one) if one.layer in of and one.seconds is None else one for one in findings]


def remarks(window: Window, site: str, span: tuple[datetime, datetime], mine: Collection[str], of: Silent) -> list[str]:
    """Say what the ledger knows of this time and of what the verdict rests on; ``mine`` are its endpoints."""
    said = [
        f"nothing was heard of {str(layer).replace('_', ' ')} ({_some(names)}) for most of this time: "
        "its own measures do not clear it"
        for layer, names in of.items()
    ]
    named = {name for names in of.values() for name in names}
    events = list(_overlapping(window.ledger, site, span))
    endpoints = set(window.steps["endpoint"].unique()) if events else set()
    spans: dict[str, timedelta] = {}
    for event in events:
        if event.subject in endpoints and event.subject not in mine:
            continue
        if event.kind not in UNHEARD:
            said += _point(event)
        elif event.subject not in named:
            spans[event.subject] = spans.get(event.subject, timedelta()) + _inside(event, span)
    silences = [
        f"{name} {lasted.total_seconds():.0f} s" for name, lasted in spans.items() if lasted.total_seconds() >= 1
    ]
    if silences:
        said.append(f"not heard for a part of this time: {_some(silences)}")
    return list(dict.fromkeys(said))


def _point(event: QualityEvent) -> list[str]:
    words = {
        QualityKind.COUNTER_RESET: f"counters of {event.subject} began anew: {event.detail}",
        QualityKind.UNIT_SURPRISE: f"{event.subject}: {event.detail}",
        QualityKind.IMPORT_WARNING: f"imported of {event.subject}: {event.detail}",
        QualityKind.REJECTED_ROWS: f"refused from {event.subject}: {_amount(event)} ({event.detail})",
        QualityKind.SPOOL_LOSS: event.detail,
    }
    return [words[event.kind]] if event.kind in words else []  # the others are seen in the runs themselves


def _amount(event: QualityEvent) -> str:
    return f"{event.amount or 0:.0f} {event.unit}"


def _told(events: Sequence[QualityEvent], site: str, span: tuple[datetime, datetime]) -> Iterator[tuple[Layer, str]]:
    lasted: dict[tuple[Layer, str], list[tuple[datetime, datetime]]] = {}
    for event in _overlapping(events, site, span):
        if event.kind in UNHEARD:
            for layer in event.layers:
                lasted.setdefault((layer, event.subject), []).append(_clipped(event, span))
    for what, times in lasted.items():
        if _union(times) > MOST * (span[1] - span[0]):
            yield what


def _stopped(
    heard: Mapping[tuple[str, str], Sequence[Rhythm]], site: str, span: tuple[datetime, datetime]
) -> Iterator[tuple[Layer, str]]:
    most_ago = span[1] - (span[1] - span[0]) * MOST
    for (place, component), known in heard.items():
        if place != site:
            continue
        for rhythm in known:
            if rhythm.last < most_ago and rhythm.last < span[1] - INTERVALS * rhythm.interval:
                yield rhythm.layer, component


def _overlapping(events: Sequence[QualityEvent], site: str, span: tuple[datetime, datetime]) -> Iterator[QualityEvent]:
    for event in events:
        if event.site == site and event.at <= span[1] and (event.until is None or event.until >= span[0]):
            yield event


def _clipped(event: QualityEvent, span: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    return max(event.at, span[0]), min(event.until or span[1], span[1])


def _inside(event: QualityEvent, span: tuple[datetime, datetime]) -> timedelta:
    begin, end = _clipped(event, span)
    return end - begin


def _union(times: Sequence[tuple[datetime, datetime]]) -> timedelta:
    total, reached = timedelta(), None
    for begin, end in sorted(times):
        fresh = begin if reached is None else max(begin, reached)
        if end > fresh:
            total, reached = total + (end - fresh), end
    return total


def _without_reasons_against(finding: Finding) -> Finding:
    return replace(finding, evidence=tuple(evidence for evidence in finding.evidence if evidence.supports))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
