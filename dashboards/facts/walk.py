"""One run from its plan to the conclusions that count it in: what ``explain`` and the run page show."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from collector.model.verdict import Verdict
from collector.registry import Registry
from collector.server_account import ACCOUNT, NEEDED, with_spans
from collector.store import Slice, Store
from dashboards.clock import aware

_LOOKBACKS = (timedelta(days=1), timedelta(days=7), timedelta(days=35), timedelta(days=400))
_AHEAD = timedelta(days=1)  # a sender's clock may be ahead: such a run is stored and flagged, not lost
_SPANS_LATE = timedelta(days=2)
BESIDE = timedelta(seconds=60)
SAMPLES_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """``run`` and ``steps`` are rows of the store; ``committed`` is the snapshot that holds them.

    ``committed`` is None while the run is acknowledged and kept in the spool, but not yet in the
    lake. ``samples`` are those of the site within a minute of the run.
    """

    run: Mapping[str, object]
    facts: Mapping[str, str]
    slot: datetime
    started_at: datetime
    steps: Sequence[Mapping[str, object]]
    committed: int | None
    samples: Sequence[Mapping[str, object]]
    verdicts: Sequence[Verdict]


def find(store: Store, registry: Registry, run_id: str, now: datetime) -> Story | None:
    """Find a run of the last 13 months, newest first; None when the store does not hold it."""
    where = {"run_id": [run_id]}
    for lookback in _LOOKBACKS:
        rows = store.scan("runs", Slice(start=now - lookback, end=now + _AHEAD, where=where)).to_pylist()
        if rows:
            return _story(store, registry, rows[0])
    return None


def _story(store: Store, registry: Registry, run: Mapping[str, object]) -> Story:
    slot, started = _time(run["slot"]), _time(run["started_at"])
    exactly = Slice(start=slot, end=slot + timedelta(microseconds=1), where={"run_id": [str(run["run_id"])]})
    snapshot = store.status().snapshot
    committed = snapshot if store.scan("runs", exactly, columns=["run_id"], snapshot=snapshot).num_rows else None
    seconds = run["seconds"]
    end = started + timedelta(seconds=seconds if isinstance(seconds, float) else 0.0)
    beside = Slice(start=started - BESIDE, end=end + BESIDE, where={"site": [str(run["site"])]})
    return Story(
        run=run,
        facts=_labels(run["facts"]),
        slot=slot,
        started_at=started,
        steps=with_spans(store.scan("steps", exactly), _server_parts(store, run, slot)).to_pylist(),
        committed=committed,
        samples=_nearest(store.scan("samples", beside).to_pylist(), started),
        verdicts=_counting(registry, run, slot),
    )


def _server_parts(store: Store, run: Mapping[str, object], slot: datetime) -> pa.Table:
    received = Slice(start=slot - _AHEAD, end=slot + _SPANS_LATE, where={"run_id": [str(run["run_id"])]})
    return store.scan("server_parts", received, columns=NEEDED)


def account(step: Mapping[str, object]) -> str:
    """Say where the server's own account of a step comes from; nothing when it gave none."""
    if step.get("spans"):
        return "the application's spans"
    return "Server-Timing" if any(step.get(name) is not None for name in ACCOUNT) else ""


def _nearest(samples: Sequence[Mapping[str, object]], at: datetime) -> list[Mapping[str, object]]:
    """Keep, of each metric of each component, the sample nearest to the run."""
    kept: dict[tuple[str, str, str], Mapping[str, object]] = {}
    for sample in samples:
        key = (str(sample["component"]), str(sample["metric"]), str(sample["labels"]))
        if key not in kept or abs(_time(sample["at"]) - at) < abs(_time(kept[key]["at"]) - at):
            kept[key] = sample
    ordered = sorted(kept.values(), key=lambda s: (str(s["layer"]), str(s["component"]), str(s["metric"])))
    return [{**sample, "at": _time(sample["at"])} for sample in ordered[:SAMPLES_SHOWN]]


def _counting(registry: Registry, run: Mapping[str, object], slot: datetime) -> list[Verdict]:
    known = registry.verdicts(slot, slot + timedelta(microseconds=1))
    place = tuple(run[name] for name in ("site", "journey", "environment", "link", "presentation"))
    found = {}
    for verdict in [*known, *registry.standing()]:
        access = (str(verdict.population.link), str(verdict.population.presentation))
        mine = (verdict.site, verdict.journey, verdict.environment, *access) == place
        if mine and verdict.start <= slot < verdict.end:
            found[verdict.id] = verdict
    return list(found.values())


def _labels(text: object) -> Mapping[str, str]:
    return json.loads(text) if isinstance(text, str) and text else {}


def _time(value: object) -> datetime:
    assert isinstance(value, datetime)
    return aware(value)
