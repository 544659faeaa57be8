"""Verdicts as JSON for others: design.md section 6, with keys added and none changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from collector.model.checks import utc
from collector.model.drops import DropRate, DropReport
from collector.model.verdict import Evidence, Interval, LayerVerdict, Status, Verdict, Where


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """Give one verdict as plain JSON values, in the documented order of keys.

    ``slow`` has ``excess_seconds``, ``failing`` has ``excess_rate``. With timeouts among the runs
    durations are lower bounds: ``at_least`` and ``excess_at_least`` say so, and ``measured_text`` prints them with "≥".
    """
    found: dict[str, Any] = {
        "id": verdict.id,
        "version": verdict.version,
        "status": str(verdict.status),
        "against": str(verdict.against),
        "rung": str(verdict.rung),
        "site": verdict.site,
        "journey": verdict.journey,
        "step": verdict.step,
        "population": {
            "link": str(verdict.population.link),
            "presentation": str(verdict.population.presentation),
        },
        "environment": verdict.environment,
        "window": {"start": _time(verdict.start), "end": _time(verdict.end), "open": verdict.open},
        "runs": verdict.runs,
        "censored": verdict.censored,
        "stood_still": verdict.stood,
        "measured": _interval(verdict.measured),
        "measured_text": _printed(verdict),
        "at_least": verdict.at_least,
        "excess_at_least": verdict.excess_at_least,
        "expected": _interval(verdict.expected),
    }
    if verdict.status is Status.FAILING:
        found["excess_rate"] = _interval(verdict.excess_rate)
    else:
        found["excess_seconds"] = _interval(verdict.excess_seconds)
    return found | _attribution(verdict) | _ground(verdict)


def drops_json(report: DropReport) -> dict[str, Any]:
    """Give what was counted of sessions held open: ``rates`` is empty when none was, a rate without exposure null."""
    return {
        "window": {"start": _time(report.start), "end": _time(report.end)},
        "rates": [_drop_rate(rate) for rate in report.rates],
        "counting_rules": report.counting_rules,
        "snapshot": report.snapshot,
        "reached_at": _time(report.reached_at),
    }


def _drop_rate(rate: DropRate) -> dict[str, Any]:
    return {
        "site": rate.site,
        "journey": rate.journey,
        "environment": rate.environment,
        "population": {"link": str(rate.population.link), "presentation": str(rate.population.presentation)},
        "sessions": rate.sessions,
        "session_hours": rate.hours,
        "drops": rate.drops,
        "drops_per_1000_session_hours": _interval(rate.rate),
        "ends": {str(cause): number for cause, number in rate.ends.items()},
        "ends_by_events": rate.by_events,
        "disagreements": rate.disagreements,
        "reconnected": rate.reconnected,
        "saved_work": {str(kept): number for kept, number in rate.saved_work.items()},
        "unsaved_work": {str(kept): number for kept, number in rate.unsaved_work.items()},
        "at_risk_seconds": rate.at_risk_seconds,
    }


def _attribution(verdict: Verdict) -> dict[str, Any]:
    left = verdict.unexplained
    return {
        "layers": [_layer(layer) for layer in verdict.layers],
        "unexplained": None if left is None else {"share": left.share, "low": left.low, "high": left.high},
        "inseparable": [[str(layer) for layer in group] for group in verdict.inseparable],
        "where": _where(verdict.where),
    }


def _where(where: Where | None) -> dict[str, Any] | None:
    if where is None:
        return None
    counts = {name: getattr(where, name) for name in ("bad", "runs", "bad_elsewhere", "runs_elsewhere")}
    return {"attributes": dict(where.attributes), **counts}


def _ground(verdict: Verdict) -> dict[str, Any]:
    return {
        "data_quality": list(verdict.data_quality),
        "methods": [{"name": use.name, "version": use.version} for use in verdict.methods],
        "counting_rules": verdict.counting_rules,
        "snapshot": verdict.snapshot,
        "digest": verdict.digest,
        "facts": _facts(verdict),
        "estate": verdict.estate,
        "changed": list(verdict.changed),
        "merged_into": verdict.merged_into,
        "settings": None if verdict.settings is None else dict(verdict.settings),
        "made_with": None if verdict.made_with is None else dict(verdict.made_with),
        "reached_at": _time(verdict.reached_at),
        "evidence_removed": None if verdict.evidence_removed is None else _time(verdict.evidence_removed),
    }


def _facts(verdict: Verdict) -> dict[str, str] | None:
    """Give the window that was read: with the snapshot, all that is needed to read the same facts again."""
    if verdict.facts_start is None or verdict.facts_end is None or verdict.facts_since is None:
        return None
    return {
        "start": _time(verdict.facts_start),
        "end": _time(verdict.facts_end),
        "since": _time(verdict.facts_since),
    }


def _layer(layer: LayerVerdict) -> dict[str, Any]:
    return {
        "layer": str(layer.layer),
        "component": layer.component,
        "state": str(layer.state),
        "share": layer.share,
        "low": layer.low,
        "high": layer.high,
        "evidence_for": _texts(layer.evidence_for),
        "evidence_against": _texts(layer.evidence_against),
        "supplier": layer.supplier,
    }


def _texts(evidence: Sequence[Evidence]) -> list[str]:
    return [one.text for one in evidence]


def _interval(value: Interval | None) -> dict[str, float] | None:
    if value is None:
        return None
    return {"estimate": value.estimate, "low": value.low, "high": value.high, "level": value.level}


def _printed(verdict: Verdict) -> str | None:
    if verdict.measured is None:
        return None
    return f"{'≥ ' if verdict.at_least else ''}{verdict.measured.estimate:g} s"


def _time(value: datetime) -> str:
    return utc(value).replace(tzinfo=None).isoformat() + "Z"
