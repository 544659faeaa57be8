"""Samples of a simulated world's infrastructure, as columns."""

import json
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from analysis.statistics import Floats
from analysis.truth.levels import load_at
from analysis.truth.world import Fault, World
from collector.model.catalogue import CATALOGUE
from collector.model.layer import Layer
from collector.model.sample import AT_LEAST
from collector.tables import SAMPLES, naive

NOISE = 0.3  # sigma of a quiet value
SCATTER = 0.2  # of what a fault moves it by


def samples_table(world: World) -> pa.Table:
    """Read every metric of the world at its intervals, in the store's order."""
    if not world.sampled or not world.metrics:
        return SAMPLES.empty_table()
    noise = np.random.default_rng(world.seed + 10_000)
    at = np.arange(world.sampled_from, world.seconds, world.sample_every)
    busy = load_at(world, at) if world.load.moved else np.zeros(len(at))
    read = [_read(world, key, at, busy, noise) for key in world.metrics]
    order = sorted(range(len(read)), key=lambda i: list(world.metrics)[i][::-1])
    tables = [_table(world, list(world.metrics)[i], at, read[i], noise) for i in order]
    return pa.concat_tables(tables)


def _read(world: World, key: tuple[str, str], at: Floats, busy: Floats, noise: np.random.Generator) -> Floats:
    """Give the values of one metric; its host's clock is off, so a fault shows in them at another time."""
    real = at - world.skew.get(key[0], 0.0)
    values = world.metrics[key] * noise.lognormal(0, NOISE, len(at)) + world.load.moved.get(key, 0.0) * busy
    for fault in world.faults:
        values = values + _shift(fault, key, real, noise)
    return np.asarray(values)


def _shift(fault: Fault, key: tuple[str, str], at: Floats, noise: np.random.Generator) -> Floats:
    shift = fault.shifts.get(key, 0.0)
    if not shift:
        return np.zeros(len(at))
    on = (at >= fault.start) & (at < fault.end)
    if fault.moments < 1.0:
        on &= noise.random(len(at)) <= fault.moments
    return np.where(on, shift * noise.lognormal(0, SCATTER, len(at)), 0.0)


def _table(world: World, key: tuple[str, str], at: Floats, values: Floats, noise: np.random.Generator) -> pa.Table:
    component, metric = key
    arrived = noise.random(len(at)) >= world.missing.samples
    at, values = at[arrived], values[arrived]
    limit = world.limits.get(key, np.inf)
    late = values > limit
    slots = np.datetime64(naive(world.begin), "us") + (at * 1e6).astype("timedelta64[us]")
    columns: Mapping[str, object] = {
        "at": slots,
        "site": "site-1",
        "component": component,
        "layer": str(layer_of(component, metric)),
        "metric": metric,
        "value": np.minimum(values, limit),
        "period_seconds": None,
        "labels": np.where(late, json.dumps(dict(AT_LEAST)), "{}").astype(object),
    }
    arrays = [
        pa.array(value, field.type)
        if isinstance(value := columns[field.name], np.ndarray)
        else pa.array([value], field.type).take(pa.array(np.zeros(len(at), dtype=np.int64)))
        for field in SAMPLES
    ]
    return pa.Table.from_arrays(arrays, schema=SAMPLES)


def layer_of(component: str, metric: str) -> Layer:
    """Say which layer a sample is of: what is of a place is of that place's layer."""
    layer = CATALOGUE[metric].layer
    if component.startswith("pc-"):
        own = Layer.REMOTE_SESSION if component.endswith("-vnc") else Layer.ENDPOINT
        return {Layer.NETWORK_CORE: Layer.ACCESS_NETWORK, Layer.APP_SERVER: own}.get(layer, layer)
    return Layer.DATABASE if component == "db-1" and metric.startswith("system.") else layer
