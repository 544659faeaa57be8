"""The tables of the store: one schema each, and the way from words to columns.

Times are naive UTC microseconds (the lake's convention); identifiers and labels are strings.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from collector.model.run import Phase, Run
from collector.model.sample import Sample
from collector.model.session import SessionEvent

_TIME = pa.timestamp("us")
_KEY = [
    ("site", pa.string()),
    ("endpoint", pa.string()),
    ("link", pa.string()),
    ("presentation", pa.string()),
]
_WALK = [("journey", pa.string()), ("journey_hash", pa.string()), ("environment", pa.string())]

RUNS = pa.schema(
    [("run_id", pa.string()), ("slot", _TIME), ("started_at", _TIME), *_KEY, *_WALK]
    + [
        ("driver", pa.string()),
        ("outcome", pa.string()),
        ("seconds", pa.float64()),
        ("attempt", pa.int32()),
    ]
    + [
        ("synthetic", pa.bool_()),
        ("link_source", pa.string()),
        ("presentation_source", pa.string()),
    ]
    + [("confidence", pa.float64()), ("skew_seconds", pa.float64()), ("facts", pa.string())]
)
STEPS = pa.schema(
    [("run_id", pa.string()), ("slot", _TIME), ("started_at", _TIME), *_KEY, *_WALK]
    + [
        ("step", pa.string()),
        ("position", pa.int32()),
        ("outcome", pa.string()),
        ("seconds", pa.float64()),
    ]
    + [
        ("uncertainty_seconds", pa.float64()),
        ("censored", pa.bool_()),
        ("target_seconds", pa.float64()),
    ]
    + [(str(phase), pa.float64()) for phase in Phase]
    + [("requests", pa.int32()), ("connection", pa.string()), ("http_status", pa.int32())]
    + [
        ("bytes_received", pa.int64()),
        ("error_kind", pa.string()),
        ("error", pa.string()),
        ("release", pa.string()),
    ]
)
SAMPLES = pa.schema(
    [("at", _TIME), ("site", pa.string()), ("component", pa.string()), ("layer", pa.string())]
    + [
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("period_seconds", pa.float64()),
        ("labels", pa.string()),
    ]
)
SESSIONS = pa.schema(
    [("at", _TIME), ("session_id", pa.string()), *_KEY]
    + [
        ("kind", pa.string()),
        ("open_seconds", pa.float64()),
        ("cause", pa.string()),
        ("detail", pa.string()),
    ]
)
TABLES: dict[str, pa.Schema] = {
    "runs": RUNS,
    "steps": STEPS,
    "samples": SAMPLES,
    "sessions": SESSIONS,
}
TIME_COLUMN = {"runs": "slot", "steps": "slot", "samples": "at", "sessions": "at"}
ORDER = {
    "runs": ("slot", "run_id"),
    "steps": ("slot", "run_id", "position"),
    "samples": ("at", "site", "component", "metric", "labels"),
    "sessions": ("at", "session_id", "kind"),
}

# One row per hour, site, journey, step and population; q* over ok and slow steps, in seconds.
HOURLY = pa.schema(
    [("hour", _TIME), ("site", pa.string()), ("journey", pa.string()), ("step", pa.string())]
    + [("link", pa.string()), ("presentation", pa.string()), ("environment", pa.string())]
    + [
        ("runs", pa.int64()),
        ("measured", pa.int64()),
        ("timeouts", pa.int64()),
        ("failures", pa.int64()),
    ]
    + [(name, pa.float64()) for name in ("q10", "q25", "q50", "q75", "q90", "target_seconds")]
    + [(f"{phase}_q50", pa.float64()) for phase in Phase]
)


def naive(value: datetime) -> datetime:
    """Give the instant as the store keeps it: UTC without a zone."""
    return value.astimezone(UTC).replace(tzinfo=None)


def run_tables(runs: Iterable[Run], *, skew_seconds: float | None = None) -> dict[str, pa.Table]:
    """Turn runs into rows of ``runs`` and ``steps``."""
    run_rows: list[dict[str, Any]] = []
    step_rows: list[dict[str, Any]] = []
    for run in runs:
        shared = _shared(run)
        run_rows.append(
            shared
            | {
                "driver": run.driver,
                "outcome": str(run.outcome),
                "seconds": run.seconds,
                "attempt": run.attempt,
            }
            | {"synthetic": run.synthetic, "link_source": run.access.link_source}
            | {
                "presentation_source": run.access.presentation_source,
                "confidence": run.access.confidence,
            }
            | {"skew_seconds": skew_seconds, "facts": _text(run.facts)}
        )
        step_rows.extend(_step_rows(run, shared))
    return {
        "runs": pa.Table.from_pylist(run_rows, RUNS),
        "steps": pa.Table.from_pylist(step_rows, STEPS),
    }


def sample_table(samples: Iterable[Sample]) -> pa.Table:
    """Turn samples into rows of ``samples``."""
    rows = [
        {
            "at": naive(s.at),
            "site": s.site,
            "component": s.component,
            "layer": str(s.layer),
            "metric": s.metric,
        }
        | {"value": s.value, "period_seconds": s.period_seconds, "labels": _text(s.labels)}
        for s in samples
    ]
    return pa.Table.from_pylist(rows, SAMPLES)


def session_table(events: Iterable[SessionEvent]) -> pa.Table:
    """Turn session events into rows of ``sessions``."""
    rows = [
        {"at": naive(e.at), "session_id": e.session_id, "site": e.site, "endpoint": e.endpoint}
        | {
            "link": str(e.access.link),
            "presentation": str(e.access.presentation),
            "kind": str(e.kind),
        }
        | {
            "open_seconds": e.open_seconds,
            "cause": str(e.cause) if e.cause else None,
            "detail": e.detail,
        }
        for e in events
    ]
    return pa.Table.from_pylist(rows, SESSIONS)


def _shared(run: Run) -> dict[str, Any]:
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
    }


def _step_rows(run: Run, shared: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for position, step in enumerate(run.steps):
        yield (
            shared
            | {
                "step": step.step,
                "position": position,
                "outcome": str(step.outcome),
                "seconds": step.seconds,
            }
            | {"uncertainty_seconds": step.uncertainty_seconds, "censored": step.censored}
            | {
                "target_seconds": step.target_seconds,
                "requests": step.requests,
                "connection": step.connection,
            }
            | {str(phase): seconds for phase, seconds in step.phases.items()}
            | {"http_status": step.http_status, "bytes_received": step.bytes_received}
            | {
                "error_kind": step.error_kind,
                "error": step.error,
                "release": run.facts.get("release"),
            }
        )


def _text(mapping: Mapping[str, str]) -> str:
    return json.dumps(dict(mapping), sort_keys=True, separators=(",", ":"))
