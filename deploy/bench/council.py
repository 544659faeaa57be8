"""Synthetic facts of one council, a day at a time, as columns. Not measured anywhere: drawn from a seed."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

FIRST_DAY = datetime(2026, 9, 1, tzinfo=UTC)
DAY = timedelta(days=1)
RUNS_A_DAY = 700_000  # of five steps
SERIES, SAMPLES_A_SERIES = 1400, 8572
_STEPS = ("login", "search", "open", "save", "print")
_LINKS = (("wired", "local"), ("wifi", "local"), ("wired", "citrix"), ("wifi", "citrix"))
_METRICS = (
    ("storage.write.latency", "storage"),
    ("storage.read.latency", "storage"),
    ("system.cpu.utilization", "app_server"),
    ("system.memory.available", "app_server"),
    ("db.busy", "database"),
    ("endpoint.cpu.utilization", "endpoint"),
    ("endpoint.wifi.signal", "access_network"),
)
_MICROSECONDS = 1_000_000


def steps_of_day(start: datetime, draw: np.random.Generator) -> pa.Table:
    """Draw the step rows of one day: 500 endpoints, six journeys, busier by day than by night."""
    runs = RUNS_A_DAY
    second = np.sort(np.clip(draw.normal(13 * 3600, 4 * 3600, runs), 0, 86_399)).astype(np.int64)
    endpoint = draw.integers(0, 500, runs)
    journey = draw.integers(0, 6, runs)
    each = len(_STEPS)
    position = np.tile(np.arange(each, dtype=np.int32), runs)
    base = np.array([0.4, 0.9, 0.6, 1.1, 2.5])[position]
    slow_link = np.repeat(np.array([1.0, 1.3, 1.15, 1.5])[endpoint % 4], each)
    seconds = np.round(base * slow_link * draw.lognormal(0.0, 0.25, runs * each), 6)
    ending = draw.random(runs * each)
    outcome = np.select([ending < 0.995, ending < 0.998], [np.where(seconds > 3 * base, 1, 0), 2], 3)
    columns: dict[str, pa.Array] = {
        "run_id": _run_ids(draw, runs, each),
        "slot": pa.array(np.repeat(_times(start, second // 300 * 300), each), pa.timestamp("us")),
        "started_at": pa.array(
            np.repeat(_times(start, second) + draw.integers(0, 10**6, runs), each), pa.timestamp("us")
        ),
        **_who(np.repeat(endpoint, each), np.repeat(journey, each)),
        "step": _word(_STEPS, position),
        "position": pa.array(position),
        "outcome": _word(("ok", "slow", "failed", "timeout"), outcome),
        "seconds": pa.array(np.where(outcome == 3, 30.0, seconds)),
        "uncertainty_seconds": pa.array(np.full(runs * each, 0.0005)),
        "censored": pa.array(outcome == 3),
        "target_seconds": pa.array(3 * base),
        "processing": pa.array(np.round(seconds * 0.7, 6)),
        "transfer": pa.array(np.round(seconds * 0.3, 6)),
        "server_app": pa.array(np.round(seconds * 0.4, 4)),
        "server_db": pa.array(np.round(seconds * 0.2, 4)),
        "requests": pa.array(position + 1),
        "http_status": pa.array(np.full(runs * each, 200, dtype=np.int32)),
        "bytes_received": pa.array(draw.integers(5_000, 60_000, runs * each)),
        "release": _word(("3.58",), np.zeros(runs * each, dtype=np.int64)),
    }
    return pa.table(columns)  # what was never measured is left out


def _who(endpoint: np.ndarray, journey: np.ndarray) -> dict[str, pa.Array]:
    """Name site, endpoint, access and journey of each row."""
    same = np.zeros(len(endpoint), dtype=np.int64)
    return {
        "site": _word(("example-council",), same),
        "endpoint": _word([f"desk-{number:03}" for number in range(500)], endpoint),
        "link": _word([link for link, _ in _LINKS], endpoint % 4),
        "presentation": _word([presentation for _, presentation in _LINKS], endpoint % 4),
        "journey": _word([f"journey-{number}" for number in range(6)], journey),
        "journey_hash": _word([f"{number:016x}" for number in range(6)], journey),
        "environment": _word(("live",), same),
        "mixed": pa.array(np.zeros(len(endpoint), dtype=bool)),
    }


def samples_of_day(start: datetime, draw: np.random.Generator, *, share: float = 1.0) -> pa.Table:
    """Draw the samples of one day, or of its first ``share``, in the order they arrive."""
    times = int(SAMPLES_A_SERIES * share)
    second = np.repeat(np.arange(times) * 86_400 // SAMPLES_A_SERIES, SERIES)
    series = np.tile(np.arange(SERIES), times)
    metric = series % len(_METRICS)
    value = np.round(draw.lognormal(0.0, 0.2, times * SERIES), 3)
    return pa.table(
        {
            "at": pa.array(_times(start, second), pa.timestamp("us")),
            "site": _word(("example-council",), np.zeros(times * SERIES, dtype=np.int64)),
            "component": _word([f"component-{number:03}" for number in range(200)], series // len(_METRICS)),
            "layer": _word([layer for _, layer in _METRICS], metric),
            "metric": _word([name for name, _ in _METRICS], metric),
            "value": pa.array(value),
            "period_seconds": pa.array(np.full(times * SERIES, 10.0)),
            "labels": _word(("{}",), np.zeros(times * SERIES, dtype=np.int64)),
        }
    )


def _times(start: datetime, second: np.ndarray) -> np.ndarray:
    return np.int64(start.timestamp() * _MICROSECONDS) + second.astype(np.int64) * _MICROSECONDS


def _word(words: "list[str] | tuple[str, ...]", which: np.ndarray) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(which.astype(np.int32)), pa.array(words))


def _run_ids(draw: np.random.Generator, runs: int, each: int) -> pa.Array:
    """Draw one random id per run, as 32 hexadecimal digits, and repeat it for each of its steps."""
    digits = np.frombuffer(draw.bytes(16 * runs).hex().encode(), dtype="S32").repeat(each)
    ends = np.arange(runs * each + 1, dtype=np.int32) * 32
    return pa.StringArray.from_buffers(runs * each, pa.py_buffer(ends), pa.py_buffer(digits))
