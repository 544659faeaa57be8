"""The past of a site that has a Prometheus and no agent: blackbox_exporter's probes as runs, exporters as samples.

Raw points are asked for (an instant query with a range selector), since a range query would repeat the last value
until the next scrape. All metrics of one scrape carry one timestamp: what has the same labels and time is one probe.
Only questions are sent. Probes and components that the map does not have are named, and not read.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

from collector.mapping import MetricMapping, load, shipped
from collector.model.estate import Estate, Probe
from collector.model.facts import Facts
from collector.model.run import Outcome, Phase, Run, StepTiming
from collector.model.sample import Sample
from collector.sources.prometheus import OpenPrometheus

_PHASES = {str(phase): phase for phase in (Phase.RESOLVE, Phase.CONNECT, Phase.TLS, Phase.PROCESSING, Phase.TRANSFER)}
_ASKED = ("probe_success", "probe_duration_seconds", "probe_http_duration_seconds", "probe_http_status_code")
_MOST_POINTS = 10_000  # of one series in one answer: Prometheus refuses more than 11,000
_AS_LONG = 0.99  # of its timeout: a failed probe that took so long gave up, and did not get an error
_ERRORS = 400

Labels = tuple[tuple[str, str], ...]
_Points = Mapping[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was found. ``intervals`` are seconds between two probes by (endpoint, journey, step).

    ``silent`` are probes of the map without a point, ``doubled`` those that several series are of; ``strangers``
    are probed instances the map does not have, ``unmapped`` components.
    """

    facts: Facts
    intervals: Mapping[tuple[str, str, str], float]
    silent: Sequence[Probe]
    doubled: Sequence[Probe]
    strangers: Sequence[str]
    unmapped: Sequence[str]


def read(source: OpenPrometheus, estate: Estate, *, start: datetime, sampled: datetime, end: datetime) -> Past:
    """Read probes from ``start`` and samples from ``sampled``, both to ``end``. Raises SourceError."""
    series = _series(source, start, end)
    whose = {labels: next((one for one in estate.probes if one.has(dict(labels))), None) for labels in series}
    intervals: dict[tuple[str, str, str], float] = {}
    runs: list[Run] = []
    for labels, points in series.items():
        if (probe := whose[labels]) is not None:
            interval = _interval(points["probe_success"])
            intervals[probe.endpoint, probe.journey, probe.step] = interval
            runs += _runs(source.site, probe, labels, points, interval)
    seen = [probe for probe in whose.values() if probe is not None]
    widest = max(intervals.values(), default=0.0)
    wide = {"step": max(source.settings.step, widest), "window": max(source.settings.window, 4 * widest)}
    source.settings = source.settings.model_copy(update=wide)
    samples = list(_samples(source, sampled, end))
    kept = [sample for sample in samples if estate.component(sample.component)]
    return Past(
        facts=Facts(runs=tuple(runs), samples=tuple(kept)),
        intervals=intervals,
        silent=[one for one in estate.probes if one not in seen],
        doubled=[one for one in estate.probes if seen.count(one) > 1],
        strangers=sorted({dict(labels).get("instance", "") for labels, probe in whose.items() if probe is None}),
        unmapped=sorted({sample.component for sample in samples} - {sample.component for sample in kept}),
    )


def known(source: OpenPrometheus, names: Sequence[str], folder: Path) -> tuple[MetricMapping, ...]:
    """Give mappings with the rows whose metrics this Prometheus has; of all shipped products without ``names``.

    Raises SourceError, ConfigError.
    """
    there = set(source.ask("label/__name__/values", {}))
    found = []
    for mapping in load(names or shipped(), folder):
        rows = tuple(row for row in mapping.rows if {row.name, row.per, row.over} - {None} <= there)
        if rows:
            found.append(mapping.model_copy(update={"rows": rows}))
    return tuple(found)


def _series(source: OpenPrometheus, start: datetime, end: datetime) -> Mapping[Labels, Mapping[str, _Points]]:
    """Give the points of every probe by its labels and by metric; a phase is a metric of its own."""
    found: dict[Labels, dict[str, dict[float, float]]] = defaultdict(lambda: defaultdict(dict))
    span = f"[{(end - start).total_seconds():.0f}s]"
    for name in _ASKED:
        for one in source.ask("query", {"query": name + span, "time": end.timestamp()})["result"]:
            labels = {label: value for label, value in one["metric"].items() if label != "__name__"}
            what = labels.pop("phase", name)
            points = {float(at): float(value) for at, value in one["values"]}
            found[tuple(sorted(labels.items()))][what].update(points)
    return {labels: points for labels, points in sorted(found.items()) if points.get("probe_success")}


def _interval(points: _Points) -> float:
    """Give the usual distance of points in whole seconds; a minute where there is one alone."""
    times = sorted(points)
    apart = [later - earlier for earlier, later in pairwise(times)]
    return float(max(1, round(median(apart)))) if apart else 60.0


def _runs(site: str, probe: Probe, labels: Labels, points: Mapping[str, _Points], interval: float) -> Iterator[Run]:
    """Make a run of each probe. Runs of several probes in one interval share a slot, and so are pairs."""
    digest = hashlib.sha256(f"blackbox {probe.journey} {probe.step}".encode()).hexdigest()
    for at, success in points["probe_success"].items():
        step = _step(probe, at, success == 1, points)
        if step is None:
            continue
        yield Run(
            run_id=hashlib.sha256(f"{labels} {at:.3f}".encode()).hexdigest()[:32],
            site=site,
            endpoint=probe.endpoint,
            access=probe.access,
            journey=probe.journey,
            journey_hash=digest,
            environment=probe.environment,
            slot=datetime.fromtimestamp(at // interval * interval, UTC),
            started_at=datetime.fromtimestamp(at, UTC),
            seconds=step.seconds,
            outcome=step.outcome,
            steps=(step,),
            driver="blackbox",
        )


def _step(probe: Probe, at: float, success: bool, points: Mapping[str, _Points]) -> StepTiming | None:
    """Make the one step of a probe; None where it succeeded and nothing says how long it took."""
    seconds = points.get("probe_duration_seconds", {}).get(at)
    if success and seconds is None:
        return None
    outcome = _outcome(probe, seconds, success)
    told = points.get("probe_http_status_code", {}).get(at, 0.0)
    status = int(told) if told >= 1 else None
    phases = {phase: points.get(name, {}).get(at, 0.0) for name, phase in _PHASES.items()}
    return StepTiming(
        step=probe.step,
        outcome=outcome,
        seconds=seconds,
        censored=outcome is Outcome.TIMEOUT,
        phases={phase: value for phase, value in phases.items() if value > 0},  # 0 is how it says: did not happen
        target_seconds=probe.target_seconds,
        requests=1,
        connection="new",
        http_status=status,
        error_kind=_kind(outcome, status),
    )


def _outcome(probe: Probe, seconds: float | None, success: bool) -> Outcome:
    if success:
        slow = probe.target_seconds is not None and seconds is not None and seconds > probe.target_seconds
        return Outcome.SLOW if slow else Outcome.OK
    gave_up = seconds is not None and seconds >= _AS_LONG * probe.timeout_seconds
    return Outcome.TIMEOUT if gave_up else Outcome.FAILED


def _kind(outcome: Outcome, status: int | None) -> str | None:
    if outcome is not Outcome.FAILED:
        return None
    if status is None:
        return "probe"  # name, connection or TLS: blackbox_exporter keeps no word of which
    return "status" if status >= _ERRORS else "expect"


def _samples(source: OpenPrometheus, start: datetime, end: datetime) -> Iterator[Sample]:
    """Read in parts, so that no answer holds more points than Prometheus gives."""
    part = timedelta(seconds=source.settings.step * _MOST_POINTS)
    while start <= end:
        until = min(end, start + part)
        yield from source.between(start, until)
        start = until + timedelta(seconds=source.settings.step)
