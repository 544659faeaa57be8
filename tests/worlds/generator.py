"""Simulated worlds as tests ask for them: ``analysis/truth`` makes the rows, here they become runs and samples."""

import json
from typing import Any

import numpy as np
import pandas as pd

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


def runs(world: World) -> list[Run]:
    """Walk the world."""
    rows = steps_table(world, np.arange(0.0, world.seconds, world.every)).to_pandas()
    return [_run(steps) for _, steps in rows.groupby("run_id", sort=False)]


def _run(rows: pd.DataFrame) -> Run:
    first = rows.iloc[0]
    slot = first["slot"].tz_localize("UTC").to_pydatetime()
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
        seconds=float(rows["seconds"].sum()),
        outcome=Outcome.OK,
        steps=tuple(_step(row) for row in rows.to_dict("records")),
        facts={"release": first["release"]},
    )


def _step(row: dict[Any, Any]) -> StepTiming:
    known: dict[Any, Any] = {name: None if pd.isna(value) else value for name, value in row.items()}
    return StepTiming(
        step=known["step"],
        outcome=Outcome(known["outcome"]),
        seconds=known["seconds"],
        censored=bool(known["censored"]),
        phases={phase: known[phase] for phase in Phase if known[phase] is not None},
        target_seconds=known["target_seconds"],
        http_status=None if known["http_status"] is None else int(known["http_status"]),
        error_kind=known["error_kind"],
    )


def samples(world: World) -> list[Sample]:
    """Read the infrastructure of the world."""
    return [
        Sample(
            site=row["site"],
            component=row["component"],
            layer=Layer(row["layer"]),
            metric=row["metric"],
            at=row["at"].tz_localize("UTC").to_pydatetime(),
            value=row["value"],
            labels=json.loads(row["labels"]),
        )
        for row in samples_table(world).to_pandas().to_dict("records")
    ]
