"""The tables of the store: one schema each. ``rows.py`` is the way from words to columns.

Times are naive UTC microseconds (the lake's convention); identifiers and labels are strings.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from collector.model.errors import NotInStore
from collector.model.run import Phase

_TIME = pa.timestamp("us")
_TEXT = pa.string()
_COUNT = pa.int64()
_SECONDS = pa.float64()

_WHO = {"site": _TEXT, "endpoint": _TEXT, "link": _TEXT, "presentation": _TEXT}
_WALK = {
    "run_id": _TEXT,
    "slot": _TIME,
    "started_at": _TIME,
    **_WHO,
    "journey": _TEXT,
    "journey_hash": _TEXT,
    "environment": _TEXT,
    "mixed": pa.bool_(),  # the access changed on the way
}
RUNS = pa.schema(
    {
        **_WALK,
        "driver": _TEXT,
        "outcome": _TEXT,
        "seconds": _SECONDS,
        "attempt": pa.int32(),
        "synthetic": pa.bool_(),
        "link_source": _TEXT,
        "presentation_source": _TEXT,
        "confidence": pa.float64(),
        "skew_seconds": _SECONDS,
        "facts": _TEXT,  # a JSON object
    }
)
STEPS = pa.schema(
    {
        **_WALK,
        "step": _TEXT,
        "position": pa.int32(),
        "outcome": _TEXT,
        "seconds": _SECONDS,
        "uncertainty_seconds": _SECONDS,
        "censored": pa.bool_(),
        "target_seconds": _SECONDS,
        **{str(phase): _SECONDS for phase in Phase},
        "requests": pa.int32(),
        "connection": _TEXT,
        "http_status": pa.int32(),
        "bytes_received": pa.int64(),
        "error_kind": _TEXT,
        "error": _TEXT,
        "release": _TEXT,
    }
)
SAMPLES = pa.schema(
    {
        "at": _TIME,
        "site": _TEXT,
        "component": _TEXT,
        "layer": _TEXT,
        "metric": _TEXT,
        "value": pa.float64(),
        "period_seconds": _SECONDS,
        "labels": _TEXT,  # a JSON object
    }
)
SESSIONS = pa.schema(
    {
        "at": _TIME,
        "session_id": _TEXT,
        **_WHO,
        "journey": _TEXT,
        "environment": _TEXT,
        "kind": _TEXT,
        "open_seconds": _SECONDS,
        "cause": _TEXT,
        "detail": _TEXT,
        "saved_work": _TEXT,
        "unsaved_work": _TEXT,
        "at_risk_seconds": _SECONDS,
        "synthetic": pa.bool_(),  # null is true: before there were others, it was not written
    }
)
# One row per step, service and body of spans; ``at`` is when the collector received it, the only clock they share.
# Seconds add up over rows. ``nested`` is a service that another service called.
SERVER_PARTS = pa.schema(
    {
        "at": _TIME,
        "site": _TEXT,
        "run_id": _TEXT,
        "position": pa.int32(),  # of the step in its run
        "service": _TEXT,
        "nested": pa.bool_(),
        "whole": _SECONDS,  # null where the span that took the request is not in the body
        "database": _SECONDS,
        "storage": _SECONDS,
        "external": _SECONDS,
        "spans": _COUNT,
    }
)
LEDGER = pa.schema(
    {
        **dict.fromkeys(("at", "until", "told_at"), _TIME),
        **dict.fromkeys(("event_id", "site", "event_kind", "subject", "journey"), _TEXT),
        **dict.fromkeys(("layers", "detail"), _TEXT),  # layers are a JSON list
        "amount": pa.float64(),
        "unit": _TEXT,
        "withdrawn": pa.bool_(),
    }
)
HOST_EVENTS = pa.schema(
    {
        "at": _TIME,
        "site": _TEXT,
        "host": _TEXT,
        "log": _TEXT,
        "event_number": pa.int32(),
        "said": _TEXT,
        "cause": _TEXT,
        "code": _COUNT,
        "session": _COUNT,
        "user": _TEXT,
        "endpoint": _TEXT,
        "program": _TEXT,
    }
)
TABLES: Mapping[str, pa.Schema] = {
    "runs": RUNS,
    "steps": STEPS,
    "samples": SAMPLES,
    "sessions": SESSIONS,
    "server_parts": SERVER_PARTS,
    "ledger": LEDGER,
    "host_events": HOST_EVENTS,
}
TIME_COLUMN = {name: "slot" if "slot" in schema.names else "at" for name, schema in TABLES.items()}
# What scan() sorts by. Samples come metric by metric, each in time, as they lie in the lake: sorting what is nearly
# sorted is quick. They may repeat a key (a sender's clock was set back), so the value breaks ties.
ORDER = {
    "runs": ("slot", "run_id"),
    "steps": ("slot", "run_id", "position"),
    "samples": ("site", "metric", "component", "at", "labels", "value"),
    "sessions": ("at", "session_id", "kind"),
    "server_parts": ("run_id", "position", "at", "service", "nested", "whole", "database", "storage", "external"),
    "ledger": ("at", "event_id", "told_at"),
    "host_events": ("at", "host", "log", "event_number", "session", "user", "code", "program"),
}
# Columns that are never null: the key, and what every reader groups or judges by.
REQUIRED = {
    "runs": (*_WALK, "outcome", "attempt", "synthetic"),
    "steps": (*_WALK, "step", "position", "outcome", "censored"),
    "samples": ("at", "site", "component", "layer", "metric", "value", "labels"),
    "sessions": ("at", "session_id", *_WHO, "environment", "kind", "open_seconds"),
    "server_parts": tuple(name for name in SERVER_PARTS.names if name != "whole"),
    "ledger": ("at", "told_at", "event_id", "site", "event_kind", "subject", "layers", "withdrawn"),
    "host_events": ("at", "site", "host", "log", "event_number", "said"),
}

# One row per hour and group, ordered by these; q* over ok and slow steps, *_q50 the median of a
# phase over the same steps, all in seconds. target_seconds is the highest declared in the hour.
# Steps of runs whose access changed on the way (mixed) are in no row.
GROUP = {"site": _TEXT, "journey": _TEXT, "step": _TEXT, "link": _TEXT, "presentation": _TEXT, "environment": _TEXT}
QUANTILES = {"q10": 0.10, "q25": 0.25, "q50": 0.50, "q75": 0.75, "q90": 0.90}
HOURLY = pa.schema(
    {
        "hour": _TIME,
        **GROUP,
        "runs": _COUNT,
        "measured": _COUNT,
        "timeouts": _COUNT,
        "failures": _COUNT,
        **dict.fromkeys(QUANTILES, _SECONDS),
        "target_seconds": _SECONDS,
        **{f"{phase}_q50": _SECONDS for phase in Phase},
    }
)
COUNTS = pa.schema({"hour": _TIME, "rows": _COUNT})

# One row per day and group. ``buckets`` and ``counts`` are a histogram whose merging is exact and whose quantiles are
# within 1 % (collector/stores/_sketch.py): of steps over ok and slow ones, of samples over all. ``total`` is their sum.
_SKETCH = {
    "minimum": pa.float64(),
    "maximum": pa.float64(),
    "total": pa.float64(),
    "buckets": pa.list_(pa.int32()),
    "counts": pa.list_(_COUNT),
}
DAILY_GROUP = {
    "steps": GROUP,
    "samples": {"site": _TEXT, "component": _TEXT, "layer": _TEXT, "metric": _TEXT},  # labels are merged
}
DAILY_COUNTS = {
    "steps": {
        **dict.fromkeys(("runs", "measured", "timeouts", "failures"), _COUNT),
        "target_seconds": _SECONDS,
    },
    "samples": {"measured": _COUNT},
}
DAILY = {
    name: pa.schema({"day": _TIME, **group, **DAILY_COUNTS[name], **_SKETCH}) for name, group in DAILY_GROUP.items()
}


def trend(name: str, by: Sequence[str]) -> pa.Schema:
    """Give the columns of a trend of table ``name``. Raises NotInStore when it has none, or not by these columns."""
    schema(name)
    if name not in DAILY:
        raise NotInStore(f"table {name} has no trend: ask one of {', '.join(DAILY)}")
    for column in by:
        if column not in DAILY_GROUP[name]:
            raise NotInStore(f"a trend of {name} is not kept by {column!r}: use {', '.join(DAILY_GROUP[name])}")
    numbers = dict.fromkeys(("minimum", "mean", "maximum", *QUANTILES), pa.float64())
    return pa.schema({"period": _TIME, **dict.fromkeys(by, _TEXT), **DAILY_COUNTS[name], **numbers})


def schema(name: str) -> pa.Schema:
    """Give the schema of table ``name``. Raises NotInStore when there is none."""
    try:
        return TABLES[name]
    except KeyError:
        raise NotInStore(f"there is no table {name!r}: use one of {', '.join(TABLES)}") from None


def naive(value: datetime) -> datetime:
    """Give the instant as the store keeps it: UTC without a zone."""
    return value.astimezone(UTC).replace(tzinfo=None)
