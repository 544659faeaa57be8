""" "Why was this slow?": one verdict with its evidence, or the facts of any window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from collector.model.access import Link, Population, Presentation
from collector.model.verdict import Evidence, Interval, Verdict
from dashboards import wording
from dashboards.facts import around
from dashboards.facts.around import Asked
from dashboards.facts.recent import last_runs
from dashboards.layers import arranged
from dashboards.web import drawing
from dashboards.web.charts import Chart, Frame
from dashboards.web.view import LONGEST, View, address

PAD_AT_LEAST = timedelta(minutes=10)
PAD_AT_MOST = timedelta(hours=24)
METRICS_SHOWN = 12
VERSIONS_SHOWN = 5


class Question(BaseModel):
    """What the form of ``/why`` sends. Times without a zone are local; without a site, the journey's first."""

    site: str = ""
    journey: str = ""
    step: str = ""
    link: str = ""
    presentation: str = "local"
    environment: str = "live"
    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The charts of one window: the access asked for, its phases, the other accesses, the metrics."""

    own: Chart
    phases: Chart | None
    others: Sequence[Chart]
    metrics: Mapping[str, Chart]
    bucketed: bool


def add(router: APIRouter, view: View) -> None:
    """Add ``/why/<verdict id>`` and ``/why?journey=…``."""

    @router.get("/why/{verdict_id}", response_class=HTMLResponse, include_in_schema=False)
    def of_verdict(request: Request, verdict_id: str, version: int | None = None) -> HTMLResponse:
        verdict = view.registry.verdict(verdict_id, version)
        if verdict is None:
            verdict = next((said for said in view.registry.standing() if said.id == verdict_id), None)
        if verdict is None:
            raise HTTPException(404, "There is no such verdict: it may have been of another installation.")
        return view.page(request, "why.html", verdict=verdict, **_verdict_parts(view, verdict))

    @router.get("/why", response_class=HTMLResponse, include_in_schema=False)
    def of_window(request: Request, question: Annotated[Question, Query()]) -> HTMLResponse:
        walks = sorted(last_runs(view.store, view.now(), timedelta(minutes=view.settings.recent_minutes)))
        choices = {"walks": walks, "standing": view.registry.standing(), "links": Link, "presentations": Presentation}
        if not (question.journey and question.step and question.link):
            return view.page(request, "window.html", asked=None, drawn=None, verdicts=[], **choices)
        known = question.site or next((walk.site for walk in walks if walk.journey == question.journey), "")
        asked = _asked(view, question, known)
        verdicts = [v for v in view.registry.verdicts(asked.start, asked.end) if _about(v, asked)]
        drawn = draw(view, asked, episode=None, expected=None, evidence=())
        return view.page(request, "window.html", asked=asked, drawn=drawn, verdicts=verdicts, **choices)


def draw(
    view: View,
    asked: Asked,
    *,
    episode: tuple[datetime, datetime] | None,
    expected: Interval | None,
    evidence: Sequence[Evidence],
) -> Drawn:
    """Read the facts of the window and prepare every chart on the same time axis."""
    facts = around.read(view.store, asked)
    frame = Frame(start=asked.start, end=asked.end, clock=view.clock, episode=episode)
    axis = drawing.duration_axis(list(facts.durations.values()), expected)
    csv = address("/api/v1/steps.csv", **_query(asked))
    own = drawing.durations(
        ("own", wording.access(asked.population), csv),
        facts.durations.get(asked.population, ()),
        frame,
        axis=axis,
        expected=expected,
    )
    others = [
        drawing.durations((f"other-{index}", wording.access(population), csv), points, frame, axis=axis)
        for index, (population, points) in enumerate(facts.durations.items())
        if population != asked.population
    ]
    return Drawn(
        own=own,
        phases=drawing.phases("phases", "Where the time went", facts.stacks, frame, csv=csv),
        others=others,
        metrics=_metrics(view, asked, frame, evidence),
        bucketed=facts.bucketed,
    )


def metric_of(evidence: Evidence) -> tuple[str, str] | None:
    """Give (component, metric) when the evidence was drawn from samples."""
    component, metric = evidence.source.get("component"), evidence.source.get("metric")
    return (component, metric) if component and metric else None


def _verdict_parts(view: View, verdict: Verdict) -> Mapping[str, object]:
    length = verdict.end - verdict.start
    pad = min(PAD_AT_MOST, max(PAD_AT_LEAST, length))
    asked = Asked(
        site=verdict.site,
        journey=verdict.journey,
        step=verdict.step,
        environment=verdict.environment,
        population=verdict.population,
        start=max(verdict.start - pad, verdict.end - LONGEST),
        end=min(verdict.end + min(pad, PAD_AT_LEAST), max(view.now(), verdict.end)),
    )
    evidence = [said for layer in verdict.layers for said in (*layer.evidence_for, *layer.evidence_against)]
    episode = (verdict.start, verdict.end)
    drawn = draw(view, asked, episode=episode, expected=verdict.expected, evidence=evidence)
    earlier = [view.registry.verdict(verdict.id, number) for number in _earlier(verdict.version)]
    return {
        "asked": asked,
        "drawn": drawn,
        "layers": arranged(verdict),
        "anchors": _anchors(evidence, drawn.metrics),
        "earlier": [version for version in earlier if version is not None],
    }


def _earlier(version: int) -> range:
    return range(version - 1, max(0, version - 1 - VERSIONS_SHOWN), -1)


def _metrics(view: View, asked: Asked, frame: Frame, evidence: Sequence[Evidence]) -> dict[str, Chart]:
    wanted = dict.fromkeys(source for said in evidence if (source := metric_of(said)))
    charts: dict[str, Chart] = {}
    for index, (component, metric) in enumerate(list(wanted)[:METRICS_SHOWN]):
        found = around.read_metric(
            view.store, site=asked.site, component=component, metric=metric, start=asked.start, end=asked.end
        )
        if found is not None:
            query = {"site": asked.site, "component": component, "metric": metric}
            csv = address("/api/v1/samples.csv", **query, start=asked.start, end=asked.end)
            charts[f"{component} {metric}"] = drawing.metric(f"metric-{index}", found, frame, csv=csv)
    return charts


def _anchors(evidence: Sequence[Evidence], metrics: Mapping[str, Chart]) -> dict[str, str]:
    """Say which chart shows what a piece of evidence was drawn from, by its rule and text."""
    anchors = {}
    for said in evidence:
        source = metric_of(said)
        chart = metrics.get(" ".join(source)) if source else None
        if chart is not None:
            anchors[said.text] = chart.key
        elif "phase" in said.source:
            anchors[said.text] = "phases"
    return anchors


def _asked(view: View, question: Question, site: str) -> Asked:
    start, end = view.period(question.start, question.end, timedelta(hours=1))
    try:
        population = Population(link=Link(question.link), presentation=Presentation(question.presentation))
    except ValueError as error:
        raise HTTPException(400, f"{error}: choose one of the list.") from None
    return Asked(
        site=site,
        journey=question.journey,
        step=question.step,
        environment=question.environment,
        population=population,
        start=start,
        end=end,
    )


def _about(verdict: Verdict, asked: Asked) -> bool:
    spoken = (verdict.site, verdict.journey, verdict.step, verdict.environment, verdict.population)
    return spoken == (asked.site, asked.journey, asked.step, asked.environment, asked.population)


def _query(asked: Asked) -> Mapping[str, object]:
    return {
        "site": asked.site,
        "journey": asked.journey,
        "step": asked.step,
        "environment": asked.environment,
        "start": asked.start,
        "end": asked.end,
    }
