"""Walks one journey as an agent's configuration names it, in whatever namespace this runs; prints its timings.

``walker.py`` reads the entry from standard input, as JSON, and writes ``{step: {outcome, seconds, phases}}``.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from collector.plugin import load
from deploy.lab.world import World
from probes import drivers
from probes.driver import Driver, WalkContext
from probes.journey import file as journeys
from probes.walk import perform


def at_the_desk(world: World, name: str) -> Mapping[str, Any]:
    """Walk once what the wired desk walks besides; gives its one step."""
    entries = world.beyond.journeys(5, world.far_end)
    entry = next(one for one in entries if Path(one["file"]).stem == name)
    done = subprocess.run(
        world.namespaces["wired"].run([sys.executable, __file__]),
        input=json.dumps(entry), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (step,) = json.loads(done.stdout).values()
    assert step["outcome"] in {"ok", "slow"}, step
    return cast("Mapping[str, Any]", step)


def main() -> None:
    """Walk it."""
    entry: dict[str, Any] = json.load(sys.stdin)
    journey = journeys.load(Path(entry["file"]))
    driver = load(drivers, entry["driver"], Driver).configured(entry.get("settings", {}))
    opened = driver.open(WalkContext(run_id="a" * 32, journey=journey, values=entry["variables"], secrets={}))
    try:
        timings = [perform(opened, step) for step in journey.steps]
    finally:
        opened.close()
    told = {t.step: {"outcome": t.outcome, "seconds": t.seconds, "phases": t.phases, "error": t.error} for t in timings}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
