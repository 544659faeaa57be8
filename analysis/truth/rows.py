"""Step rows of a simulated world, with the columns and in the order in which the store gives them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analysis.statistics import Floats
from analysis.truth.walk import Walked, hash_of, walk
from analysis.truth.world import World, endpoint_of
from collector.model.access import Population
from collector.model.run import Outcome
from collector.tables import STEPS, naive

Bools = npt.NDArray[np.bool_]
Things = npt.NDArray[np.object_]
Any = npt.NDArray[np.generic]
DIGITS = 9  # of a second: a nanosecond, as the store keeps them


def steps_table(world: World, at: Floats) -> pa.Table:
    """Give the step rows of the runs at these times, ordered as the store orders them."""
    walked = walk(world, at)
    place = sorted(range(len(world.populations)), key=lambda p: f"{hash_of(endpoint_of(world.populations[p])):016x}")
    populations = [world.populations[p] for p in place]
    order = _Order(kept=_kept(world, populations, at).T, size=len(world.steps))
    steps = [[walked[p][s] for s in range(order.size)] for p in place]
    rows = _walks(world, populations, at, order) | _steps(world, steps, order)
    return _table(rows, order.size * int(order.kept.sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """Slot by slot, access by access, step by step; ``kept`` says which runs (slot × access) arrive."""

    kept: Bools
    size: int

    def of_steps(self, values: Sequence[Sequence[Any]]) -> Any:
        """Order values that are given by access, then by step, as arrays over slots."""
        return np.asarray(np.array(values).transpose(2, 0, 1)[self.kept].ravel())

    def of_accesses(self, values: Sequence[object]) -> Any:
        """Order values that are the same in every slot."""
        return self.of_runs(np.broadcast_to(np.array(values, dtype=object), self.kept.shape))

    def of_slots(self, values: Any) -> Any:
        """Order values that are the same for every access."""
        return self.of_runs(np.broadcast_to(values[:, None], self.kept.shape))

    def of_runs(self, values: Any) -> Any:
        """Order values that are given as slot × access."""
        return np.repeat(values[self.kept], self.size)


def _walks(world: World, populations: Sequence[Population], at: Floats, order: _Order) -> dict[str, object]:
    slots = order.of_slots(np.datetime64(naive(world.begin), "us") + (at * 1e6).astype("timedelta64[us]"))
    return {
        "run_id": order.of_runs(_run_ids(populations, len(at))),
        "slot": slots,
        "started_at": slots,
        "site": "site-1",
        "endpoint": order.of_accesses([endpoint_of(p) for p in populations]),
        "link": order.of_accesses([str(p.link) for p in populations]),
        "presentation": order.of_accesses([str(p.presentation) for p in populations]),
        "journey": "case-record",
        "journey_hash": "0123456789abcdef",
        "environment": "synthetic",
        "mixed": False,
        "release": order.of_runs(_releases(world, populations, at)),
        "requests": 0,
        "target_seconds": world.target,
    }


def _steps(world: World, steps: Sequence[Sequence[Walked]], order: _Order) -> dict[str, object]:
    faults = order.of_steps([[one.fault for one in row] for row in steps])
    outcome = order.of_steps([[one.outcome for one in row] for row in steps])
    runs = int(order.kept.sum())
    phases = sorted({phase for row in steps for one in row for phase in one.phases})
    nothing = np.full(len(order.kept), np.nan)
    timed = {str(phase): [[one.phases.get(phase, nothing) for one in row] for row in steps] for phase in phases}
    timed["seconds"] = [[one.seconds for one in row] for row in steps]
    return {
        "step": np.tile(np.array(list(world.steps), dtype=object), runs),
        "position": np.tile(np.arange(order.size), runs),
        "outcome": outcome,
        "censored": outcome == str(Outcome.TIMEOUT),
        "http_status": _answers(world, outcome, faults),
        "error_kind": _of_fault([f.error_kind for f in world.faults], faults),
        **{name: order.of_steps(values).astype(float).round(DIGITS) for name, values in timed.items()},
    }


def _table(rows: Mapping[str, object], count: int) -> pa.Table:
    columns = []
    for field in STEPS:
        values = rows.get(field.name)
        if not isinstance(values, np.ndarray):
            columns.append(pa.array([values], field.type).take(pa.array(np.zeros(count, dtype=np.int64))))
        else:
            columns.append(pa.array(values, field.type, from_pandas=True))
    return pa.Table.from_arrays(columns, schema=STEPS)


def _kept(world: World, populations: Sequence[Population], at: Floats) -> Bools:
    """Say which runs arrive: access × slot."""
    missing = world.missing
    noise = np.random.default_rng(world.seed + 20_000)
    kept = noise.random((len(populations), len(at))) >= missing.runs
    for begin, end in missing.spans:
        kept[:, (at >= begin) & (at < end)] = False
    if missing.told is not None:
        kept &= ~np.array([[missing.told(population, float(one)) for one in at] for population in populations])
    return kept


def _run_ids(populations: Sequence[Population], count: int) -> Things:
    places = [f"{hash_of(endpoint_of(p)):016x}" for p in populations]
    return np.array([[f"{place}{number:016x}" for place in places] for number in range(count)], dtype=object)


def _answers(world: World, outcome: Any, faults: Any) -> Things:
    answers = _of_fault([f.http_status for f in world.faults], faults)
    answers[outcome == str(Outcome.OK)] = 200
    return answers


def _of_fault(values: Sequence[object], faults: Any) -> Things:
    return np.array([*values, None], dtype=object)[faults.astype(np.int64)]


def _releases(world: World, populations: Sequence[Population], at: Floats) -> Things:
    """Give the release each run (slot × access) met."""
    release = np.full((len(at), len(populations)), "3.58", dtype=object)
    for fault in reversed(world.faults):
        if fault.release:
            inside = (at >= fault.start) & (at < fault.end)
            mine = np.array([p in fault.populations for p in populations])
            release[np.ix_(inside, mine)] = fault.release
    return release
