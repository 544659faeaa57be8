"""From words to columns: what agents, sources and files say, as rows of the store's tables."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from collector.model.host_event import HostEvent
from collector.model.quality import QualityEvent
from collector.model.run import Run
from collector.model.sample import Sample
from collector.model.session import SessionEvent
from collector.tables import HOST_EVENTS, LEDGER, RUNS, SAMPLES, SESSIONS, STEPS, naive

_ALL_PLACES = 9


def run_tables(runs: Iterable[Run], *, skew_seconds: float | None = None) -> dict[str, pa.Table]:
    """Turn runs into rows of ``runs`` and ``steps``; ``skew_seconds`` is that of their sender."""
    run_rows: list[dict[str, Any]] = []
    step_rows: list[dict[str, Any]] = []
    for run in runs:
        walk = _walk(run)
        run_rows.append(_run_row(run, walk, skew_seconds))
        step_rows.extend(_step_rows(run, walk))
    return {"runs": pa.Table.from_pylist(run_rows, RUNS), "steps": pa.Table.from_pylist(step_rows, STEPS)}


def sample_table(samples: Iterable[Sample]) -> pa.Table:
    """Turn samples into rows of ``samples``."""
    rows = [
        {
            "at": naive(sample.at),
            "site": sample.site,
            "component": sample.component,
            "layer": str(sample.layer),
            "metric": sample.metric,
            "value": sample.value,
            "period_seconds": sample.period_seconds,
            "labels": _json(sample.labels),
        }
        for sample in samples
    ]
    return pa.Table.from_pylist(rows, SAMPLES)


def session_table(events: Iterable[SessionEvent]) -> pa.Table:
    """Turn session events into rows of ``sessions``."""
    rows = [
        {
            "at": naive(event.at),
            "session_id": event.session_id,
            "site": event.site,
            "endpoint": event.endpoint,
            "link": str(event.access.link),
            "presentation": str(event.access.presentation),
            "journey": event.journey,
            "environment": event.environment,
            "kind": str(event.kind),
            "open_seconds": event.open_seconds,
            "cause": str(event.cause) if event.cause else None,
            "detail": event.detail,
            "saved_work": str(event.saved_work) if event.saved_work else None,
            "unsaved_work": str(event.unsaved_work) if event.unsaved_work else None,
            "at_risk_seconds": event.at_risk_seconds,
            "synthetic": event.synthetic,
        }
        for event in events
    ]
    return pa.Table.from_pylist(rows, SESSIONS)


def ledger_table(events: Iterable[QualityEvent]) -> pa.Table:
    """Turn events into rows of ``ledger``."""
    rows = [
        {
            "at": naive(event.at),
            "until": None if event.until is None else naive(event.until),
            "told_at": naive(event.told_at),
            "event_id": event.event_id,
            "site": event.site,
            "event_kind": str(event.kind),
            "subject": event.subject,
            "journey": event.journey,
            "layers": json.dumps([str(layer) for layer in event.layers]),
            "detail": event.detail,
            "amount": event.amount,
            "unit": event.unit,
            "withdrawn": event.withdrawn,
        }
        for event in events
    ]
    return pa.Table.from_pylist(rows, LEDGER)


def host_event_table(events: Iterable[HostEvent]) -> pa.Table:
    """Turn entries of machines' logs into rows of ``host_events``."""
    rows = [
        {
            "at": naive(event.at),
            "site": event.site,
            "host": event.host,
            "log": str(event.log),
            "event_number": event.event_number,
            "said": event.said,
            "cause": str(event.cause) if event.cause else None,
            "code": event.code,
            "session": event.session,
            "user": event.user,
            "endpoint": event.endpoint,
            "program": event.program,
        }
        for event in events
    ]
    return pa.Table.from_pylist(rows, HOST_EVENTS)


def _walk(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "slot": naive(run.slot),
        "started_at": naive(run.started_at),
        "site": run.site,
        "endpoint": run.endpoint,
        "link": str(run.access.link),
        "presentation": str(run.access.presentation),
        "journey": run.journey,
        "journey_hash": run.journey_hash,
        "environment": run.environment,
        "mixed": run.mixed,
    }


def _run_row(run: Run, walk: dict[str, Any], skew_seconds: float | None) -> dict[str, Any]:
    return walk | {
        "driver": run.driver,
        "outcome": str(run.outcome),
        "seconds": run.seconds,
        "attempt": run.attempt,
        "synthetic": run.synthetic,
        "link_source": run.access.link_source,
        "presentation_source": run.access.presentation_source,
        "confidence": run.access.confidence,
        "skew_seconds": skew_seconds,
        "facts": _json(run.facts),
    }


def _step_rows(run: Run, walk: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for position, step in enumerate(run.steps):
        places = _places(step.uncertainty_seconds)
        yield walk | {
            "step": step.step,
            "position": position,
            "outcome": str(step.outcome),
            "seconds": None if step.seconds is None else round(step.seconds, places),
            "uncertainty_seconds": _two_digits(step.uncertainty_seconds),
            "censored": step.censored,
            "target_seconds": step.target_seconds,
            **{str(phase): round(seconds, places) for phase, seconds in step.phases.items()},
            "requests": step.requests,
            "connection": step.connection,
            "http_status": step.http_status,
            "bytes_received": step.bytes_received,
            "error_kind": step.error_kind,
            "error": step.error,
            "release": run.facts.get("release"),
        }


def _places(uncertainty: float | None) -> int:
    """Say how many decimal places of a duration are more than noise: down to a tenth of its ±, or all of them.

    A clock counts nanoseconds, but a step of 1.234567891 s ± 0.4 ms says no more than 1.23457 s, in half the bytes.
    """
    if not uncertainty:
        return _ALL_PLACES
    return min(_ALL_PLACES, max(0, 1 - math.floor(math.log10(uncertainty))))


def _two_digits(uncertainty: float | None) -> float | None:
    """Round a ± up to two digits: it must not become better than it was."""
    if not uncertainty:
        return uncertainty
    places = 1 - math.floor(math.log10(uncertainty))
    near = round(uncertainty, places)
    return near if near >= uncertainty else round(near + 10.0**-places, places)


def _json(mapping: Mapping[str, str]) -> str:
    return json.dumps(dict(mapping), sort_keys=True, separators=(",", ":"))
