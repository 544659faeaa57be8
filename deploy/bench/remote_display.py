"""How well does the remote driver see? Logon in parts, keystroke to pixel over a link, ends of sessions, a soak.

``python -m deploy.bench.remote_display [--json] [--walks 5] [--ends 3] [--soak 20]
[--causes killed stopped cut] [--viewers vnc window rdp]``. A desktop (Xvnc; for rdp, which needs root, xrdp) stands
behind a link (TUN) whose delay is set; each viewer walks to it from the near end. Required: the median
keystroke is within 5 ms of the median without delay plus the added round trip; a killed session is told
within 0.5 s; a stopped or cut one within 2.2 s: 2 s after the first keystroke without an answer, which comes
0.15 s after the answer before it. Exit code 1 if not.
"""

import argparse
import json
import os
import random
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from collector.model.run import Phase
from deploy.lab import desk_host, namespace, rdp_host
from deploy.lab.desk import READY
from deploy.lab.namespace import Namespace
from deploy.lab.program import Program, Programs, module
from probes.driver import WalkContext
from probes.drivers.remote.plugin import PLUGIN
from probes.journey.file import Journey, parse

ADDED_MS = (0.0, 20.0, 50.0)  # round trip
ALLOWED_MS = 5.0
TOLD = {"killed": 0.5, "stopped": 2.2, "cut": 2.2}  # seconds from the cause
ADDRESS, _ENDS = "10.79.0.2", ("10.79.0.1/30", "10.79.0.2/30")
_PASSWORD = "REMOTE_DISPLAY_PASSWORD"  # noqa: S105  the name of a variable
_STEPS = f"""
name: display
variables: {{host: "", port: ""}}
secrets: {{password: env:REMOTE_DISPLAY_PASSWORD}}
steps:
  - step: logon
    screen:
      - logon:
          credentials: {{password: "{{password}}"}}
          ready: {{colour: "{READY}", region: [0, 0, 800, 16], share: 0.9}}
  - step: type
    timeout: 60 s
    screen: [{{keystrokes: {{keys: asdfgasdfg, region: [0, 180, 800, 120]}}}}]
"""
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "vnc": {},
    "window": {
        "window": {
            "command": ["xtigervncviewer", "-AlertOnFatalError=0", "-ReconnectOnError=0", "-RemoteResize=0"]
            + ["{host}::{port}"],
            "title": "TigerVNC",
            "xvfb": "1024x768",
        }
    },
    "rdp": {
        "window": {
            "command": ["xfreerdp", "/v:{host}:{port}", f"/u:{rdp_host.USER}", "/d:lab", "/from-stdin:force"]
            + ["/size:800x600", "/bpp:32", "/cert:ignore", "-auto-reconnect"],
            "title": "FreeRDP",
            "stdin": "{password}\n",
            "xvfb": "1024x768",
        }
    },
}


@dataclass(frozen=True)
class Distance:
    """Two namespaces and the link between them."""

    near: Namespace
    far: Namespace
    link: Program


@contextmanager
def distance() -> Iterator[Distance]:
    """Make a near and a far end. Raises LabError when this machine cannot."""
    with tempfile.TemporaryDirectory(prefix="remote-display-") as name:
        folder = Path(name)
        programs = Programs(folder)
        near = namespace.first("near", folder / "near.log")
        try:
            far = namespace.beside(near, "far", folder / "far.log")
            try:
                ends = [str(near.holder.pid), _ENDS[0], str(far.holder.pid), _ENDS[1]]
                link = programs.start("link", near.run(module("link"), *ends), told=True)
                link.wait_ready()
                yield Distance(near, far, link)
            finally:
                programs.stop_all()
                far.close()
        finally:
            near.close()


def walk(viewer: str, host: str, port: int) -> dict[str, Any]:
    """Walk once, here; give what was measured, and the time at which the end was told."""
    journey: Journey = parse(_STEPS, Path("remote_display.yaml"))
    context = WalkContext(
        run_id="0" * 32,
        journey=journey,
        values={"host": host, "port": str(port)},
        secrets={"password": os.environ[_PASSWORD]},
    )
    session = PLUGIN.configured(SETTINGS[viewer]).open(context)
    try:
        logon = session.perform(journey.steps[0])
        sys.stdout.write("typing\n")
        sys.stdout.flush()
        typed = session.perform(journey.steps[1])
        told = time.perf_counter()
    finally:
        session.close()
    parts = {str(phase): 1000 * seconds for phase, seconds in logon.phases.items()}
    return {
        **parts,
        "display": 1000 * typed.phases[Phase.DISPLAY] if Phase.DISPLAY in typed.phases else None,
        "uncertainty": 1000 * (typed.uncertainty_seconds or 0.0),
        "outcome": f"{typed.outcome} {typed.error_kind or ''}".strip(),
        "error": logon.error or typed.error,
        "told": told,
    }


def walk_from(place: Distance, viewer: str, port: int, act: Callable[[], None] | None = None) -> dict[str, Any]:
    """Walk from the near end; while it types, do something: ``told`` is then the time from there, in seconds."""
    command = place.near.run([sys.executable, "-m", "deploy.bench.remote_display", "--walk", viewer, str(port)])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as walking:
        assert walking.stdout is not None
        walking.stdout.readline()
        began = 0.0
        if act is not None:
            time.sleep(random.uniform(0.3, 0.8))
            began = time.perf_counter()  # one clock for all processes of a machine
            act()
        found: dict[str, Any] = json.loads(walking.stdout.read())
    return {**found, "told": found["told"] - began}


@contextmanager
def far_host(place: Distance, viewer: str) -> Iterator[tuple[int, Callable[[], psutil.Process]]]:
    """Run a session's host at the far end; give its port, and how to find the process that draws the session."""
    if viewer == "rdp":
        with rdp_host.serving(os.environ[_PASSWORD], address=ADDRESS, inside=place.far.enter()) as rdp:
            yield rdp.port, partial(rdp.session_process, "Xorg")
    else:
        with desk_host.serving(address=ADDRESS, inside=place.far.enter()) as host:
            yield host.port, partial(psutil.Process, host.server.pid)


def delays(place: Distance, viewer: str, walks: int) -> list[dict[str, Any]]:
    """Measure the parts with each added round trip, in turn; medians in milliseconds."""
    done: dict[float, list[dict[str, Any]]] = {added: [] for added in ADDED_MS}
    with far_host(place, viewer) as (port, _):
        walk_from(place, viewer, port)  # the first also starts the session
        for added in ADDED_MS * walks:
            place.link.tell({"delay": added / 2})
            done[added].append(walk_from(place, viewer, port))
    place.link.tell({"delay": 0.0})
    rows: list[dict[str, Any]] = []
    for added, found in done.items():
        names = ("launch", "pixels", "ready", "display", "uncertainty")
        row = {name: statistics.median(one[name] for one in found) for name in names}
        base = rows[0]["display"] if rows else row["display"]
        rows.append({"viewer": viewer, "added": added, **row, "error": row["display"] - base - added})
    return rows


def ends(place: Distance, viewer: str, causes: Sequence[str], trials: int) -> list[dict[str, Any]]:
    """Let sessions end while somebody types; seconds until it was told, and as what."""
    rows = []
    for cause in [*causes] * trials:
        with far_host(place, viewer) as (port, session):
            found = walk_from(place, viewer, port, partial(_end, cause, place, session))
        place.link.tell({"loss": 0.0, "bad_loss": 0.0})
        rows.append({"viewer": viewer, "cause": cause, "told": found["told"], "as": found["outcome"]})
    return rows


def _end(cause: str, place: Distance, session: Callable[[], psutil.Process]) -> None:
    if cause == "cut":
        place.link.tell({"loss": 1.0, "bad_loss": 1.0})
    elif cause == "stopped":
        session().suspend()
    else:
        session().kill()


def soak(viewer: str, runs: int) -> dict[str, Any]:
    """Walk again and again in this process; give what is left behind."""
    myself = psutil.Process()
    with desk_host.serving() as host:
        walked = [_silent(viewer, host.port) for _ in range(2)]  # what libraries keep for good
        before = _held(myself)
        begun = time.perf_counter()
        walked += [_silent(viewer, host.port) for _ in range(runs)]
        after = _held(myself)
        took = time.perf_counter() - begun
    left = {name: after[name] - before[name] for name in after}
    return {"viewer": viewer, "runs": runs, "ok": walked.count("ok") - 2, "seconds_each": took / max(1, runs), **left}


def _silent(viewer: str, port: int) -> str:
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: PTH123, SIM115
    try:
        return str(walk(viewer, "127.0.0.1", port)["outcome"])
    finally:
        sys.stdout.close()
        sys.stdout = out


def _held(myself: psutil.Process) -> dict[str, float]:
    return {
        "processes": len(myself.children(recursive=True)),
        "descriptors": myself.num_fds(),
        "threads": myself.num_threads(),
        "folders": len(list(Path(tempfile.gettempdir()).glob("whichlayer-remote-*"))),
        "megabytes": myself.memory_info().rss / 1e6,
    }


def _right(found: Mapping[str, Any]) -> bool:
    return all(abs(row["error"]) <= ALLOWED_MS for row in found["delays"]) and all(
        row["told"] <= TOLD[row["cause"]] for row in found["ends"]
    )


def main() -> None:
    """Measure, or be the walk at the near end."""
    parser = argparse.ArgumentParser(prog="remote_display", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--walks", type=int, default=5)
    parser.add_argument("--ends", type=int, default=3)
    parser.add_argument("--causes", nargs="+", default=list(TOLD), choices=list(TOLD))
    parser.add_argument("--soak", type=int, default=20)
    parser.add_argument("--viewers", nargs="+", default=["vnc", "window"], choices=list(SETTINGS))
    parser.add_argument("--walk", nargs=2, metavar=("VIEWER", "PORT"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    os.environ.setdefault(_PASSWORD, secrets.token_hex(6))
    if chosen.walk:
        sys.stdout.write(json.dumps(walk(chosen.walk[0], ADDRESS, int(chosen.walk[1]))) + "\n")
        return
    found: dict[str, list[dict[str, Any]]] = {"delays": [], "ends": [], "soak": []}
    with distance() as place:
        for viewer in chosen.viewers:
            if chosen.walks:
                found["delays"] += delays(place, viewer, chosen.walks)
            found["ends"] += ends(place, viewer, chosen.causes, chosen.ends)
    found["soak"] = [soak(viewer, chosen.soak) for viewer in chosen.viewers if chosen.soak and viewer != "rdp"]
    if chosen.json:
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    else:
        for row in (one for part in found.values() for one in part):
            words = (
                f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()
            )
            sys.stdout.write(", ".join(words) + "\n")
    sys.exit(0 if _right(found) else 1)


if __name__ == "__main__":
    main()
