"""Is a slow session told from a slow way to its screen? The same waits timed from outside and from inside.

``python -m deploy.bench.remote_inside [--json] [--walks 7] [--viewers vnc window]``. A desktop (Xvnc) stands behind a
link (TUN) whose delay is set, and ``whichlayer inside`` runs in it; each viewer walks from the near end: once as it
is, once with 50 ms more round trip, once with an application that takes 300 ms longer to search. ``echo`` is a letter
that is drawn, one picture; ``search`` draws the window anew, which comes in several pictures, and VNC asks for each.
Required of the medians: the added round trip is in ``display`` (of ``search`` at least once), the application's time
in ``processing``, each within 20 ms or 20 %, and the other part is as it was within 20 ms. Exit code 1 if not.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collector.model.run import Phase, StepTiming
from deploy.bench.remote_display import ADDRESS, SETTINGS, Distance, distance
from deploy.lab import desk_host
from deploy.lab.desk import READY, write_sign
from deploy.lab.desk_host import DeskHost
from probes.driver import WalkContext
from probes.drivers.remote.plugin import PLUGIN
from probes.journey.file import parse

CASES = (("as it is", 0.0, 0.0), ("link +50 ms", 50.0, 0.0), ("application +300 ms", 0.0, 0.3))
STEPS = ("echo", "search")
ALLOWED_MS, ALLOWED_SHARE = 20.0, 0.2
_STEPS = f"""
name: inside
variables: {{host: "", port: ""}}
steps:
  - step: logon
    screen: [{{logon: {{ready: {{colour: "{READY}", region: [0, 0, 800, 16], share: 0.9}}}}}}]
  - step: echo
    screen:
      - press: a
      - wait_for: {{change: true, region: [0, 180, 800, 120]}}
  - step: search
    screen:
      - type: smith
      - press: Return
      - wait_for: {{image: results.png, region: [0, 90, 200, 60]}}
"""


def walk(viewer: str, port: int, folder: Path) -> dict[str, Any]:
    """Walk once, here; give the parts of both steps, and what was noted about the inside."""
    write_sign("RESULTS", folder / "results.png")
    journey = parse(_STEPS, folder / "inside.yaml")
    context = WalkContext(run_id="0" * 32, journey=journey, values={"host": ADDRESS, "port": str(port)})
    shared = {"folder": str(folder / "shared")}
    session = PLUGIN.configured({**SETTINGS[viewer], "inside": shared}).open(context)
    try:
        _, *timed = [session.perform(step) for step in journey.steps]
    finally:
        session.close()
    return {"said": context.facts["inside"], **{step.step: _parts(step) for step in timed}}


def _parts(step: StepTiming) -> dict[str, float] | None:
    """Give milliseconds; None when it was not timed from inside."""
    if Phase.PROCESSING not in step.phases or step.seconds is None:
        return None
    return {
        "outside": 1000 * step.seconds,
        "inside": 1000 * step.phases[Phase.PROCESSING],
        "display": 1000 * step.phases[Phase.DISPLAY],
    }


@contextlib.contextmanager
def watched(host: DeskHost, folder: Path) -> Iterator[None]:
    """Run the program in the session."""
    command = [sys.executable, "-m", "whichlayer", "inside", str(folder), "--display", host.display]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        program.stdout.readline()
        try:
            yield
        finally:
            program.terminate()


def measured(place: Distance, viewer: str, walks: int, folder: Path) -> list[dict[str, Any]]:
    """Walk each case in turn; medians in milliseconds, and how many walks were timed from inside."""
    done: dict[str, list[dict[str, Any]]] = {name: [] for name, _, _ in CASES}
    command = [sys.executable, "-m", "deploy.bench.remote_inside", "--walk", viewer]
    with (
        desk_host.serving(address=ADDRESS, inside=place.far.enter()) as host,
        watched(host, folder / "shared"),
    ):
        for name, added, slow in CASES * walks:
            place.link.tell({"delay": added / 2})
            for words in ("fresh", f"delay {slow}"):
                host.tell(words)
            told = subprocess.run(
                place.near.run([*command, str(host.port), str(folder)]), stdout=subprocess.PIPE, check=True
            )
            done[name].append(json.loads(told.stdout))
    return [_row(viewer, step, name, found) for step in STEPS for name, found in done.items()]


def _row(viewer: str, step: str, case: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    timed = [one[step] for one in found if one[step] is not None]
    medians = {key: statistics.median(one[key] for one in timed) for key in ("outside", "inside", "display")}
    return {
        "viewer": viewer, "step": step, "case": case, "timed": f"{len(timed)} of {len(found)}", **medians,
        "last": found[-1]["said"],
    }  # fmt: skip


def right(rows: list[dict[str, Any]]) -> bool:
    """Say whether what was made slower is the part that grew, for the three cases of one viewer."""
    echo, search = rows[:3], rows[3:]
    return (
        _grew(echo, 1, display=50.0, inside=0.0)
        and _grew(echo, 2, display=0.0, inside=0.0)
        and _grew(search, 1, display=None, inside=0.0)
        and search[1]["display"] - search[0]["display"] >= 50.0 - ALLOWED_MS
        and _grew(search, 2, display=0.0, inside=300.0)
    )


def _grew(rows: list[dict[str, Any]], case: int, **by: float | None) -> bool:
    return all(
        abs(rows[case][part] - rows[0][part] - much) <= max(ALLOWED_MS, ALLOWED_SHARE * much)
        for part, much in by.items()
        if much is not None
    )


def main() -> None:
    """Measure, or be the walk at the near end."""
    parser = argparse.ArgumentParser(prog="remote_inside", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--walks", type=int, default=7)
    parser.add_argument("--viewers", nargs="+", default=["vnc", "window"], choices=["vnc", "window"])
    parser.add_argument("--walk", nargs=3, metavar=("VIEWER", "PORT", "FOLDER"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    os.environ.setdefault("REMOTE_DISPLAY_PASSWORD", "none")
    if chosen.walk:
        viewer, port, folder = chosen.walk
        sys.stdout.write(json.dumps(walk(viewer, int(port), Path(folder))) + "\n")
        return
    with tempfile.TemporaryDirectory(prefix="remote-inside-") as name, distance() as place:
        Path(name, "shared").mkdir(mode=0o700)
        found = [measured(place, viewer, chosen.walks, Path(name)) for viewer in chosen.viewers]
    for row in (one for rows in found for one in rows):
        words = (f"{key} {value:.1f}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items())
        sys.stdout.write((json.dumps(row) if chosen.json else ", ".join(words)) + "\n")
    sys.exit(0 if all(right(rows) for rows in found) else 1)


if __name__ == "__main__":
    main()
