"""The pure part: one window in, verdicts out. Runs in a worker process, without clock or disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from analysis import methods
from analysis.contention import supplied, unsettled
from analysis.counting import RULES
from analysis.demand import DEMAND
from analysis.episode import Episode
from analysis.episodes import Judgement, judge
from analysis.levels import Levels
from analysis.made_with import made_with, shaping
from analysis.method import Method
from analysis.quality import AGENTS, Agents, agents, notes
from analysis.series import Bools, Series, stamp
from analysis.settings import AnalysisSettings
from analysis.silence import SILENCE, Rhythm, Silent, remarks, rhythms, silent, unproven
from analysis.statistics import Floats, bounded, median_interval
from analysis.surroundings import INDECISIVE
from analysis.verdict import attribute, identity, quiet
from analysis.watch import LOOKS
from analysis.where import troubled, where
from analysis.window import Window
from collector.model.access import Population
from collector.model.layer import Layer
from collector.model.verdict import Finding, MethodUse, Reference, Rung, Status, Verdict, Where
from collector.plugin import load, names

EXPECTATION = MethodUse(name="expectation", version="3")
# What a verdict says as its episode does.
TOLD = (
    *("site", "status", "against", "rung", "journey", "step", "population", "environment"),
    *("start", "end", "open", "runs", "censored", "stood", "measured", "expected", "excess_seconds", "excess_rate"),
)
EPISODES = MethodUse(name="episodes", version="4")
LOCATE = MethodUse(name="locate", version="1")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What is the same for every verdict of one window."""

    window: Window
    settings: AnalysisSettings
    tools: tuple[Method, ...]
    heard: Agents
    sampled: Mapping[str, Sequence[Layer]]
    rhythms: Mapping[tuple[str, str], Sequence[Rhythm]]
    trouble: Floats
    endpoints: frozenset[str]
    now: datetime


def conclude(window: Window, against: Reference, settings: AnalysisSettings, *, now: datetime) -> list[Verdict]:
    """Say what is so of every step and population in the window, worst first.

    Each slow or failing episode that overlaps ``window.start`` to ``window.end`` has a verdict; a
    series without one has a single verdict ``normal`` or ``not_enough_evidence``.
    """
    tools = tuple(load(methods, name, Method) for name in names(methods))
    judged = judge(window, against, settings)
    scene = _Scene(
        window=window,
        settings=settings,
        tools=tools,
        heard=agents(window),
        sampled=_sampled(window),
        rhythms=rhythms(window),
        trouble=troubled(window, judged),
        endpoints=frozenset(window.steps["endpoint"].unique()),
        now=now,
    )
    found = []
    for one in judged:
        others = _others(one, judged)
        episodes = [e for e in one.episodes if e.end >= window.start and e.start < window.end]
        found += [_verdict(scene, one.levels.series, e, others) for e in episodes]
        if not any(e.open for e in episodes):
            found += _standing(scene, one, others)
    return sorted(found, key=worst)


def worst(verdict: Verdict) -> tuple[int, float, str, str, str, str, datetime]:
    """Give the order in which verdicts are shown: failing, slow by excess, the rest."""
    rank = [Status.FAILING, Status.SLOW, Status.NOT_ENOUGH_EVIDENCE, Status.NORMAL].index(verdict.status)
    excess = verdict.excess_rate or verdict.excess_seconds
    size = -excess.estimate if excess else 0.0
    return rank, size, verdict.site, verdict.journey, verdict.step, str(verdict.population), verdict.start


def _others(one: Judgement, judged: Sequence[Judgement]) -> list[Population]:
    key = one.levels.series.key
    return [j.levels.series.key.population for j in judged if j.levels.series.key.place == key.place and j is not one]


def _verdict(scene: _Scene, series: Series, episode: Episode, others: list[Population]) -> Verdict:
    window, settings = scene.window, scene.settings
    findings = [finding for tool in scene.tools for finding in tool.explain(window, episode, level=settings.level)]
    excess, span = episode.excess_rate or episode.excess_seconds, (episode.start, episode.end)
    unheard = _unheard(scene, series, span)
    attribution = attribute(unproven(findings, unheard), excess) if excess else None
    inside = (series.slots >= stamp(episode.start)) & (series.slots <= stamp(episode.end))
    timed, place = int((inside & series.timed).sum()), where(window, scene.trouble, episode)
    return Verdict(
        id=_id(series, episode.against, episode.start),
        **{name: getattr(episode, name) for name in TOLD},
        at_least=2 * episode.censored >= timed > 0,
        excess_at_least=episode.excess_seconds is not None and episode.censored > int(timed * RULES.trimmed),
        layers=supplied(attribution.layers, window.estate, episode) if attribution else (),
        unexplained=attribution.unexplained if attribution else None,
        inseparable=attribution.inseparable if attribution else (),
        data_quality=(*_quality(scene, series, inside, others, span, unheard), *unsettled(window, episode)),
        methods=(EXPECTATION, EPISODES, *_used(findings, place, unheard)),
        counting_rules=RULES.version,
        snapshot=window.snapshot,
        digest=window.digest,
        reached_at=scene.now,
        where=place,
        **_read(scene),
    )


def _used(findings: Sequence[Finding], place: Where | None, unheard: Silent) -> list[MethodUse]:
    used = {finding.method for finding in findings} | ({LOCATE} if place else set()) | _withheld(unheard)
    return sorted(used, key=lambda use: use.name)


def _standing(scene: _Scene, one: Judgement, others: list[Population]) -> list[Verdict]:
    """Say normal or not enough evidence; nothing at all of a step whose journey declares no target."""
    window, settings = scene.window, scene.settings
    found, series = one.levels, one.levels.series
    if found.against is Reference.TARGET and found.band is None:
        return []
    inside = series.between(window.start, window.end)
    timed = series.seconds[inside & series.timed]
    enough = found.band is not None and (len(timed) >= LOOKS[0] or _mostly_quiet(found, inside))
    band, span = found.band, (window.start, window.end)
    unheard = _unheard(scene, series, span)
    sampled = [layer for layer in scene.sampled.get(series.key.site, ()) if layer not in unheard]
    return [
        Verdict(
            id=_id(series, found.against, window.start),
            site=series.key.site,
            status=Status.NORMAL if enough else Status.NOT_ENOUGH_EVIDENCE,
            against=found.against,
            rung=band.rung if band else Rung.NONE,
            journey=series.key.journey,
            step=series.key.step,
            population=series.key.population,
            environment=series.key.environment,
            start=window.start,
            end=window.end,
            runs=int(inside.sum()),
            censored=int(series.censored[inside].sum()),
            measured=median_interval(timed, settings.level) if len(timed) else None,
            expected=bounded(band.mid, band.low, band.high, settings.level) if band else None,
            at_least=2 * int(series.censored[inside].sum()) >= len(timed) > 0,
            layers=quiet(sampled, _told(series)) if enough else (),
            data_quality=_quality(scene, series, inside, others, span, unheard),
            methods=(EXPECTATION, EPISODES, *_withheld(unheard)),
            counting_rules=RULES.version,
            snapshot=window.snapshot,
            digest=window.digest,
            reached_at=scene.now,
            **_read(scene),
        )
    ]


def _unheard(scene: _Scene, series: Series, span: tuple[datetime, datetime]) -> Silent:
    elsewhere = scene.endpoints.difference(series.words("endpoint"))
    return silent(scene.window, scene.rhythms, series.key.site, span, elsewhere)


def _withheld(unheard: Silent) -> set[MethodUse]:
    return {SILENCE} if unheard else set()


def _quality(
    scene: _Scene,
    series: Series,
    inside: Bools,
    others: list[Population],
    span: tuple[datetime, datetime],
    unheard: Silent,
) -> tuple[str, ...]:
    """Say what a reader must know: of the runs themselves, and what the ledger has of this time."""
    of_runs = notes(series, inside, others, scene.window, scene.settings, scene.heard)
    return (*of_runs, *remarks(scene.window, series.key.site, span, series.words("endpoint", inside), unheard))


def _read(scene: _Scene) -> dict[str, Any]:
    """Say which facts were read, and with what settings and versions, so that they can be read again."""
    window = scene.window
    estate = window.estate.digest if window.estate else None
    return {
        "settings": shaping(scene.settings),
        "made_with": made_with(),
        "facts_start": window.start,
        "facts_end": window.end,
        "facts_since": window.history_start,
        "estate": estate,
    }


def _mostly_quiet(found: Levels, inside: Bools) -> bool:
    """Say whether, of few runs, fewer than half were slow or bad: at a run every 5 minutes 3 lie in a window."""
    series = found.series
    judged = inside & (series.bad | ~np.isnan(found.threshold))
    troubled = judged & (series.bad | (series.seconds > found.threshold))
    return bool((judged & series.timed).any()) and 2 * int(troubled.sum()) < int(judged.sum())


def _id(series: Series, against: Reference, start: datetime) -> str:
    key = series.key
    population = f"{key.population.link}/{key.population.presentation}"
    return identity(key.site, key.journey, key.step, population, key.environment, against, start.isoformat())


def _sampled(window: Window) -> Mapping[str, Sequence[Layer]]:
    """Name the layers of each site that decisive samples were taken of."""
    samples = window.samples
    silent_on_layers = [*INDECISIVE, *AGENTS, *DEMAND]
    telling = samples.loc[~samples["metric"].isin(silent_on_layers), ["site", "layer"]].drop_duplicates()
    found: dict[str, list[Layer]] = {}
    for site, layer in sorted((str(site), str(layer)) for site, layer in telling.itertuples(index=False)):
        found.setdefault(site, []).append(Layer(layer))
    return found


def _told(series: Series) -> list[Layer]:
    """Name the layers whose time the step itself measures."""
    phases = {
        "processing": [Layer.ACCESS_NETWORK, Layer.NETWORK_CORE],
        "server_app": [Layer.APPLICATION],
        "server_db": [Layer.DATABASE],
        "server_identity": [Layer.IDENTITY],
        "display": [Layer.REMOTE_SESSION],
        "identity": [Layer.IDENTITY],
        "spool": [Layer.PRINTING],
    }
    told = [layers for phase, layers in phases.items() if series.measures(phase)]
    return [layer for layers in told for layer in layers]
