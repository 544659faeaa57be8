"""Throws a held session out again and again, for causes drawn by lot, and prints truth against what was told.

usage: python -m deploy.lab.drops [--count 50] [--lost-work 20] [--driver http] [--cause NAME] [--seed 1] [--json]

``right`` is what ``docs/sessions.md`` says of the evidence each cause leaves: ``unknown`` where two causes
leave the same.
"""

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.lab.held import GRACE
from deploy.lab.namespace import LabError
from deploy.lab.office import DRIVERS, Office, settle
from deploy.lab.program import Program
from deploy.lab.stopping import stoppable

_PATIENCE = 60.0  # seconds until a drop must have been told
_SPREAD = 1.5  # a drop comes at a random moment so long after the session was seen to live
_WRITE_BEHIND = 1.5


@dataclass(frozen=True, slots=True)
class Cause:
    """One way to lose a session: how it is made, how things are put right, what should be told."""

    name: str
    told: str
    make: Callable[[Office], None]
    heal: Callable[[Office], None] = lambda _office: None


def _restart(*, forget_sessions: bool) -> Callable[[Office], None]:
    def restart(office: Office) -> None:
        office.kill_application()
        began = time.monotonic()
        time.sleep(1.0)
        office.start_application(forget_sessions=forget_sessions)
        if time.monotonic() - began > office.grace - 1.0:
            raise Spoilt("the application took longer to start than the grace: that is another fault")

    return restart


def _ended(reason: str) -> Callable[[Office], None]:
    return lambda office: office.end_sessions(reason)


class Spoilt(LabError):
    """What was made is not what was meant."""


CAUSES = (
    Cause("process killed", "host", Office.kill_application, Office.start_application),
    Cause("link cut", "network", Office.cut, Office.mend),
    Cause(
        "idle policy", "idle", lambda office: office.set(idle_seconds=0.1), lambda office: office.set(idle_seconds=None)
    ),
    Cause(
        "idle policy, silent", "unknown",
        lambda office: office.set(idle_seconds=0.1, says_why=False),
        lambda office: office.set(idle_seconds=None, says_why=True),
    ),
    Cause("logged on elsewhere", "replaced", Office.log_on_elsewhere),
    Cause("ended by administrator", "admin", _ended("admin")),
    Cause("logged off", "user", _ended("signed_out")),
    Cause("restart, sessions lost", "application", _restart(forget_sessions=True)),
    Cause("restart, sessions kept", "reconnected", _restart(forget_sessions=False)),
)  # fmt: skip
_LOSES_WORK = tuple(one for one in CAUSES if one.told in {"network", "idle", "unknown", "admin", "application"})


@dataclass(slots=True)
class Watch:
    """What a keeper has told so far."""

    program: Program
    events: list[dict[str, Any]] = field(default_factory=list)

    def begin(self) -> "Watch":
        """Read on, beside everything else."""
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def _read(self) -> None:
        assert self.program.process.stdout is not None
        for line in self.program.process.stdout:
            self.events.append(json.loads(line))

    def wait_for(self, *kinds: str, after: int) -> dict[str, Any]:
        """Wait for the first event of these kinds beyond the first ``after`` ones. Raises LabError."""
        settle(lambda: self._find(kinds, after) is not None, _PATIENCE)
        found = self._find(kinds, after)
        if found is None:
            raise LabError(f"nothing was told within {_PATIENCE:.0f} s, at last {self.events[-1:]}")
        return found

    def _find(self, kinds: Sequence[str], after: int) -> dict[str, Any] | None:
        return next((event for event in self.events[after:] if event["kind"] in kinds), None)


def main() -> int:
    """Make drops and lost work; exit 0 only when nothing was told wrong."""
    asked = _arguments()
    draw = random.Random(asked.seed)
    with stoppable(), closing(Office.build(asked.grace)) as office:
        office.set(one_session=True)
        causes = [one for one in CAUSES if asked.cause in {None, one.name}]
        lines = _drops(office, asked, draw, causes)
        work = _lost_work(office, asked.lost_work, draw) if asked.lost_work else []
    wrong = [line for line in lines if line["told"] != line["right"]]
    wrong_work = [line for line in work if not line["is_right"]]
    if asked.json:
        summary = {"drops": len(lines), "wrong": len(wrong), "matrix": _matrix(lines), "seconds": _seconds(lines)}
        summary |= {"lost_work": len(work), "lost_work_right": len(work) - len(wrong_work)}
        sys.stdout.write(json.dumps(summary | {"lines": lines, "work": work}) + "\n")
    else:
        _print(lines, work)
    return 1 if wrong or wrong_work else 0


def _drops(
    office: Office, asked: argparse.Namespace, draw: random.Random, causes: Sequence[Cause]
) -> list[dict[str, Any]]:
    watch = Watch(office.keeper(sentinel=False, driver=asked.driver)).begin()
    lines: list[dict[str, Any]] = []
    while len(lines) < asked.count:
        cause = draw.choice(causes)
        try:
            told, made_at = _throw_out(office, watch, cause, draw, ("ended", "reconnected"))
        except Spoilt as spoilt:
            Console(stderr=True).print(f"not counted: {cause.name}: {spoilt}")
            continue
        seen = datetime.fromisoformat(told["at"]).timestamp() - made_at
        lines.append({
            "cause": cause.name,
            "right": cause.told,
            "told": told["cause"] or told["kind"],
            "evidence": told["detail"],
            "seen_after_seconds": round(seen, 2),
        })  # fmt: skip
    office.programs.stop(watch.program)
    return lines


def _throw_out(
    office: Office, watch: Watch, cause: Cause, draw: random.Random, kinds: Sequence[str]
) -> tuple[dict[str, Any], float]:
    """Wait for a session that lives, make ``cause``, wait until it was told, put things right."""
    watch.wait_for("alive", after=len(watch.events))
    time.sleep(draw.uniform(0.0, _SPREAD))
    mark, made_at = len(watch.events), datetime.now(UTC).timestamp()
    try:
        cause.make(office)
        told = watch.wait_for("ended", "reconnected", after=mark)
    finally:
        cause.heal(office)
    if told["kind"] not in kinds or "read_back" in kinds:
        told = watch.wait_for(*kinds, after=mark)
    return told, made_at


def _lost_work(office: Office, count: int, draw: random.Random) -> list[dict[str, Any]]:
    watch = Watch(office.keeper(sentinel=True)).begin()
    told: list[tuple[str, dict[str, Any]]] = []
    while len(told) < count:
        cause = draw.choice(_LOSES_WORK)
        late = draw.choice((0.0, _WRITE_BEHIND))
        office.set(keeps_drafts=draw.random() < 0.5, write_behind_seconds=late)
        try:
            event, _ = _throw_out(office, watch, cause, draw, ("read_back",))
        except Spoilt as spoilt:
            Console(stderr=True).print(f"not counted: {cause.name}: {spoilt}")
            continue
        told.append((cause.name, event))
    office.programs.stop(watch.program)
    office.set(write_behind_seconds=0.0)
    time.sleep(1.0)  # what is still only in memory is written now
    texts = {line["session"]: line for line in _logged(watch.program, "work read back")}
    return [_judged(office, name, event, texts[event["session_id"]]) for name, event in told]


def _logged(program: Program, event: str) -> list[dict[str, Any]]:
    lines = (line for line in program.log.read_text().splitlines() if line.startswith("{"))
    return [line for line in map(json.loads, lines) if line.get("event") == event]


def _judged(office: Office, cause: str, event: Mapping[str, Any], texts: Mapping[str, Any]) -> dict[str, Any]:
    """Hold what was told against the database."""
    truth = {
        name: None if texts[name] is None else "kept" if office.work_is_kept(table, texts[name]) else "lost"
        for name, table in (("saved", "note"), ("unsaved", "draft"))
    }
    told = {"saved": event["saved_work"], "unsaved": event["unsaved_work"]}
    return {"cause": cause, "truth": truth, "told": told, "is_right": told == truth,
            "at_risk_seconds": event["at_risk_seconds"]}  # fmt: skip


def _matrix(lines: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    counted = Counter((line["cause"], line["told"]) for line in lines)
    return {
        cause: {told: n for (name, told), n in sorted(counted.items()) if name == cause} for cause, _ in sorted(counted)
    }


def _seconds(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Give, per cause, the longest time from making it to the moment its event names."""
    causes = sorted({line["cause"] for line in lines})
    return {cause: max(line["seen_after_seconds"] for line in lines if line["cause"] == cause) for cause in causes}


def _print(lines: Sequence[Mapping[str, Any]], work: Sequence[Mapping[str, Any]]) -> None:
    console = Console()
    answers = sorted({line["told"] for line in lines})
    table = Table("made", "right", *answers, title="What was told (rows: what was made)")
    for cause in CAUSES:
        counts = Counter(line["told"] for line in lines if line["cause"] == cause.name)
        if counts:
            table.add_row(cause.name, cause.told, *(str(counts[answer] or "") for answer in answers))
    console.print(table)
    for line in lines:
        if line["told"] != line["right"]:
            console.print(f"wrong: {line['cause']} was told as {line['told']}: {line['evidence']}")
    console.print(f"{sum(line['told'] == line['right'] for line in lines)} of {len(lines)} drops right")
    for line in work:
        if not line["is_right"]:
            console.print(f"wrong: after {line['cause']} {line['told']} was told, the truth is {line['truth']}")
    if work:
        console.print(f"{sum(line['is_right'] for line in work)} of {len(work)} times the work was told right")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="drops", description=main.__doc__)
    parser.add_argument("--count", type=int, default=50, help="drops whose cause is to be told")
    parser.add_argument("--lost-work", type=int, default=20, help="drops after which the work is read back")
    parser.add_argument("--driver", choices=DRIVERS, default="http", help="holds the sessions whose drops are told")
    parser.add_argument("--cause", choices=[cause.name for cause in CAUSES], help="only this one")
    parser.add_argument("--grace", type=float, default=GRACE, help="seconds in which a session may come back")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one object, for machines")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
