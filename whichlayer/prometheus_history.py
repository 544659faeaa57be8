"""Answers from a Prometheus that is there already: read only, no agent, no data folder, nothing kept."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import typer

from analysis.loading import SAMPLES_BEFORE
from analysis.settings import AnalysisSettings
from analysis.why import why
from collector import estate as maps
from collector import history
from collector.document import validate
from collector.history import Past
from collector.model.errors import ConfigError, Mistake, SourceError
from collector.model.estate import Estate, Probe
from collector.model.facts import Facts
from collector.model.verdict import Verdict
from collector.sources.prometheus import OpenPrometheus, PrometheusSettings
from collector.store import Batch
from whichlayer.answers import Asked

_NAMED = 5  # of a longer list, in one line
_WHOLE = "estate"  # name of the site where the map has several: runs of all of them are compared


def verdicts_of(
    asked: Asked, map_file: Path | None, *, access: Mapping[str, str | None], hours: float, mappings: Sequence[str]
) -> list[Verdict]:
    """Ask ``access`` (url, user, password, token; the last two by reference) and conclude, worst first.

    What the map and Prometheus do not have of each other goes to standard error. Raises SourceError, ConfigError,
    SecretError, typer.BadParameter.
    """
    if map_file is None:
        raise typer.BadParameter("say what its probes stand for: whichlayer estate example", param_hint="--map")
    estate = maps.read(map_file)
    if not estate.probes:
        what = "has no probes: say which instance of blackbox_exporter is which endpoint and journey (docs/estate.md)"
        raise ConfigError([Mistake(file=str(map_file), line=1, column=1, message=what)])
    start = min(asked.start, asked.end - timedelta(hours=hours))
    site = estate.sites[0] if len(estate.sites) == 1 else _WHOLE
    with asked_of(access, site=site) as source:
        source.mappings = history.known(source, mappings, Path())
        sampled = max(start, asked.start - SAMPLES_BEFORE)
        past = history.read(source, estate, start=start, sampled=sampled, end=asked.end)
    for line in _differences(past, estate):
        print(line, file=sys.stderr)
    if not past.facts.runs:
        begin, end = f"{start:%Y-%m-%d %H:%M}", f"{asked.end:%Y-%m-%d %H:%M}"
        raise SourceError(f"{access['url']} has no probe_success of any probe in {map_file}, {begin} to {end} UTC")
    return [_noted(verdict, past, estate) for verdict in _concluded(asked, estate, past.facts, start)]


@contextmanager
def asked_of(access: Mapping[str, str | None], *, site: str) -> Iterator[OpenPrometheus]:
    """Open a Prometheus to be asked, with no mapping yet. Raises typer.BadParameter for a password in its address."""
    if "@" in urlsplit(access["url"] or "").netloc:
        raise typer.BadParameter("no password in an address: give --user and --password", param_hint="--prometheus")
    settings = validate({**access, "mappings": ["all"]}, PrometheusSettings, file="--prometheus")
    source = OpenPrometheus(site=site, component="prometheus", settings=settings, mappings=())
    try:
        yield source
    finally:
        source.close()


def _concluded(asked: Asked, estate: Estate, facts: Facts, start: datetime) -> list[Verdict]:
    from collector.registries.database import DatabaseRegistry
    from collector.stores.memory import MemoryStore

    store, registry = MemoryStore(), DatabaseRegistry("sqlite://")
    try:
        registry.put_estate(estate)
        store.append(Batch.of(facts, batch_id="prometheus:1", sender="prometheus"))
        before = max((asked.start - start).total_seconds(), 1.0)
        settings = AnalysisSettings(history_seconds=before)
        return why(store, registry, settings, start=asked.start, end=asked.end, against=asked.against, now=asked.now)
    finally:
        store.close()
        registry.close()


def _noted(verdict: Verdict, past: Past, estate: Estate) -> Verdict:
    """Add what such data can and cannot tell."""
    mine = [one for one in estate.probes if _speaks_of(verdict, one)]
    return replace(verdict, data_quality=(*verdict.data_quality, *_notes(mine, past)))


def _speaks_of(verdict: Verdict, probe: Probe) -> bool:
    same = (verdict.journey, verdict.step, verdict.environment) == (probe.journey, probe.step, probe.environment)
    return same and verdict.population == probe.access.population


def _notes(probes: Sequence[Probe], past: Past) -> Iterator[str]:
    yield (
        "from probes of blackbox_exporter in Prometheus: one request without signing in, no journey; "
        "what users see of other steps is not known"
    )
    found = [past.intervals.get((one.endpoint, one.journey, one.step)) for one in probes]
    if known := [interval for interval in found if interval is not None]:
        yield f"one probe every {max(known):g} s: what is shorter may be missed, and no time is known closer than that"
    limits = ", ".join(sorted({f"{one.timeout_seconds:g} s" for one in probes}))
    yield f"a failed probe that took its whole timeout ({limits}, by the map) counts as at least so long"
    silent = [one for one in probes if one in past.silent]
    if silent:
        yield f"no data of {_some([_called(one) for one in silent])}, which the map has"
    doubled = [one for one in probes if one in past.doubled]
    if doubled:
        yield f"several series are {_some([_called(one) for one in doubled])} by the map, and are counted together"
    yield "the access is what the map says, not detected"


def _differences(past: Past, estate: Estate) -> Iterator[str]:
    if past.silent:
        yield f"In the map and without data: {_some([_called(one) for one in past.silent])}."
    if past.strangers:
        yield f"Probed and not in the map, so left out: {_some(past.strangers)}."
    if past.unmapped:
        yield f"Components with data and not in the map, so left out: {_some(past.unmapped)}."
    sampled = {sample.component for sample in past.facts.samples}
    if estate.components and not sampled:
        yield "No component of the map has samples: nothing but the probes speaks."


def _called(probe: Probe) -> str:
    return f"{probe.labels['instance']} ({probe.endpoint})"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
