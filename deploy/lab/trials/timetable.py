"""When each fault of a scenario is on, and how strongly: pure, from the seconds gone."""

from deploy.lab.trials.scenario import Part, Planned

# Seconds, or as many runs when runs are rare: three to be sure, and some to look.
_LIMIT, _LIMIT_RUNS = 180.0, 8  # from the last change until the verdict
_INNOCENT, _INNOCENT_RUNS = 60.0, 6  # in which nothing must be said when nobody is to blame


def strength_at(part: Part, full: float, seconds: float) -> float | None:
    """Give how strong a fault is so many seconds after the beginning, None while it is off.

    ``full`` is its drawn strength. A ramp goes on while a flapping fault is off.
    """
    since = seconds - part.start
    if since < 0 or (part.end is not None and seconds >= part.end):
        return None
    if part.flap is not None and since % (part.flap.on + part.flap.off) >= part.flap.on:
        return None
    return full if part.ramp is None else full * min(1.0, since / part.ramp)


def watched(planned: Planned, every: float) -> float:
    """Give for how many seconds a scenario is watched at most, at a run ``every`` so many seconds."""
    scenario = planned.scenario
    if scenario.lasts is not None:
        return scenario.lasts
    if planned.guilty:
        return max(part.start + (part.ramp or 0.0) for part in planned.guilty) + max(_LIMIT, _LIMIT_RUNS * every)
    begun = max((part.start + (part.ramp or 0.0) for part in scenario.faults), default=0.0)
    return begun + max(_INNOCENT, _INNOCENT_RUNS * every)
