"""Simulated worlds as tests ask for them: ``analysis/truth`` makes the rows, here they become runs and samples."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import numpy as np

from analysis.truth.facts import window, window_of
from analysis.truth.rows import steps_table
from analysis.truth.telemetry import samples_table
from analysis.truth.walk import hash_of
from analysis.truth.world import ALL, METRICS, START, VNC, WIFI, WIRED, Fault, Missing, World
from collector.model.access import Access, Link, Presentation
from collector.model.layer import Layer
from collector.model.run import Outcome, Phase, Run, StepTiming
from collector.model.sample import Sample

__all__ = [
    "ALL", "METRICS", "START", "VNC", "WIFI", "WIRED", "Fault", "Missing", "World",
    "hash_of", "runs", "samples", "window", "window_of",
]  # fmt: skip
_READ = [
    "run_id", "site", "endpoint", "link", "presentation", "journey", "journey_hash", "environment", "slot", "release",
    "step", "outcome", "seconds", "censored", "target_seconds", "http_status", "error_kind", *map(str, Phase),
]  # fmt: skip


def runs(world: World) -> list[Run]:
    """Walk the world."""
    walked: dict[str, list[dict[str, Any]]] = {}
    for row in steps_table(world, np.arange(0.0, world.seconds, world.every)).select(_READ).to_pylist():
        walked.setdefault(row["run_id"], []).append(row)
    return [_run(steps) for steps in walked.values()]


def _run(rows: Sequence[Mapping[str, Any]]) -> Run:
    first = rows[0]
    slot = first["slot"].replace(tzinfo=UTC)
    return Run(
        run_id=first["run_id"],
        site=first["site"],
        endpoint=first["endpoint"],
        access=Access(link=Link(first["link"]), presentation=Presentation(first["presentation"]), confidence=1.0),
        journey=first["journey"],
        journey_hash=first["journey_hash"],
        environment=first["environment"],
        slot=slot,
        started_at=slot,
        seconds=sum(row["seconds"] or 0.0 for row in rows),
        outcome=Outcome.OK,
        steps=tuple(map(_step, rows)),
        facts={"release": first["release"]},
    )


def _step(row: Mapping[str, Any]) -> StepTiming:
    return StepTiming(
        step=row["step"],
        outcome=Outcome(row["outcome"]),
        seconds=row["seconds"],
        censored=bool(row["censored"]),
        phases={phase: row[phase] for phase in Phase if row[phase] is not None},
        target_seconds=row["target_seconds"],
        http_status=row["http_status"],
        error_kind=row["error_kind"],
    )


def samples(world: World) -> list[Sample]:
    """Read the infrastructure of the world."""
    return [
        Sample(
            site=row["site"],
            component=row["component"],
            layer=Layer(row["layer"]),
            metric=row["metric"],
            at=row["at"].replace(tzinfo=UTC),
            value=row["value"],
            labels=json.loads(row["labels"]),
        )
        for row in samples_table(world).to_pylist()
    ]
