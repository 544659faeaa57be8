"""What came of a scenario as one JSON object: design of the verdict's own JSON, with keys added and none changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import getloadavg
from typing import Any

from collector.model.access import Population
from collector.model.verdict import Interval
from collector.public import verdict_json
from deploy.lab.site import Site
from deploy.lab.span import Span
from deploy.lab.trials.excess import Excess, measured, runs_of
from deploy.lab.trials.injector import Injected
from deploy.lab.trials.scenario import Planned
from deploy.lab.trials.shares import HeldShare, held_shares
from deploy.lab.trials.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A trial with what was measured of it while its site was still there."""

    planned: Planned
    trial: Trial
    every: float
    excess: Sequence[Excess]
    shares: Sequence[HeldShare]
    busy: float  # programs that waited for a processor in the last minute, this machine's load average

    @classmethod
    def of(cls, site: Site, planned: Planned, trial: Trial) -> "Measured":
        """Read the runs of a trial and measure what its faults caused; nothing when it was skipped or harmless."""
        runs = runs_of(site, min(span.begin for span in trial.off)) if trial.off and trial.truths else {}
        excess = measured(runs, trial) if runs else ()
        shares = held_shares(runs, trial) if runs else ()
        return cls(
            planned=planned, trial=trial, every=site.pace.runs, excess=excess, shares=shares, busy=getloadavg()[0]
        )

    def json(self) -> dict[str, Any]:
        """Give the line of ``lab run --json``."""
        trial = self.trial
        return {
            "scenario": trial.name,
            "truth": [str(truth.layer) for truth in trial.truths],
            "verdict": trial.verdict and verdict_json(trial.verdict),
            "seconds_to_verdict": None if trial.seconds is None else round(trial.seconds, 1),
            "skipped": trial.skipped,
            "right": None if trial.skipped else trial.right,
            "refused": None if trial.skipped else trial.refused,
            "named": [str(truth.layer) for truth in trial.truths if truth in trial.named],
            "strangers": [str(layer) for layer in trial.strangers],
            "beside": [_short(verdict_json(verdict)) for verdict in trial.verdicts[1:]],
            "words": self.planned.scenario.words,
            "seed": self.planned.seed,
            "every_seconds": self.every,
            "analysis_late_seconds": None if trial.late is None else round(trial.late, 1),
            "load_average": round(self.busy, 1),
            "from_start": self.planned.scenario.from_start,
            "innocents": self._innocents(),
            "injected": [_injected(one) for one in trial.injected],
            "excess": [_excess(one) for one in self.excess],
            "shares": [_share(one) for one in self.shares],
            "windows": trial.windows and trial.windows.counted(),
            "rules": trial.rules and trial.rules.json(),
        }

    def _innocents(self) -> list[str]:
        """Name what was there and is to blame for nothing."""
        kinds = [one.kind for one in self.trial.injected if one.truth is None]
        return [*kinds, *(["people at work"] if self.planned.scenario.load is not None else [])]


def _short(verdict: dict[str, Any]) -> dict[str, Any]:
    kept = ("id", "status", "journey", "step", "population", "window", "runs", "excess_seconds", "excess_rate")
    blamed = [layer["layer"] for layer in verdict["layers"] if layer["state"] == "blamed"]
    return {name: verdict[name] for name in kept if name in verdict} | {"blamed": blamed}


def _injected(one: Injected) -> dict[str, Any]:
    return {
        "fault": one.kind,
        "layer": one.fault.truth and str(one.fault.truth),
        "link": one.fault.link and str(one.fault.link),
        "strength": round(one.strength, 4),
        "spans": [_span(span) for span in one.spans if span is not one.alone],
        "alone": one.alone and _span(one.alone),
    }


def _span(span: Span) -> dict[str, str | None]:
    return {"start": span.begin.isoformat(), "end": None if span.end is None else span.end.isoformat()}


def _excess(one: Excess) -> dict[str, Any]:
    return {
        "journey": one.step.journey,
        "step": one.step.step,
        "population": _population(one.step.population),
        "runs_on": one.on,
        "runs_off": one.off,
        "unmeasured_on": one.unmeasured,
        "excess_seconds": _interval(one.seconds),
    }


def _share(one: HeldShare) -> dict[str, Any]:
    return {
        "when": one.when,
        "journey": one.verdict.journey,
        "step": one.verdict.step,
        "population": _population(one.verdict.population),
        "runs": one.verdict.runs,
        "layer": str(one.layer.layer),
        "state": str(one.layer.state),
        "share": one.layer.share,
        "low": one.layer.low,
        "high": one.layer.high,
        "truth": _interval(one.truth),
        "covers": one.covers,
        "excess_stated": _interval(one.verdict.excess_seconds),
        "excess_measured": _interval(one.excess),
    }


def _population(population: Population) -> dict[str, str]:
    return {"link": str(population.link), "presentation": str(population.presentation)}


def _interval(interval: Interval | None) -> dict[str, float] | None:
    if interval is None:
        return None
    return {"estimate": interval.estimate, "low": interval.low, "high": interval.high, "level": interval.level}
